"""What a request should be, from the tables of the OpenAPI specification.

Sources: "Style Values" of the Parameter Object and the Encoding Object, 3.0.4 and 3.1.1. Where the specification leaves
a case undefined (an object within `deepObject`, a list within an exploded object), every usual way is right; the text
of a Python object never is. Values are compared after percent-decoding: `%2C` between the items of a list is a comma.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import permutations
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from victor_ext.spec.tree import is_list, is_mapping

from .operations import Medium, Parameter
from .recording import Pair, Request

JOINTS = {"spaceDelimited": " ", "pipeDelimited": "|"}
MOST_ORDERED = 5
"""The properties of an object whose every order is tried."""


def text(value: Any) -> str:
    """A value that contains no others, as it is sent."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value)


def flat(value: Any, joint: str = ",") -> str:
    """A value as one text: items joined, an object as `name,value,name,value`."""
    if is_list(value):
        return joint.join(map(_inner, value))
    if is_mapping(value):
        return joint.join(part for name, each in value.items() for part in (name, _inner(each)))
    return text(value)


def _inner(value: Any) -> str:
    return as_json(value) if is_list(value) or is_mapping(value) else text(value)


def as_json(value: Any) -> str:
    """A value as JSON, without spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def caller_text(parameter: Parameter, value: Any) -> str:
    """What a caller passes where the function takes a text for a structure."""
    if parameter.content_type is not None:
        return as_json(value) if not isinstance(value, str) else value
    if parameter.location in ("path", "header"):
        return values(parameter, value)[0]
    return flat(value, JOINTS.get(parameter.style, ","))


def query_pairs(name: str, value: Any, style: str, *, explode: bool) -> list[list[Pair]]:
    """The fields of a query, or of a form, for one value: every right way."""
    if style == "deepObject" and (is_mapping(value) or is_list(value)):
        return [_deep(name, value, mark) for mark in ("[]", "[{}]", "")]
    if is_list(value):
        if explode:
            return [[(name, _inner(each)) for each in value]]
        return [[(name, flat(value, JOINTS.get(style, ",")))], *([[(name, as_json(value))]] if _nested(value) else [])]
    if is_mapping(value):
        if explode and style == "form":
            return _exploded(value)
        joined = [[(name, flat(each, JOINTS.get(style, ",")))] for each in _orders(value)]
        return [*joined, *([[(name, as_json(value))]] if _nested(value) else [])]
    return [[(name, text(value))]]


def _orders(value: Any) -> list[Any]:
    """An object with its properties in every order, none of which counts; any other value is itself."""
    ordered = is_mapping(value) and len(value) <= MOST_ORDERED
    return [dict(each) for each in permutations(value.items())] if ordered else [value]


def _nested(value: Any) -> bool:
    inner = value.values() if is_mapping(value) else value
    return any(is_list(each) or is_mapping(each) for each in inner)


def _exploded(value: dict[str, Any]) -> list[list[Pair]]:
    """`name=value` for each property. A structure within is undefined: a list repeated, joined or as JSON."""
    ways: list[list[Pair]] = []
    for repeated in (True, False):
        for write in (flat, as_json):
            pairs: list[Pair] = []
            for name, each in value.items():
                if repeated and is_list(each):
                    pairs += [(name, _inner(item)) for item in each]
                else:
                    pairs.append((name, write(each) if is_list(each) or is_mapping(each) else text(each)))
            ways.append(pairs)
    ways.append([pair for name, each in value.items() for pair in _deep(name, each, "[]")])
    return ways


def _deep(name: str, value: Any, mark: str) -> list[Pair]:
    """`name[key]=value`; items of a list as `name[]`, `name[0]` or `name`."""
    if is_mapping(value):
        return [pair for key, each in value.items() for pair in _deep(f"{name}[{key}]", each, mark)]
    if is_list(value):
        return [pair for n, each in enumerate(value) for pair in _deep(name + mark.format(n), each, mark)]
    return [(name, text(value))]


def values(parameter: Parameter, value: Any) -> list[str]:
    """A value in a path, a header or a cookie, as one text: every right way."""
    if parameter.content_type is not None:
        return [as_json(value), *([value] if isinstance(value, str) else [])]
    return [way for each in _orders(value) for way in _values(parameter, each)]


def _values(parameter: Parameter, value: Any) -> list[str]:
    """The same for one order of properties."""
    joined = flat(value)
    pairs = [f"{key}={_inner(each)}" for key, each in value.items()] if is_mapping(value) and parameter.explode else []
    if parameter.style == "label":
        exploded = ".".join(pairs) if pairs else flat(value, ".")
        return [f".{exploded}", *([] if parameter.explode else [f".{joined}"])]  # 3.0.0 to 3.0.3 have a dot in both
    if parameter.style == "matrix":
        if is_list(value) and parameter.explode:
            return ["".join(f";{parameter.name}={_inner(each)}" for each in value)]
        return [f";{';'.join(pairs)}" if pairs else f";{parameter.name}={joined}"]
    return [",".join(pairs) if pairs else joined]


def same_text(one: str, other: str) -> bool:
    """Whether two texts are equal, or the same moment, or the same JSON."""
    if one == other:
        return True
    if one[:1] in ("{", "[") and other[:1] in ("{", "["):
        try:
            return bool(json.loads(one) == json.loads(other))
        except ValueError:
            return False
    return _moment(one) is not None and _moment(one) == _moment(other)


def _moment(value: str) -> datetime.datetime | None:
    try:
        moment = datetime.datetime.fromisoformat(value) if len(value) > len("2026-03-04") else None
    except ValueError:
        return None
    return moment.replace(tzinfo=datetime.UTC) if moment and moment.tzinfo is None else moment


def difference(expected: Any, actual: Any, where: str = "") -> str | None:
    """The first place where two JSON values differ; null in an object is the same as absent."""
    if is_mapping(expected) and is_mapping(actual):
        for name in dict.fromkeys([*expected, *actual]):
            one, other = expected.get(name), actual.get(name)
            if (one is not None or other is not None) and (why := difference(one, other, f"{where}.{name}")):
                return why
        return None
    if is_list(expected) and is_list(actual) and len(expected) == len(actual):
        pairs = zip(expected, actual, strict=True)
        return next((why for n, (a, b) in enumerate(pairs) if (why := difference(a, b, f"{where}[{n}]"))), None)
    if isinstance(expected, str) and isinstance(actual, str) and _moment(expected):
        equal = same_text(expected, actual)
    else:
        actual = float(actual) if isinstance(actual, Decimal) else actual
        equal = expected == actual and isinstance(expected, bool) == isinstance(actual, bool)
    return None if equal else f"{where.lstrip('.') or 'it'} is {short(actual)} instead of {short(expected)}"


def short(value: Any) -> str:
    """A value for a message."""
    shown = repr(value) if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False, default=repr)
    return shown if len(shown) <= 80 else shown[:77] + "..."


FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


class _Part(NamedTuple):
    name: str
    content: bytes


class Difference(NamedTuple):
    """How a body differs from what it should be; `field` is that of a form."""

    what: str
    field: str = ""


def body_differences(medium: Medium, value: Any, request: Request) -> Iterator[Difference]:
    """How the body of a request differs from a value in a content type."""
    if medium.bare == FORM:
        yield from _form_differences(medium, value, request)
    elif medium.bare == MULTIPART:
        yield from _multipart_differences(medium, value, request)
    elif why := _difference(medium, value, request):
        yield Difference(why)


def _difference(medium: Medium, value: Any, request: Request) -> str | None:
    if medium.is_json or (medium.bare in ("*/*", "application/*") and "json" in request.content_type):
        try:
            sent = json.loads(request.body)
        except ValueError:
            return f"the body is not JSON: {short(request.body)}"
        return difference(value, sent)
    expected = value if isinstance(value, bytes) else text(value).encode()
    return None if request.body == expected else f"the body is {short(request.body)} instead of {short(expected)}"


def take(rest: list[Pair], ways: list[list[Pair]]) -> bool:
    """Remove the pairs of the first way that is there, in its order; False when none is."""
    for way in ways:
        left = list(rest)
        places: list[int] = []
        for name, value in way:
            place = next((n for n, one in enumerate(left) if one[0] == name and same_text(value, one[1])), None)
            if place is None:
                break
            places.append(place)
            left[place] = ("", "\0")
        else:
            if places == sorted(places) or len({name for name, _ in way}) == len(way):
                rest[:] = [each for each in left if each != ("", "\0")]
                return True
    return False


def _form_differences(medium: Medium, value: Any, request: Request) -> Iterator[Difference]:
    written = request.body.decode("utf-8", "replace")
    parts = [part.partition("=") for part in written.split("&") if part]
    rest = [(unquote_plus(name), unquote_plus(each)) for name, _, each in parts]
    for name, each in value.items() if is_mapping(value) else ():
        if each is not None and not take(rest, ways := _field_ways(medium, name, each)):
            sent = [pair for pair in rest if pair[0] == name or pair[0].startswith(f"{name}[")]
            rest = [pair for pair in rest if pair not in sent]
            yield Difference(f"the field {name} is {shown(sent)} instead of {shown(ways[0])}", name)
    if rest:
        yield Difference(f"the form has {shown(rest)}, which the document does not declare")


def _field_ways(medium: Medium, name: str, value: Any) -> list[list[Pair]]:
    encoding = medium.encoding[name].tree if name in medium.encoding else {}
    content_type = str(encoding.get("contentType", ""))
    style = str(encoding.get("style", "form"))
    ways = query_pairs(name, value, style, explode=bool(encoding.get("explode", style == "form")))
    if (is_mapping(value) and "style" not in encoding) or "json" in content_type:
        ways = [*ways, [(name, as_json(value))]]  # 3.0 says form, 3.1 says JSON, unless the document says more
    return ways


def shown(pairs: list[Pair], nothing: str = "absent") -> str:
    """Fields for a message."""
    return short("&".join(f"{name}={value}" for name, value in pairs)) if pairs else nothing


def _multipart_differences(medium: Medium, value: Any, request: Request) -> Iterator[Difference]:
    boundary = re.search(r'boundary="?([^";]+)', request.content_type)
    if boundary is None:
        yield Difference(f"the content type {request.content_type} has no boundary")
        return
    parts = list(_parts(request.body, boundary[1].encode()))
    for name, each in value.items() if is_mapping(value) else ():
        if name in medium.encoding and "style" in medium.encoding[name].tree and not isinstance(each, bytes):
            pairs = [(part.name, part.content.decode("utf-8", "replace")) for part in parts if _is_of(part, name)]
            parts = [part for part in parts if not _is_of(part, name)]
            if not take(pairs, ways := _field_ways(medium, name, each)) or pairs:
                yield Difference(f"the parts of {name} are not {shown(ways[0])}", name)
            continue
        sent = [part for part in parts if part.name == name]
        parts = [part for part in parts if part.name != name]
        wanted = each if is_list(each) else [] if each is None else [each]
        if len(sent) != len(wanted):
            yield Difference(f"{name} is sent as {len(sent)} parts instead of {len(wanted)}", name)
            continue
        for part, one in zip(sent, wanted, strict=True):
            written = part.content.decode("utf-8", "replace")
            if part.content != one if isinstance(one, bytes) else not same_text(_inner(one), written):
                yield Difference(f"the part {name} is {short(part.content)} instead of {short(one)}", name)
    if parts:
        yield Difference(f"the part {parts[0].name} is sent, which the document does not declare", parts[0].name)


def _is_of(part: _Part, name: str) -> bool:
    return part.name == name or part.name.startswith(f"{name}[")


def _parts(body: bytes, boundary: bytes) -> Iterator[_Part]:
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = re.search(rb'name="((?:[^"\\]|\\.)*)"', head)
        yield _Part(unquote_plus(name[1].decode("utf-8", "replace")) if name else "", content)
