"""What the body of a request should be, by its content type (OpenAPI, Media Type Object and Encoding Object)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from victor_ext.spec.tree import is_list, is_mapping

from .expected_requests import Pair, as_json, difference, query_pairs, same_text, short, text
from .operations import Medium
from .recording import Request

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
            found = next((n for n, one in enumerate(left) if one[0] == name and same_text(value, one[1])), None)
            if found is None:
                break
            places.append(found)
            left[found] = ("", "\0")
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
            yield Difference(f"the field {name} is {_shown(sent)} instead of {_shown(ways[0])}", name)
    if rest:
        yield Difference(f"the form has {_shown(rest)}, which nobody asked for")


def _field_ways(medium: Medium, name: str, value: Any) -> list[list[Pair]]:
    encoding = medium.encoding[name].tree if name in medium.encoding else {}
    content_type = str(encoding.get("contentType", ""))
    style = str(encoding.get("style", "form"))
    ways = query_pairs(name, value, style, explode=bool(encoding.get("explode", style == "form")))
    if (is_mapping(value) and "style" not in encoding) or "json" in content_type:
        ways = [*ways, [(name, as_json(value))]]  # 3.0 says form, 3.1 says JSON, unless the document says more
    return ways


def _shown(pairs: list[Pair]) -> str:
    return short("&".join(f"{name}={value}" for name, value in pairs)) if pairs else "not there"


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
                yield Difference(f"the parts of {name} are not {_shown(ways[0])}", name)
            continue
        sent = [part for part in parts if part.name == name]
        parts = [part for part in parts if part.name != name]
        wanted = each if is_list(each) else [] if each is None else [each]
        if len(sent) != len(wanted):
            yield Difference(f"{name} is sent as {len(sent)} parts instead of {len(wanted)}", name)
            continue
        for part, one in zip(sent, wanted, strict=True):
            if not _same_part(part.content, one):
                yield Difference(f"the part {name} is {short(part.content)} instead of {short(one)}", name)
    if parts:
        yield Difference(f"the part {parts[0].name} is sent, which nobody asked for", parts[0].name)


def _is_of(part: _Part, name: str) -> bool:
    return part.name == name or part.name.startswith(f"{name}[")


def _same_part(sent: bytes, value: Any) -> bool:
    if isinstance(value, bytes):
        return sent == value
    written = sent.decode("utf-8", "replace")
    return same_text(as_json(value) if is_mapping(value) or is_list(value) else text(value), written)


def _parts(body: bytes, boundary: bytes) -> Iterator[_Part]:
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = re.search(rb'name="((?:[^"\\]|\\.)*)"', head)
        yield _Part(unquote_plus(name[1].decode("utf-8", "replace")) if name else "", content)
