"""What is kept of a request that was forgotten: digests, by which the same one is known again."""

import hashlib
import json
from typing import Any

from victor_ext import PreparedCall
from victor_ext.ids import in_one_form, reference_of
from victor_ext.vault import Vault

_DIGEST = "digest-1:"
"""How such a text begins: with the version of what is digested."""
_KEYED = "digest-1-keyed:"
"""How that of an encrypted one begins."""


def is_forgotten(text: str) -> bool:
    """Whether a stored call is the digest of one."""
    return text.startswith("digest-")


def content_of(text: str) -> tuple[object, ...]:
    """What a stored call sends, in one form: the order of JSON says nothing, and the boundary of a
    form is random.
    """
    call = PreparedCall.from_text(text)
    return call.operation, call.method, call.url, call.idempotency_key, _body_of(call)


def _body_of(call: PreparedCall) -> str | bytes:
    try:
        body = json.loads(call.content, parse_float=lambda digits: {"number": digits})
    except ValueError:
        _, _, boundary = call.headers.get("content-type", "").partition("boundary=")
        return call.content.replace(boundary.encode() or b"\0", b"")
    return in_one_form(json.dumps(body, sort_keys=True, ensure_ascii=False))


def reference_digest(reference: str) -> str:
    """The digest of a reference; an entry is found by it."""
    return _digest("reference", reference_of(reference))


def is_same_call(
    row: Any, provider: str, look_up_by: str, text: str, vault: Vault | None = None
) -> bool:
    """Whether an entry is of this call: `look_up_by` and `text` as they are in clear."""
    if is_forgotten(row.call):
        with_key = vault if row.call.startswith(_KEYED) else None
        return bool(row.call == call_digest(row.key, provider, look_up_by, text, with_key))
    if (row.provider, row.look_up_by) != (provider, look_up_by):
        return False
    return content_of(row.call) == content_of(text)


def call_digest(
    key: str, provider: str, look_up_by: str, text: str, vault: Vault | None = None
) -> str:
    """The digest of a call, with its key as the salt. Nobody can try values on one of a vault."""
    content = [*map(_plain, content_of(text))]
    digest = _digest(key, json.dumps([provider, look_up_by, *content]))
    return digest if vault is None else _KEYED + vault.fingerprint(digest)


def _plain(part: object) -> object:
    return part.decode("latin-1") if isinstance(part, bytes) else part


def _digest(salt: str, text: str) -> str:
    digest = hashlib.sha256(f"{salt}\0{text}".encode("utf-8", "surrogatepass"))
    return _DIGEST + digest.hexdigest()
