"""What of a document can never be called, or would be sent twice, by the document alone.

The smallest call of an operation has the parameters and the body that it requires, and of these
what they require. It cannot be made where no value fits: a member that requires itself has no end,
and no number is above 5 and below 3. Nothing is made, imported or sent to tell.

What is in doubt fits: patterns and formats are not read, of the ways in which the parts of a schema
exclude each other only those that are named here, and what a server sends alone is not required.
"""

import contextlib
import json
import reprlib
from collections.abc import Collection, Iterator, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from math import isfinite
from typing import Any, NamedTuple
from urllib.parse import unquote

from openapi_python_client.parser.openapi import Endpoint

from .enforced import MARK, split
from .requests import Requests
from .tree import (
    Operation,
    Tree,
    followed,
    is_among,
    is_list,
    is_mapping,
    list_at,
    mapping_at,
    mappings_at,
    operations,
    parameters,
    resolve,
    types_of,
)

TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
"""What a value of JSON may be. The first one that a schema has is what it is meant to be."""
NOT_DECLARED = ("accept", "authorization", "content-type")
"""Headers whose declaration as a parameter says nothing (OpenAPI)."""
LOOP = "it requires itself, and no value has an end"
_ANYTHING: Tree = {}
_NOTHING: Tree = {"not": {}}
_MOST_LEVELS = 60
"""What is deeper fits: it would take the interpreter too many calls to tell."""


_SHOWN = 3
"""The words of an enum that a message names."""


class Reason(NamedTuple):
    """Why no value fits a schema."""

    place: str
    """Below the schema: `.lines[].price`."""
    why: str


def impossible_calls(document: Tree) -> Iterator[str]:
    """The operations that cannot be called as the document says, and the bodies that cannot be
    sent: `POST /nodes: no value fits its body.parent: why`.
    """
    values = Values(document)
    for operation in operations(document):
        for called, schemas, rest in _parts_of(document, operation):
            reasons = [values.why_none((schema,)) for schema in schemas]
            reason = reasons[0] if reasons else None
            if reason is not None and None not in reasons:
                what = f"no value fits {called}{reason.place}: {reason.why}"
                yield f"{operation.where}: {what}{rest}"


def sent_twice(endpoints: Sequence[Endpoint], requests: Requests) -> Iterator[str]:
    """The parameters of the query that the text of the path holds already."""
    for endpoint in endpoints:
        request = requests.request_of(endpoint)
        written, _, _ = request.path.partition("#")
        _, _, query = written.partition("?")
        in_path = {unquote(pair.partition("=")[0]): pair for pair in query.split("&") if pair}
        for parameter in endpoint.query_parameters:
            name = parameter.name.get_untrusted_value()
            if name in in_path:
                yield (
                    f"{request.where}: query parameter {name}: it is asked for, and sent, beside "
                    f"the {in_path[name]} of the path"
                )


def _parts_of(document: Tree, operation: Operation) -> Iterator[tuple[str, list[Any], str]]:
    """What a call has: what to call each part, its schemas, one of which a value must fit, and what
    is left where none does.
    """
    for parameter in parameters(document, operation.item, operation.tree).values():
        whole = resolve(document, parameter)
        location, name = whole.get("in"), str(whole.get("name"))
        is_read = location != "header" or name.lower() not in NOT_DECLARED
        if is_read and (location == "path" or whole.get("required") is True):
            contents = mappings_at(whole, "content")
            schemas = [medium.get("schema") for _, medium in contents] or [whole.get("schema")]
            yield f"its {location} parameter {name}", schemas, ""
    body = resolve(document, mapping_at(operation.tree, "requestBody"))
    media = [resolve(document, medium) for _, medium in mappings_at(body, "content")]
    rest = "" if body.get("required") is True else "; without a body, it can be called"
    yield "its body", [medium.get("schema") for medium in media], rest


