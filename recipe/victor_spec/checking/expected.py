"""A request that was sent, and what it should be.

Sources: "Style Values" of the Parameter Object and the Encoding Object, OpenAPI 3.0.4 and 3.1.1.
What they leave undefined, the package refuses, but for deep objects: these nest by brackets, and
their lists have numbers. Values are compared after percent-decoding: `%2C` between the items of a
list is a comma.
"""

import datetime
import email
import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import permutations
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, unquote_plus

import httpx

from victor_spec.tree import is_json, is_list, is_mapping

from .operations import Medium, Parameter

Pair = tuple[str, str]
"""A name and a value, as they are sent."""


class Request:
    """A recorded request, decoded."""

    def __init__(self, request: httpx.Request) -> None:
        raw, _, query = request.url.raw_path.decode("ascii").partition("?")
        cookies = (each.partition("=") for each in request.headers.get("cookie", "").split(";"))
        self.method, self.headers, self.body = (
            request.method.lower(),
            request.headers,
            request.content,
        )
        self.content_type: str = self.headers.get("content-type", "")
        self.origin = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
        """Scheme, host and port."""
        self.path = [unquote(part) for part in raw.split("/")]
        """The segments, percent-decoded."""
        self.fields: dict[str, list[Pair]] = {
            "query": parse_qsl(query, keep_blank_values=True),
            "header": [*request.headers.items()],
            "cookie": [(name.strip(), value) for name, _, value in cookies if name],
        }


JOINTS = {"spaceDelimited": " ", "pipeDelimited": "|"}
MOST_ORDERED = 5
"""The properties of an object whose every order is tried."""


