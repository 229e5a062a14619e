"""What differs between two calls under one key, and what a forgotten entry has in place of its call
and reference.
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


def reference_digest(reference: str) -> str:
    """The digest of a reference, by which people still find a forgotten entry."""
    text = f"reference\0{reference_of(reference)}"
    return _DIGEST + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def difference(row: Any, new: Any) -> str | None:
    """What differs between an entry and a new one with its key (both in clear), such as `other
    values of body.payment_details.due_date`; None: their calls are the same.
    """
    if is_forgotten(row.call):
        return "a call that was forgotten"
    before, after = row.prepared, new.prepared
    are_looked_up_alike = (row.provider, row.look_up_by) == (new.provider, new.look_up_by)
    if not are_looked_up_alike or _target_of(before) != _target_of(after):
        return "another call"
    members, new_members = _members_of(before), _members_of(after)
    both = sorted(members.keys() | new_members.keys())
    names = [name for name in both if members.get(name) != new_members.get(name)]
    return f"other values of {' and '.join(names)}" if names else None


def _target_of(call: PreparedCall) -> tuple[object, ...]:
    return call.operation, call.method, call.url, call.idempotency_key


def _members_of(call: PreparedCall) -> dict[str, object]:
    """The values in the body of a call, by their places, each in one form: numbers keep their
    digits, and the parts of a form have no boundary between them, which is random.
    """
    try:
        body = json.loads(call.content, parse_float=lambda digits: {"number": digits})
    except ValueError:
        _, _, boundary = call.headers.get("content-type", "").partition("boundary=")
        return {"body": call.content.replace(boundary.encode() or b"\0", b"")}
    return _members(body, "body")


def _members(value: object, place: str) -> dict[str, object]:
    """The values in a JSON value that are no objects, by their places."""
    if not isinstance(value, dict) or not value:
        return {place: in_one_form(json.dumps(value, sort_keys=True, ensure_ascii=False))}
    members: dict[str, object] = {}
    for name, member in cast("dict[str, object]", value).items():
        members |= _members(member, f"{place}.{name}")
    return members