class Values:
    """Tells whether a value fits several schemas at once."""

    def __init__(self, document: Tree) -> None:
        self._document = document
        self._fitting = set[tuple[int, ...]]()
        """The schemas that a value fits, by their ids."""
        self._unfit: dict[tuple[int, ...], tuple[Reason, int]] = {}
        """Those that none fits, each with the level of the schema that it leads back to."""
        self._assumed: list[tuple[int, ...]] = []
        """Those of `_unfit` that none fits if none fits a schema under way."""
        self._under_way: dict[tuple[int, ...], int] = {}
        """The schemas that are looked at, by their levels."""
        self._back_to = _MOST_LEVELS
        """The lowest level that was led back to."""

    def why_none(self, schemas: Sequence[Any]) -> Reason | None:
        """Why no value fits all these schemas; None if one does, or it is in doubt."""
        parts = [_as_mapping(schema) for schema in schemas]
        key = tuple(id(self._named(part)) for part in parts)
        level = len(self._under_way)
        if key in self._fitting or level >= _MOST_LEVELS:
            return None
        if key in self._under_way:
            self._back_to = min(self._back_to, self._under_way[key])
            return Reason("", LOOP)
        if key in self._unfit:
            reason, back_to = self._unfit[key]
            self._back_to = min(self._back_to, back_to)
            return reason
        return self._looked_at(key, level, parts)

    def _looked_at(self, key: tuple[int, ...], level: int, parts: list[Tree]) -> Reason | None:
        """As `why_none`, for schemas that are not known yet."""
        before, self._back_to = self._back_to, _MOST_LEVELS
        first = len(self._assumed)
        self._under_way[key] = level
        reason = self._why_no_union(*self._gathered(parts, set()))
        del self._under_way[key]
        back_to = self._back_to if self._back_to < level else _MOST_LEVELS
        if reason is None:
            self._fitting.add(key)
            back_to = _MOST_LEVELS
            for assumed in self._assumed[first:]:
                del self._unfit[assumed]
        else:
            self._unfit[key] = reason, back_to
        if back_to == _MOST_LEVELS:
            del self._assumed[first:]
        else:
            self._assumed.append(key)
        self._back_to = min(before, back_to)
        return reason

    def _named(self, part: Tree) -> Tree:
        """The schema that a part refers to, or itself where something stands beside."""
        return followed(self._document, part)[0] if part.keys() == {"$ref"} else part

    def _gathered(self, parts: Sequence[Tree], seen: set[int]) -> "Gathered":
        """What a value has to fit at once, without what was seen; `seen` collects the ids."""
        gathered = Gathered([], [], seen)
        pending = [*parts]
        for part in pending:  # it grows
            if id(part) in seen:
                continue
            seen.add(id(part))
            if "$ref" in part:
                beside: Tree = {key: part[key] for key in ("nullable", "readOnly") if key in part}
                gathered.atoms.append(beside)
                pending.append(resolve(self._document, part))
                continue
            gathered.atoms.append(split(part)[0] if MARK in part else part)
            pending += map(_as_mapping, list_at(part, "allOf"))
            for key in ("oneOf", "anyOf"):
                if list_at(part, key):
                    gathered.unions.append((key, [*map(_as_mapping, part[key])]))
        return gathered

    def _why_no_union(self, atoms: list[Tree], unions: list[Any], seen: set[int]) -> Reason | None:
        """Why no value fits these schemas, and a member of each of these unions."""
        if any(atom.get("nullable") is True for atom in atoms):
            return None
        reason = self._why_no_type(atoms)
        for key, members in unions if reason is None else ():
            reason = self._why_no_member(key, members, atoms, seen)
            if reason is not None:
                break
        return reason

    def _why_no_member(
        self, key: str, members: list[Tree], atoms: list[Tree], seen: set[int]
    ) -> Reason | None:
        """Why no value fits a member of a union beside other schemas."""
        first: Reason | None = None
        for member in members:
            more = self._gathered([member], {*seen})
            reason = self._why_no_union([*atoms, *more.atoms], more.unions, more.seen)
            if reason is None:
                if key == "anyOf" or not member or members.count(member) == 1:
                    return None
                reason = Reason("", "what fits a member of its oneOf fits an equal one, too")
            first = first or reason
        return first

    def _why_no_type(self, atoms: list[Tree]) -> Reason | None:
        """Why no value of any type fits these schemas."""
        types = _types_of(atoms)
        if not types:
            return Reason("", "its parts have no type in common, or exclude all types")
        words = _words_of(atoms)
        if words is not None:
            return _why_no_word(words, types, atoms)
        reasons: list[Reason] = []
        for name in types:
            reason = self._why_none_of(name, atoms)
            if reason is None:
                return None
            reasons.append(reason)
        return reasons[0]

    def _why_none_of(self, name: str, atoms: list[Tree]) -> Reason | None:
        """Why no value of a type fits these schemas."""
        if name == "object":
            return self._why_no_object(atoms)
        if name == "array":
            return self._why_no_list(atoms)
        if name == "string":
            return _why_no_count(atoms, "minLength", "maxLength")
        return _why_no_number(atoms, name) if name in ("integer", "number") else None

    def _why_no_object(self, atoms: list[Tree]) -> Reason | None:
        """Why no object fits these schemas."""
        names = [name for atom in atoms for name in list_at(atom, "required")]
        required = dict.fromkeys(name for name in names if isinstance(name, str))
        is_closed = any(atom.get("additionalProperties") is False for atom in atoms)
        is_closed = is_closed and not _all_at(atoms, "patternProperties")
        counted: list[str] = []
        for name in required:
            schemas = [each[name] for each in _all_at(atoms, "properties") if name in each]
            if not schemas and is_closed:
                why = f"it requires {name}, declares no such member, and has no others"
                return Reason("", why)
            if self._is_of_server(schemas):
                continue
            counted.append(name)
            reason = self.why_none(schemas)
            if reason is not None:
                return Reason(f".{name}{reason.place}", reason.why)
        most = min(_numbers_at(atoms, "maxProperties"), default=len(counted))
        if most < len(counted):
            return Reason("", f"it requires {len(counted)} members, and maxProperties is {most}")
        return _why_no_count(atoms, "minProperties", "maxProperties")

    def _is_of_server(self, schemas: Sequence[Any]) -> bool:
        """Whether a member is one that only the server sends."""
        atoms = self._gathered([*map(_as_mapping, schemas)], set()).atoms
        return any(atom.get("readOnly") is True for atom in atoms)

    def _why_no_list(self, atoms: list[Tree]) -> Reason | None:
        """Why no list fits these schemas."""
        reason = _why_no_count(atoms, "minItems", "maxItems")
        least = max(_numbers_at(atoms, "minItems"), default=Decimal(0))
        if reason is not None or not least:
            return reason
        is_plain = not any("prefixItems" in atom for atom in atoms)
        schemas = [atom["items"] for atom in atoms if "items" in atom and is_plain]
        reason = self.why_none(schemas)
        if reason is not None:
            return Reason(f"[]{reason.place}", f"{reason.why} (minItems is {least})")
        words = _words_of(self._gathered([*map(_as_mapping, schemas)], set()).atoms)
        is_unique = any(atom.get("uniqueItems") is True for atom in atoms)
        if words is not None and is_unique and least > len(words):
            return Reason("", f"its items have {len(words)} words, and {least} must differ")
        return None


