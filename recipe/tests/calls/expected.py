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

from victor_spec.tree import Tree, is_json, is_list, is_mapping

from .operations import Medium, Parameter

Pair = tuple[str, str]
"""A name and a value, as they are sent."""


class Request:
    """A recorded request, decoded."""

    def __init__(self, request: httpx.Request) -> None:
        self.method = request.method.lower()
        self.headers = request.headers
        self.body = request.content
        self.content_type: str = self.headers.get("content-type", "")
        self.origin = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
        """Scheme, host and port."""
        raw, _, query = request.url.raw_path.decode("ascii").partition("?")
        self.path = [unquote(part) for part in raw.split("/")]
        """The segments, percent-decoded."""
        self.fields: dict[str, list[Pair]] = {
            "query": parse_qsl(query, keep_blank_values=True),
            "header": [*request.headers.items()],
            "cookie": _cookies(request.headers.get("cookie", "")),
        }


def _cookies(header: str) -> list[Pair]:
    """The cookies of a request, as they are sent."""
    pairs: list[Pair] = []
    for cookie in header.split(";"):
        name, _, value = cookie.partition("=")
        if name:
            pairs.append((name.strip(), value))
    return pairs


JOINTS = {"spaceDelimited": " ", "pipeDelimited": "|"}
MOST_ORDERED = 5
"""The properties of an object whose every order is tried."""


