"""What changed of one argument or member that two documents have, and the words for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from victor_spec.enforced import split
from victor_spec.rewrites.schemas import default_text
from victor_spec.tree import Tree, is_list, mapping_at
from victor_spec.typed.limits import allowed, fewest, given, limits_of

TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "flag",
    "array": "list",
    "object": "object",
}
"""What the types of schemas are called."""
FORMATS = {"date": "day", "date-time": "time"}
KINDS = {"whole": "whole number", "moment": "time", "any": "value"}
"""What the kinds of members of an answer are called, if not by their own name."""
LOWER = {
    "minLength": "at least {} characters",
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "minItems": "at least {} items",
}
UPPER = {
    "maxLength": "at most {} characters",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "maxItems": "at most {} items",
}
OTHER = {"multipleOf": "a multiple of {}", "pattern": "pattern {}"}
"""The limits of a schema, as words. Of two that are neither, no one is narrower."""
_OF_VALUES = LOWER | UPPER | OTHER
LIMITS = _OF_VALUES | {f"items.{key}": f"each {words}" for key, words in _OF_VALUES.items()}
HAND = "code by hand decides"
PRIVATE = "in no repr; undecided"
FEWEST = frozenset({"minLength", "minItems", "items.minLength"})
"""The limits that hold without a word of the document: a text or a list is not empty."""


class Declared(NamedTuple):
    """What a document says of one argument."""

    type: str
    location: str
    """Where it is sent: `path`, `query`."""
    is_required: bool
    words: Sequence[Any]
    """All values that it can have; empty: any."""
    limits: Mapping[str, Any]
    """By their keywords, without those that nobody keeps."""
    not_enforced: Tree
    """Those limits."""
    default: str
    """The server's; empty without one."""
    may_be_empty: bool
    """Whether a text without characters is taken, or a list without items, where no limit refuses
    it.
    """

    def text(self) -> str:
        """Its type and its limits: `text, at most 12 characters`."""
        limits = [
            words.format(self.limits[key])
            for key, words in LIMITS.items()
            if key in self.limits and (key not in FEWEST or self.limits[key])
        ]
        if self.words:
            limits.append(f"one of {listed(self.words)}")
        return ", ".join([self.type, *limits])

    def fewest(self, key: str) -> int:
        """The fewest characters or items that are taken."""
        own = "minItems" if self.type.startswith("list") else "minLength"
        may_be_empty = self.may_be_empty and key == own
        return fewest(self.limits.get(key), may_be_empty=may_be_empty)


class Change(NamedTuple):
    """One change of a member that both documents have."""

    what: str
    said: str
    breaks: bool = False
    limit: str = ""
    """The keyword of the limit that changed."""

    def line(self, place: str, decided: Mapping[str, str]) -> str:
        """`decided` has what decides in place of limits, which nothing checks then."""
        said = f"{self.what}: {place}: {self.said}"
        if not self.breaks:
            return said
        who = decided.get(self.limit)
        return f"{said}: breaking" if who is None else f"{said}: not checked: {who}"


Signature = Mapping[str, Declared]
"""What a document says of the arguments of an operation, by their names on the wire."""


def declared_of(document: Tree, parameter: Tree, *, may_be_empty: bool | None = None) -> Declared:
    """`may_be_empty` is what the settings say; None: `minLength: 0` allows an empty text."""
    schema, not_enforced = split(given(document, mapping_at(parameter, "schema")))
    items = split(given(document, mapping_at(schema, "items")))[0]
    is_list_ = schema.get("type") == "array"
    type_ = f"list of {_type(items)}" if is_list_ and items else _type(schema)
    limits = limits_of(document, schema)
    if may_be_empty is None:
        may_be_empty = type_ == TYPES["string"] and bool(limits.get("minLength") == 0)
    return Declared(
        type=type_,
        location=str(parameter.get("in")),
        is_required=parameter.get("required") is True,
        words=allowed(items if is_list_ else schema),
        limits=limits,
        not_enforced=not_enforced,
        default=default_text(schema["default"]) if "default" in schema else "",
        may_be_empty=may_be_empty,
    )


def _type(schema: Tree) -> str:
    """What the type of a schema is called."""
    type_ = "object" if "properties" in schema else str(schema.get("type"))
    return FORMATS.get(str(schema.get("format"))) or TYPES.get(type_, "value")


