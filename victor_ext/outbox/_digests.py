"""Digests that a forgotten entry keeps in place of its call and reference: by them a repeat of the
same call is recognized.
"""

import hashlib
import json
from typing import Any, cast

from victor_ext import PreparedCall
from victor_ext._ids import in_one_form, reference_of
from victor_ext._vault import Vault

_DIGEST = "digest-1:"
"""The beginning of a digest, with the version of the form that is digested."""
_KEYED = "digest-1-keyed:"
"""The beginning of the digest of a call that was encrypted."""


def is_forgotten(text: str) -> bool:
    """Whether a stored call or reference is a digest: its entry was forgotten."""
    return text.startswith("digest-")


def content_of(text: str) -> tuple[object, ...]:
    """The content of a stored call, in a form in which equal calls are equal."""
    call = PreparedCall.from_text(text)
    return call.operation, call.method, call.url, call.idempotency_key, _body_of(call)


def _body_of(call: PreparedCall) -> str | bytes:
    """The body of a call in one form: JSON with sorted keys, or bytes without the boundary between
    the parts of a form, which is random. Numbers keep their digits.
    """
    try:
        body = json.loads(call.content, parse_float=lambda digits: {"number": digits})
    except ValueError:
        _, _, boundary = call.headers.get("content-type", "").partition("boundary=")
        return call.content.replace(boundary.encode() or b"\0", b"")
    return in_one_form(json.dumps(body, sort_keys=True, ensure_ascii=False))


def reference_digest(reference: str) -> str:
    """The digest of a reference, by which people still find a forgotten entry."""
    return _digest("reference", reference_of(reference))


def is_same_call(row: Any, new: Any, vault: Vault | None = None) -> bool:
    """Whether the entry of a decrypted row has the call of a new entry with its key. `vault` is
    that of the outbox.
    """
    stored = row.call if is_forgotten(row.call) else call_digest(row)
    with_key = vault if stored.startswith(_KEYED) else None
    return bool(stored == call_digest(new, with_key))


def other_than(row: Any, new: Any) -> str:
    """What differs between the call of an entry (a decrypted row) and a new one that is not the
    same: the names of members, such as `other values of payment_details.due_date`.
    """
    if is_forgotten(row.call):
        return "another call, or with other arguments"
    before, after = PreparedCall.from_text(row.call), PreparedCall.from_text(new.call)
    if before.operation != after.operation:
        return "another call"
    members, new_members = _members(_json_of(before)), _members(_json_of(after))
    both = sorted(members | new_members)
    names = [name for name in both if name and members.get(name) != new_members.get(name)]
    return f"other values of {' and '.join(names)}" if names else "another call"


def _json_of(call: PreparedCall) -> object:
    """The JSON value of the body of a call; None: it has none."""
    try:
        return json.loads(call.content)
    except ValueError:
        return None


def _members(value: object, place: str = "") -> dict[str, object]:
    """The values in a JSON value that are no objects, by their places."""
    if not isinstance(value, dict):
        return {place: value}
    members: dict[str, object] = {}
    for name, member in cast("dict[str, object]", value).items():
        members |= _members(member, f"{place}.{name}" if place else name)
    return members


def call_digest(row: Any, vault: Vault | None = None) -> str:
    """The digest of the call of an entry (a decrypted row), salted with its key.

    With a vault it depends on the secret, too: nobody without it can find the values out by trying.
    """
    content = [*map(_json_value, content_of(row.call))]
    digest = _digest(row.key, json.dumps([row.provider, row.look_up_by, *content]))
    return digest if vault is None else _KEYED + vault.fingerprint(digest)


def _json_value(part: object) -> object:
    """A part of a content as JSON data: each byte is one character."""
    return part.decode("latin-1") if isinstance(part, bytes) else part


def _digest(salt: str, text: str) -> str:
    digest = hashlib.sha256(f"{salt}\0{text}".encode("utf-8", "surrogatepass"))
    return _DIGEST + digest.hexdigest()