def text(value: Any) -> str:
    """A value as it is sent; a list or an object as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _as_one_text(value: Any, joint: str = ",") -> str:
    """A value as one text: items joined, an object as `name,value,name,value`."""
    if is_list(value):
        return joint.join(map(text, value))
    if is_mapping(value):
        parts: list[str] = []
        for name, member in value.items():
            parts += [name, text(member)]
        return joint.join(parts)
    return text(value)


def query_pairs(name: str, value: Any, style: str, *, explode: bool) -> list[list[Pair]]:
    """The fields of a query, or of a form, for one value, in every order of the properties of an
    object.
    """
    if style == "deepObject" and (is_mapping(value) or is_list(value)):
        return [_deep_pairs(name, value)]
    if is_list(value) and explode:
        return [[(name, text(item)) for item in value]]
    if is_mapping(value) and explode and style == "form":
        pairs: list[Pair] = []
        for key, member in value.items():
            items = member if is_list(member) else [member]
            pairs += [(key, text(item)) for item in items]
        return [pairs]
    joint = JOINTS.get(style, ",")
    return [[(name, _as_one_text(ordered, joint))] for ordered in _orders(value)]


def _orders(value: Any) -> list[Any]:
    """An object with its properties in every order, none of which counts; any other value is
    itself.
    """
    if is_mapping(value) and len(value) <= MOST_ORDERED:
        return [*map(dict, permutations(value.items()))]
    return [value]


def _deep_pairs(name: str, value: Any) -> list[Pair]:
    """The fields of a deep object: `name[key][0]=value`."""
    if is_mapping(value):
        members = [*value.items()]
    elif is_list(value):
        members = [(str(number), item) for number, item in enumerate(value)]
    else:
        return [(name, text(value))]
    pairs: list[Pair] = []
    for key, member in members:
        pairs += _deep_pairs(f"{name}[{key}]", member)
    return pairs


def parameter_pairs(parameter: Parameter, value: Any) -> list[list[Pair]]:
    """The pairs of a query, of the headers or of the cookies for one value, in every way to write
    it.
    """
    location = parameter.location
    name = parameter.name.lower() if location == "header" else parameter.name
    ways = [[(name, text)] for text in values(parameter, value)]
    if parameter.content_type is not None or location == "header":
        return ways
    style = "form" if location == "cookie" else parameter.style
    pairs = query_pairs(name, value, style, explode=parameter.explode)
    return [*pairs, *ways] if location == "cookie" else pairs


def values(parameter: Parameter, value: Any) -> list[str]:
    """A value in a path, a header or a cookie, as one text, in every order of the properties of an
    object.
    """
    if parameter.content_type is not None:
        return [json.dumps(value) if is_json(parameter.content_type) else text(value)]
    return [_value(parameter, each) for each in _orders(value)]


def _value(parameter: Parameter, value: Any) -> str:
    """A value in the style of a parameter that is written as one text."""
    pairs: list[str] = []
    if is_mapping(value) and parameter.explode:
        pairs = [f"{key}={text(member)}" for key, member in value.items()]
    if parameter.style == "label":
        return "." + (".".join(pairs) or _as_one_text(value, "." if parameter.explode else ","))
    if parameter.style != "matrix":
        return ",".join(pairs) or _as_one_text(value)
    if is_list(value) and parameter.explode:
        pairs = [f"{parameter.name}={text(item)}" for item in value]
        return "".join(f";{pair}" for pair in pairs)
    return f";{';'.join(pairs) or f'{parameter.name}={_as_one_text(value)}'}"


def same_text(one: str, other: str) -> bool:
    """Whether two texts are equal, or the same moment, or the same JSON."""
    if one == other:
        return True
    for read in (_moment, _structure):
        value = read(one)
        if value is not None and value == read(other):
            return True
    return False


def _structure(value: str) -> Any:
    """The object or the list that a text is in JSON; None for any other text."""
    if not value.startswith(("{", "[")):
        return None
    try:
        return json.loads(value)
    except ValueError:
        return None


def _moment(value: str) -> datetime.datetime | None:
    """The time that a text is, in UTC without a zone; None for one that is no time, or a day
    alone.
    """
    if len(value) <= len("2026-03-04"):
        return None
    try:
        moment = datetime.datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.replace(tzinfo=datetime.UTC) if moment.tzinfo is None else moment


def difference(expected: Any, actual: Any, where: str = "") -> str | None:
    """The first place where two JSON values differ; null in an object is the same as absent."""
    for step, one, other in _members(expected, actual):
        why = difference(one, other, where + step)
        if why is not None:
            return why
    if _is_equal(expected, actual):
        return None
    return f"{where.lstrip('.') or 'it'} is {short(actual)} instead of {short(expected)}"


def _members(expected: Any, actual: Any) -> Iterator[tuple[str, Any, Any]]:
    """The members of two objects, or of two lists of one length, each with its step."""
    if is_mapping(expected) and is_mapping(actual):
        for name in dict.fromkeys([*expected, *actual]):
            yield f".{name}", expected.get(name), actual.get(name)
    elif is_list(expected) and is_list(actual) and len(expected) == len(actual):
        for number, (one, other) in enumerate(zip(expected, actual, strict=True)):
            yield f"[{number}]", one, other


def _is_equal(expected: Any, actual: Any) -> bool:
    """Whether two values are equal, apart from their members."""
    if is_mapping(expected) and is_mapping(actual):
        return True
    if is_list(expected) and is_list(actual):
        return len(expected) == len(actual)
    if isinstance(expected, str) and isinstance(actual, str) and _moment(expected):
        return same_text(expected, actual)
    if isinstance(actual, Decimal):
        actual = float(actual)
    return expected == actual and isinstance(expected, bool) == isinstance(actual, bool)


def short(value: Any) -> str:
    """A value as text, at most 80 characters of it."""
    if isinstance(value, bytes):
        shown = repr(value)
    else:
        shown = json.dumps(value, ensure_ascii=False, default=repr)
    return shown if len(shown) <= 80 else shown[:77] + "..."


FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


def body_differences(medium: Medium, value: Any, request: Request) -> Iterator[tuple[str, str]]:
    """How the body of a request differs from a value in a content type, and the field of a form."""
    if medium.bare == FORM:
        yield from _form_differences(medium, value, request)
    elif medium.bare == MULTIPART:
        yield from _multipart_differences(medium, value, request)
    else:
        why = _difference(medium, value, request)
        if why is not None:
            yield why, ""


def _difference(medium: Medium, value: Any, request: Request) -> str | None:
    """How a body that is no form differs from a value; None when it does not."""
    is_any = medium.bare in ("*/*", "application/*")
    if medium.is_json or (is_any and "json" in request.content_type):
        try:
            sent = json.loads(request.body)
        except ValueError:
            return f"the body is not JSON: {short(request.body)}"
        return difference(value, sent)
    expected = value if isinstance(value, bytes) else text(value).encode()
    if request.body == expected:
        return None
    return f"the body is {short(request.body)} instead of {short(expected)}"


def take(rest: list[Pair], ways: list[list[Pair]]) -> bool:
    """Remove the pairs of the first way that is there, in its order; False when none is."""
    for way in ways:
        places = _places(rest, way)
        names = {name for name, _ in way}
        # Pairs of different names may stand in any order.
        if places is not None and (places == sorted(places) or len(names) == len(way)):
            rest[:] = [pair for place, pair in enumerate(rest) if place not in places]
            return True
    return False


def _places(pairs: list[Pair], way: list[Pair]) -> list[int] | None:
    """Where the pairs of a way are, each at a place of its own; None when one is missing."""
    places: list[int] = []
    for name, value in way:
        for place, (sent_name, sent) in enumerate(pairs):
            if place not in places and sent_name == name and same_text(value, sent):
                places.append(place)
                break
        else:
            return None
    return places


def mismatch(rest: list[Pair], name: str, ways: list[list[Pair]]) -> str:
    """Remove the pairs of a name, and say how they differ from each of the ways; "" when they do
    not.
    """
    if take(rest, ways):
        return ""
    root, _, _ = name.partition("[")
    sent = [pair for pair in rest if pair[0].partition("[")[0] == root]
    rest[:] = [pair for pair in rest if pair not in sent]
    return f"is sent as {shown(sent)} instead of {shown(ways[0])}"


def _form_differences(medium: Medium, value: Any, request: Request) -> Iterator[tuple[str, str]]:
    """How an url-encoded form differs from an object, and in which field."""
    form = request.body.decode("utf-8", "replace")
    rest = parse_qsl(form, keep_blank_values=True)
    fields: dict[str, Any] = value if is_mapping(value) else {}
    for name, field in fields.items():
        if field is None:
            continue
        why = mismatch(rest, name, _field_ways(medium, name, field))
        if why:
            yield f"the field {name} {why}", name
    if rest:
        yield f"the form has {shown(rest)}, which the document does not declare", ""


def _field_ways(medium: Medium, name: str, value: Any) -> list[list[Pair]]:
    """The ways to write the field of a form."""
    encoding = _encoding(medium, name)
    is_styled = not encoding.keys().isdisjoint(("style", "explode", "allowReserved"))
    if is_mapping(value) and not is_styled:
        return [[(name, text(value))]]
    style = str(encoding.get("style", "form"))
    is_exploded = bool(encoding.get("explode", style == "form"))
    return query_pairs(name, value, style, explode=is_exploded)


def _encoding(medium: Medium, name: str) -> Tree:
    """How a field of a form is written; empty where the document does not say."""
    return medium.encoding[name].tree if name in medium.encoding else {}


def shown(pairs: list[Pair]) -> str:
    """Pairs as a message shows them."""
    return short("&".join(f"{name}={value}" for name, value in pairs)) if pairs else "nothing"


def _multipart_differences(
    medium: Medium, value: Any, request: Request
) -> Iterator[tuple[str, str]]:
    """How the parts of a form differ from an object, and in which field."""
    header = f"content-type: {request.content_type}\r\n\r\n"
    form = email.message_from_bytes(header.encode() + request.body)
    if not form.is_multipart():
        yield f"the content type {request.content_type} has no boundary", ""
        return
    rest = [*map(_part, cast("list[Any]", form.get_payload()))]
    for name, field in value.items() if is_mapping(value) else ():
        is_deep = _encoding(medium, name).get("style") == "deepObject"
        starts = (f"{name}[",) if is_deep else ()
        sent = [part for part in rest if part[0] == name or part[0].startswith(starts)]
        rest = [part for part in rest if part not in sent]
        if is_deep:
            differences = _deep_differences(medium, name, field, sent)
        else:
            differences = _parts_differences(name, field, [content for _, content in sent])
        for difference_ in differences:
            yield difference_, name
    if rest:
        name, _ = rest[0]
        yield f"the part {name} is sent, which the document does not declare", name


def _part(part: Any) -> tuple[str, bytes]:
    """The name and the content of a part of a form."""
    name = part.get_param("name", "", "content-disposition")
    return unquote_plus(str(name)), part.get_payload(decode=True)


def _deep_differences(
    medium: Medium, name: str, value: Any, sent: list[tuple[str, bytes]]
) -> Iterator[str]:
    """How the parts of a field differ from a deep object."""
    pairs = [(key, content.decode("utf-8", "replace")) for key, content in sent]
    ways = _field_ways(medium, name, value)
    if not take(pairs, ways) or pairs:
        yield f"the parts of {name} are not {shown(ways[0])}"


def _parts_differences(name: str, value: Any, sent: list[bytes]) -> Iterator[str]:
    """How the parts of a field, one for each item of a list, differ from its value."""
    wanted = value if is_list(value) else [value]
    if value is None:
        wanted = []
    if len(sent) != len(wanted):
        yield f"{name} is sent as {len(sent)} parts instead of {len(wanted)}"
        return
    for content, item in zip(sent, wanted, strict=True):
        is_same = content == item
        if not isinstance(item, bytes):
            is_same = same_text(text(item), content.decode("utf-8", "replace"))
        if not is_same:
            yield f"the part {name} is {short(content)} instead of {short(item)}"
