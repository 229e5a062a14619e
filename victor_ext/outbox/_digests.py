"""Whether two calls are the same, and what a forgotten entry has in place of its call and
reference.
"""

import hashlib
import json
from typing import Any, cast

from victor_ext import PreparedCall
from victor_ext._values.ids import in_one_form, reference_of

_DIGEST = "digest-1:"
"""The beginning of a digest, with the version of the form that is digested."""
FORGOTTEN = f"{_DIGEST}none"
"""What a forgotten entry has in place of its call."""


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


def is_same_call(row: Any, new: Any) -> bool:
    """Whether the entry of a decrypted row has the call of a new entry with its key. Of a forgotten
    one nobody knows.
    """
    if is_forgotten(row.call) or (row.provider, row.look_up_by) != (new.provider, new.look_up_by):
        return False
    return content_of(row.call) == content_of(new.call)


def other_than(row: Any, new: Any) -> str:
    """What differs between the call of an entry (a decrypted row) and a new one that is not the
    same: the names of members, such as `other values of payment_details.due_date`.
    """
    if is_forgotten(row.call):
        return "a call that was forgotten"
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


def _digest(salt: str, text: str) -> str:
    digest = hashlib.sha256(f"{salt}\0{text}".encode("utf-8", "surrogatepass"))
    return _DIGEST + digest.hexdigest()
