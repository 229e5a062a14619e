"""Whether a parameter, or a text in a body, is an idempotency key: decided here, and nowhere else.

A client and the command read the result in the generated table of operations. The name alone
decides: what a description says is for people. A key that no name tells is named by the caller's
rows.
"""

import re
from collections.abc import Iterator

from victor_spec.requests import Key
from victor_spec.tree import Tree, is_json, list_at, mapping_at, operations, resolve, union_members

from .base import Log
from .serialization import kinds, members_of, variants

KNOWN = frozenset({"paypalrequestid", "lineretrykey"})
"""Names of keys that do not say so, without their separators."""
_IDS = "id|identifier|key|token|nonce|uuid|guid|ref|reference"
_ID_WORD = re.compile(rf"(?:[a-z]*request|[a-z]*transaction|message|external|unique)?(?:{_IDS})")
_CREDENTIALS = frozenset(
    {"public", "private", "secret", "api", "access", "refresh", "session", "signing", "encryption"}
)
"""Words before `key` or `token` in the names of what a caller proves himself with."""
READING = ("get", "head", "options", "query", "trace")
_LEVELS = 3
"""Levels of objects in which a member of a body is looked for."""
_NO_TEXTS = frozenset({"date", "date-time", "time", "duration", "uri", "url", "email", "binary"})


def record_keys(document: Tree, log: Log) -> None:
    """Record where each operation takes an idempotency key, and what form a key has."""
    for operation in operations(document):
        if operation.method in READING:
            continue
        found = [_parameter_key(document, each) for each in list_at(operation.tree, "parameters")]
        keys = [each for each in found if each is not None]
        keys += _body_keys(document, mapping_at(operation.tree, "requestBody"))
        if keys:
            log.requests.request(operation.tree).keys = keys
        for key in keys:
            if key.is_key:
                log("record-keys", f"{operation.where}: {key.place} {key.name}")


def is_key(document: Tree, name: str, schema: Tree) -> bool:
    """Whether the document says by its name that this is an idempotency key."""
    if not _is_text(document, schema):
        return False
    words = words_of(name)
    joined = "".join(words).removeprefix("x")
    if joined in KNOWN:
        return True
    return "idempot" in joined and (_is_id(words) or "idempot" in words[-1])


def _is_id(words: list[str]) -> bool:
    """Whether a name ends as the name of an id does, and not as that of a credential."""
    if not words or _CREDENTIALS & {*words[-2:-1]}:
        return False
    return _ID_WORD.fullmatch(words[-1]) is not None


def _parameter_key(document: Tree, parameter: Tree) -> Key | None:
    """The key that a parameter is. One with an id may be a key, too: only the caller knows."""
    place, name, schema = parameter["in"], parameter["name"], mapping_at(parameter, "schema")
    if place not in ("header", "query", "cookie") or not _is_text(document, schema):
        return None
    is_said = is_key(document, name, schema)
    if not is_said and not _is_id(words_of(name)):
        return None
    return Key(place, name, is_said, *_form(document, schema))


def _body_keys(document: Tree, body: Tree) -> list[Key]:
    """The members of a JSON body, and of the objects in it, that are keys; each once."""
    return list(dict.fromkeys(_keys_in(document, body)))


def _keys_in(document: Tree, body: Tree) -> Iterator[Key]:
    """The keys in a JSON body; one that two content types have comes twice."""
    for content_type, medium in mapping_at(body, "content").items():
        if not is_json(content_type):
            continue
        for path, member in members_of(document, mapping_at(medium, "schema"), _LEVELS):
            if is_key(document, path[-1], member):
                form = _form(document, member)
                yield Key("body", ".".join(path), True, *form)  # noqa: FBT003 - that it is one


def words_of(name: str) -> list[str]:
    """The words of a name in small letters: `X-Request-ID`, `xRequestId` and `x_request_id` are
    one.
    """
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return re.findall(r"[a-z0-9]+", apart.lower())


def _is_text(document: Tree, schema: Tree) -> bool:
    """Whether a value is free text: neither a flag nor a word of a list nor a time."""
    for each in variants(document, schema):
        has_other_type = kinds(each) - {"string", "null"}
        if has_other_type or each.get("enum") or each.get("format") in _NO_TEXTS:
            return False
    return True


def _form(document: Tree, schema: Tree) -> tuple[str, str, int, int]:
    """What is said of the form of a text: `format: uuid`, a pattern, and the least and the greatest
    length.
    """
    format_, pattern, least, most = "", "", 0, 0
    whole = resolve(document, schema)
    for each in [] if union_members(whole) else variants(document, whole):
        format_ = "uuid" if each.get("format") == "uuid" else format_
        pattern = str(each.get("pattern") or pattern)
        least = max(least, _length(each, "minLength"))
        longest = _length(each, "maxLength")
        most = min(most, longest) if most and longest else most or longest
    return format_, pattern, least, most


def _length(schema: Tree, name: str) -> int:
    """A limit of length; 0 for none."""
    value = schema.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