class Gathered(NamedTuple):
    """What a value has to fit at once."""

    atoms: list[Tree]
    """Schemas, of which `allOf`, `oneOf`, `anyOf` and `$ref` are not read."""
    unions: list[tuple[str, list[Tree]]]
    """Of each list of members one, by `oneOf` or `anyOf`."""
    seen: set[int]


def _as_mapping(schema: Any) -> Tree:
    if schema is False:
        return _NOTHING
    return schema if is_mapping(schema) else _ANYTHING


def _all_at(atoms: Sequence[Tree], key: str) -> list[Tree]:
    """The mappings that schemas have under a key."""
    return [mapping for mapping in (mapping_at(atom, key) for atom in atoms) if mapping]


def _numbers_at(atoms: Sequence[Tree], key: str) -> list[Decimal]:
    """The numbers that schemas have under a key."""
    values = [atom.get(key) for atom in atoms]
    return [Decimal(str(value)) for value in values if _is_number(value)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _types_of(atoms: Sequence[Tree]) -> list[str]:
    """The types that schemas have in common, as they are meant: an object where members are
    declared and no type is.
    """
    declared = [types_of(atom) for atom in atoms if types_of(atom)]
    if not declared and _words_of(atoms) is None:
        if _all_at(atoms, "properties"):
            declared = [["object"]]
        elif any(is_mapping(atom.get("items")) for atom in atoms):
            declared = [["array"]]
    types = [*TYPES]
    for kinds in declared:
        if all(kind in TYPES for kind in kinds):
            types = [name for name in types if is_among(name, kinds)]
    for atom in atoms:
        excluded = atom.get("not")
        if excluded is True or excluded == {}:
            return []
        if is_mapping(excluded) and excluded.keys() == {"type"}:
            types = [name for name in types if not is_among(name, types_of(excluded))]
    return [name for name in types if name != "integer" or "number" not in types]


def _words_of(atoms: Sequence[Tree]) -> list[Any] | None:
    """The only values that schemas allow: those of `enum` and `const`; None without these."""
    words: list[Any] | None = None
    for atom in atoms:
        for own in ([atom["const"]] if "const" in atom else [], list_at(atom, "enum")):
            if own:
                words = own if words is None else [each for each in words if each in own]
        excluded = mapping_at(atom, "not")
        if words is not None and excluded.keys() == {"enum"}:
            known = [*map(json.dumps, excluded["enum"])]  # True is not 1
            words = [each for each in words if json.dumps(each) not in known]
    return words


def _why_no_word(words: list[Any], types: Collection[str], atoms: list[Tree]) -> Reason | None:
    """Why none of the words is a value of these types, within the limits of these schemas."""
    meanings = [value for word in words for value in _meanings(word)]
    if any(_is_of(value, types, atoms) for value in meanings):
        return None
    if not words:
        return Reason("", "its words exclude each other")
    shown = ", ".join(map(reprlib.repr, words[:_SHOWN]))
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return Reason("", f"none of its words is of its type and within its limits ({shown}{more})")


def _meanings(word: Any) -> Iterator[Any]:
    """What a word of an enum may be meant as: `enum: [1, 2]` beside `type: string` is sent as text,
    and `enum: ["1", "2"]` may stand beside `type: integer`.
    """
    yield word
    if isinstance(word, str):
        with contextlib.suppress(ValueError):
            yield json.loads(word)
    elif not (is_list(word) or is_mapping(word)):
        yield json.dumps(word)


def _is_of(value: Any, types: Collection[str], atoms: list[Tree]) -> bool:
    """Whether a value is of one of these types, and within the limits of these schemas."""
    if isinstance(value, str):
        own: Tree = {"minLength": len(value), "maxLength": len(value)}
        is_short = _why_no_count([*atoms, own], "minLength", "maxLength") is None
        return "string" in types and is_short
    if _is_number(value):
        own = {"minimum": value, "maximum": value}
        kind = "integer" if float(value).is_integer() else "number"
        return is_among(kind, types) and _why_no_number([*atoms, own], kind) is None
    names = {list: "array", dict: "object", bool: "boolean", type(None): "null"}
    return names[type(value)] in types


def _why_no_count(atoms: Sequence[Tree], least_key: str, most_key: str) -> Reason | None:
    """Why nothing has as many characters, items or members as schemas say."""
    least = max(_numbers_at(atoms, least_key), default=Decimal(0))
    most = min(_numbers_at(atoms, most_key), default=least)
    if least <= most:
        return None
    return Reason("", f"{least_key} {least} is above {most_key} {most}")


def _why_no_number(atoms: Sequence[Tree], kind: str) -> Reason | None:
    """Why no number is within the limits of schemas."""
    bounds = [each for atom in atoms for each in _bounds_of(atom)]
    lower = max((bound for bound in bounds if bound.key in _LOWER), default=None, key=_by_lower)
    upper = min((bound for bound in bounds if bound.key in _UPPER), default=None, key=_by_upper)
    if lower is None or upper is None:
        return None
    steps = [step for step in _numbers_at(atoms, "multipleOf") if step > 0]
    for step in steps + ([Decimal(1)] if kind == "integer" else []):
        least = (lower.value / step).to_integral_value(ROUND_CEILING) * step
        most = (upper.value / step).to_integral_value(ROUND_FLOOR) * step
        least += step if lower.is_open and least == lower.value else 0
        most -= step if upper.is_open and most == upper.value else 0
        if least > most:
            what = "whole number" if step == 1 else f"multiple of {step}"
            return Reason("", f"no {what} is within {lower} and {upper}")
    is_empty = lower.value == upper.value and (lower.is_open or upper.is_open)
    if lower.value > upper.value or is_empty:
        return Reason("", f"no number is within {lower} and {upper}")
    return None


class _Bound(NamedTuple):
    key: str
    value: Decimal
    is_open: bool

    def __str__(self) -> str:
        return f"{self.key} {self.value}"


_LOWER = ("minimum", "exclusiveMinimum")
_UPPER = ("maximum", "exclusiveMaximum")


def _by_lower(bound: _Bound) -> tuple[Decimal, bool]:
    return bound.value, bound.is_open


def _by_upper(bound: _Bound) -> tuple[Decimal, bool]:
    return bound.value, not bound.is_open


def _bounds_of(atom: Tree) -> Iterator[_Bound]:
    """The limits of a number; `exclusiveMinimum: true` of OpenAPI 3.0 is a word on `minimum`."""
    for key, exclusive in (_LOWER, _UPPER):
        for value in _numbers_at([atom], key):
            yield _Bound(key, value, is_open=atom.get(exclusive) is True)
        for value in _numbers_at([atom], exclusive):
            yield _Bound(exclusive, value, is_open=True)