def changes_of(before: Declared, after: Declared, *, may_be_left_out: bool) -> Iterator[Change]:
    """What changed of an argument; `may_be_left_out` says that the settings do not require it."""
    if before.location != after.location:
        yield Change("moved", f"from the {before.location} to the {after.location}", breaks=True)
    if after.is_required and not before.is_required and may_be_left_out:
        yield Change("required now", "a call without it is refused", breaks=True)
    if before.is_required and not after.is_required:
        said = "a call may leave it out" if may_be_left_out else "the settings require it still"
        yield Change("no longer required", said)
    if before.type != after.type:
        yield Change("other type", f"{after.type}, and not {before.type}", breaks=True)
        return
    yield from _other_default(before.default, after.default)
    yield from _not_enforced(before, after)
    for key in LIMITS:
        if key not in after.not_enforced:
            yield from _changed_limit(key, *_compared_limits(key, before, after))
    if "enum" not in after.not_enforced:
        yield from _changed_words(before.words, after.words)


def _other_default(before: str, after: str) -> Iterator[Change]:
    """What changed of the server's default. The client does not send it, so it breaks no call."""
    if before == after:
        return
    if before and after:
        words = f"the server's is {after}, and not {before}"
    elif after:
        words = f"the server's is {after}"
    else:
        words = f"the server's is no longer {before}"
    yield Change("other default", words)


def _not_enforced(before: Declared, after: Declared) -> Iterator[Change]:
    """The limits that nobody keeps, where the earlier document has others or keeps them. No call
    is refused by them.
    """
    for key, limit in after.not_enforced.items():
        if key in before.not_enforced and before.not_enforced[key] == limit:
            continue
        words = LIMITS.get(key, f"{key} {{}}")
        yield Change("not enforced", words.format(listed(limit) if is_list(limit) else limit))


def _compared_limits(key: str, before: Declared, after: Declared) -> tuple[Any, Any]:
    """A limit in both documents; None: there is none. What is taken is compared: of texts and lists
    that are refused when they are empty, a least length of 1 says nothing new.
    """
    if key not in FEWEST:
        return before.limits.get(key), after.limits.get(key)
    old, new = before.fewest(key), after.fewest(key)
    return None if old <= min(new, 1) else old, None if new <= min(old, 1) else new


def _changed_limit(key: str, before: Any, after: Any) -> Iterator[Change]:
    if before == after:
        return
    words = LIMITS[key]
    keyword = key.removeprefix("items.")
    if keyword == "pattern":
        said = "no pattern" if after is None else str(after)
        what = "wider" if after is None else "other pattern"
        yield Change(what, said, breaks=after is not None, limit=key)
    elif after is None:
        yield Change("wider", f"no longer {words.format(before)}")
    elif before is None:
        yield Change("narrower", words.format(after), breaks=True, limit=key)
    else:
        breaks = _is_narrower(keyword, before, after)
        said = f"{words.format(after)}, and not {before}"
        yield Change("narrower" if breaks else "wider", said, breaks=breaks, limit=key)


def _is_narrower(keyword: str, before: Any, after: Any) -> bool:
    """Whether a limit takes less than it did."""
    if keyword in UPPER:
        return bool(after < before)
    if keyword in LOWER:
        return bool(after > before)
    return Fraction(str(before)) % Fraction(str(after)) != 0  # the numbers are multiples


def _changed_words(before: Sequence[Any], after: Sequence[Any]) -> Iterator[Change]:
    """Of what is sent: a word that is gone is refused from now on."""
    if not before and after:
        yield Change("narrower", f"one of {listed(after)}", breaks=True, limit="enum")
    elif before and not after:
        yield Change("wider", "any word")
    else:
        yield from (Change("new word", str(word)) for word in after if word not in before)
        gone = (word for word in before if word not in after)
        yield from (Change("word gone", str(word), breaks=True, limit="enum") for word in gone)


def listed(words: Sequence[Any]) -> str:
    return ", ".join(map(str, words))


def gone(name: str, wire: str, where: str) -> str:
    """`name` is what a caller knows, where the settings had no other name for it."""
    on_the_wire = "" if name == wire else f" (`{wire}` on the wire)"
    return f"gone: `{name}` in `{where}`{on_the_wire}: breaking"