def text(value: Any) -> str:
    """A value as it is sent; a list or an object as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _flat(value: Any, joint: str = ",") -> str:
    """A value as one text: items joined, an object as `name,value,name,value`."""
    if is_list(value):
        return joint.join(map(text, value))
    if is_mapping(value):
        return joint.join(part for name, each in value.items() for part in (name, text(each)))
    return text(value)


def query_pairs(name: str, value: Any, style: str, *, explode: bool) -> list[list[Pair]]:
    """The fields of a query, or of a form, for one value, in every order of the properties of an
    object.
    """
    if style == "deepObject" and (is_mapping(value) or is_list(value)):
        return [_deep(name, value)]
    if is_list(value) and explode:
        return [[(name, text(each)) for each in value]]
    if is_mapping(value) and explode and style == "form":
        return [
            [
                (key, text(item))
                for key, each in value.items()
                for item in (each if is_list(each) else [each])
            ]
        ]
    return [[(name, _flat(each, JOINTS.get(style, ",")))] for each in _orders(value)]


def _orders(value: Any) -> list[Any]:
    """An object with its properties in every order, none of which counts; any other value is
    itself.
    """
    ordered = is_mapping(value) and len(value) <= MOST_ORDERED
    return [dict(each) for each in permutations(value.items())] if ordered else [value]


def _deep(name: str, value: Any) -> list[Pair]:
    if not (is_mapping(value) or is_list(value)):
        return [(name, text(value))]
    members = value.items() if is_mapping(value) else enumerate(value)
    return [pair for key, each in members for pair in _deep(f"{name}[{key}]", each)]


def parameter_pairs(parameter: Parameter, value: Any) -> list[list[Pair]]:
    """The pairs of a query, of the headers or of the cookies for one value, in every way to write
    it.
    """
    name = parameter.name.lower() if parameter.location == "header" else parameter.name
    ways = [[(name, text)] for text in values(parameter, value)]
    if parameter.content_type is not None or parameter.location == "header":
        return ways
    if parameter.location == "cookie":
        return [*query_pairs(name, value, "form", explode=parameter.explode), *ways]
    return query_pairs(name, value, parameter.style, explode=parameter.explode)


def values(parameter: Parameter, value: Any) -> list[str]:
    """A value in a path, a header or a cookie, as one text, in every order of the properties of an
    object.
    """
    if parameter.content_type is not None:
        return [json.dumps(value) if is_json(parameter.content_type) else text(value)]
    return [_value(parameter, each) for each in _orders(value)]


def _value(parameter: Parameter, value: Any) -> str:
    pairs = (
        [f"{key}={text(each)}" for key, each in value.items()]
        if is_mapping(value) and parameter.explode
        else []
    )
    if parameter.style == "label":
        return "." + (".".join(pairs) or _flat(value, "." if parameter.explode else ","))
    if parameter.style == "matrix":
        if is_list(value) and parameter.explode:
            return "".join(f";{parameter.name}={text(each)}" for each in value)
        return f";{';'.join(pairs) or f'{parameter.name}={_flat(value)}'}"
    return ",".join(pairs) or _flat(value)


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
    """The time that a text is, in UTC without a zone; None for one that is no time, or a day
    alone.
    """
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
            if (one is not None or other is not None) and (
                why := difference(one, other, f"{where}.{name}")
            ):
                return why
        return None
    if is_list(expected) and is_list(actual) and len(expected) == len(actual):
        pairs = zip(expected, actual, strict=True)
        return next(
            (why for n, (a, b) in enumerate(pairs) if (why := difference(a, b, f"{where}[{n}]"))),
            None,
        )
    if isinstance(expected, str) and isinstance(actual, str) and _moment(expected):
        equal = same_text(expected, actual)
    else:
        actual = float(actual) if isinstance(actual, Decimal) else actual
        equal = expected == actual and isinstance(expected, bool) == isinstance(actual, bool)
    return (
        None
        if equal
        else f"{where.lstrip('.') or 'it'} is {short(actual)} instead of {short(expected)}"
    )


def short(value: Any) -> str:
    shown = (
        repr(value)
        if isinstance(value, bytes)
        else json.dumps(value, ensure_ascii=False, default=repr)
    )
    return shown if len(shown) <= 80 else shown[:77] + "..."


FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


def body_differences(medium: Medium, value: Any, request: Request) -> Iterator[tuple[str, str]]:
    """How the body of a request differs from a value in a content type, and the field of a form."""
    if medium.bare == FORM:
        yield from _form_differences(medium, value, request)
    elif medium.bare == MULTIPART:
        yield from _multipart_differences(medium, value, request)
    elif why := _difference(medium, value, request):
        yield why, ""


def _difference(medium: Medium, value: Any, request: Request) -> str | None:
    if medium.is_json or (
        medium.bare in ("*/*", "application/*") and "json" in request.content_type
    ):
        try:
            sent = json.loads(request.body)
        except ValueError:
            return f"the body is not JSON: {short(request.body)}"
        return difference(value, sent)
    expected = value if isinstance(value, bytes) else text(value).encode()
    return (
        None
        if request.body == expected
        else f"the body is {short(request.body)} instead of {short(expected)}"
    )


def take(rest: list[Pair], ways: list[list[Pair]]) -> bool:
    """Remove the pairs of the first way that is there, in its order; False when none is."""
    for way in ways:
        left = list(rest)
        places: list[int] = []
        for name, value in way:
            place = next(
                (n for n, one in enumerate(left) if one[0] == name and same_text(value, one[1])),
                None,
            )
            if place is None:
                break
            places.append(place)
            left[place] = ("", "\0")
        else:
            if places == sorted(places) or len({name for name, _ in way}) == len(way):
                rest[:] = [each for each in left if each != ("", "\0")]
                return True
    return False


def mismatch(rest: list[Pair], name: str, ways: list[list[Pair]]) -> str:
    """Remove the pairs of a name, and say how they differ from each of the ways; "" when they do
    not.
    """
    if take(rest, ways):
        return ""
    sent = [pair for pair in rest if pair[0].partition("[")[0] == name.partition("[")[0]]
    rest[:] = [pair for pair in rest if pair not in sent]
    return f"is sent as {shown(sent)} instead of {shown(ways[0])}"


def _form_differences(medium: Medium, value: Any, request: Request) -> Iterator[tuple[str, str]]:
    rest = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    for name, each in value.items() if is_mapping(value) else ():
        if each is not None and (why := mismatch(rest, name, _field_ways(medium, name, each))):
            yield f"the field {name} {why}", name
    if rest:
        yield f"the form has {shown(rest)}, which the document does not declare", ""


def _field_ways(medium: Medium, name: str, value: Any) -> list[list[Pair]]:
    encoding = medium.encoding[name].tree if name in medium.encoding else {}
    if is_mapping(value) and not {"style", "explode", "allowReserved"} & encoding.keys():
        return [[(name, text(value))]]
    style = str(encoding.get("style", "form"))
    return query_pairs(name, value, style, explode=bool(encoding.get("explode", style == "form")))


def shown(pairs: list[Pair]) -> str:
    return short("&".join(f"{name}={value}" for name, value in pairs)) if pairs else "nothing"


def _multipart_differences(
    medium: Medium, value: Any, request: Request
) -> Iterator[tuple[str, str]]:
    form = email.message_from_bytes(
        f"content-type: {request.content_type}\r\n\r\n".encode() + request.body
    )
    if not form.is_multipart():
        yield f"the content type {request.content_type} has no boundary", ""
        return
    parts: list[tuple[str, bytes]] = [
        (
            unquote_plus(str(part.get_param("name", "", "content-disposition"))),
            part.get_payload(decode=True),
        )
        for part in cast("list[Any]", form.get_payload())
    ]
    for name, each in value.items() if is_mapping(value) else ():
        is_deep = (
            name in medium.encoding and medium.encoding[name].tree.get("style") == "deepObject"
        )
        sent = [
            part
            for part in parts
            if part[0] == name or (is_deep and part[0].startswith(f"{name}["))
        ]
        parts = [part for part in parts if part not in sent]
        if is_deep:
            pairs = [(key, content.decode("utf-8", "replace")) for key, content in sent]
            if not take(pairs, ways := _field_ways(medium, name, each)) or pairs:
                yield f"the parts of {name} are not {shown(ways[0])}", name
            continue
        wanted = each if is_list(each) else [] if each is None else [each]
        if len(sent) != len(wanted):
            yield f"{name} is sent as {len(sent)} parts instead of {len(wanted)}", name
            continue
        for (_, content), one in zip(sent, wanted, strict=True):
            written = content.decode("utf-8", "replace")
            if content != one if isinstance(one, bytes) else not same_text(text(one), written):
                yield f"the part {name} is {short(content)} instead of {short(one)}", name
    if parts:
        yield f"the part {parts[0][0]} is sent, which the document does not declare", parts[0][0]
