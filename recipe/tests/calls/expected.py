"""What a request should be, and how the one that was sent differs.

Sources: "Style Values" of the Parameter Object and the Encoding Object, OpenAPI 3.0.4 and 3.1.1.
What they leave undefined, the package refuses, but for deep objects: these nest by brackets, and
their lists have numbers. Values are compared after percent-decoding: `%2C` between the items of a
list is a comma.
"""

import datetime
import email
import json
import re
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote, unquote_plus

import httpx

from victor_spec.tree import is_json, is_list, is_mapping

from .operations import Medium, Style

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
JOINTS = {"spaceDelimited": " ", "pipeDelimited": "|"}


class Request:
    """A recorded request, decoded."""

    def __init__(self, request: httpx.Request):
        self.method = request.method.lower()
        self.headers = request.headers
        self.body = request.content
        self.content_type = self.headers.get("content-type", "")
        self.origin = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
        """Scheme, host and port."""
        raw, _, query = request.url.raw_path.decode("ascii").partition("?")
        self.path = [unquote(part) for part in raw.split("/")]
        """The segments, percent-decoded."""
        cookies = [
            each.strip().partition("=") for each in self.headers.get("cookie", "").split(";")
        ]
        self.fields = {
            "query": parse_qsl(query, keep_blank_values=True),
            "header": [*self.headers.items()],
            "cookie": [(name, value) for name, _, value in cookies if name],
        }


class Unordered(str):
    """An object as one text: its properties may have another order."""

    __slots__ = ()

    def parts(self):
        return sorted(re.split(r"[,;.| ]", self))


Fields = dict[str, list[Any]]
"""The texts that are sent under each name, in their order."""


def text(value):
    """A value as it is sent; a list or an object as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def joined(value, joint, assigned=""):
    """A value as one text: items joined, an object as `name,value,name,value`; or as
    `name=value,name=value`, where `assigned`.
    """
    if is_list(value):
        return joint.join(map(text, value))
    if is_mapping(value):
        pairs = [f"{name}{assigned or joint}{text(member)}" for name, member in value.items()]
        return Unordered(joint.join(pairs))
    return text(value)


def as_text(style: Style, value):
    """A value in a path or a header, as one text."""
    if style.content_type is not None:
        return json.dumps(value) if is_json(style.content_type) else text(value)
    assigned = "=" if style.explode else ""
    if style.name_of == "label":
        made = "." + joined(value, "." if style.explode else ",", assigned)
    elif style.name_of != "matrix":
        made = joined(value, ",", assigned)
    elif is_list(value) and style.explode:
        made = "".join(f";{style.name}={text(item)}" for item in value)
    elif is_mapping(value) and style.explode:
        made = ";" + joined(value, ";", "=")
    else:
        made = f";{style.name}={joined(value, ',')}"
    return Unordered(made) if is_mapping(value) else made


def fields(style: Style, value) -> Fields:
    """What a query, a form, a header or a cookie has of one value."""
    if style.content_type is not None or style.location == "header":
        name = style.name.lower() if style.location == "header" else style.name
        return {name: [as_text(style, value)]}
    if style.name_of == "deepObject" and (is_mapping(value) or is_list(value)):
        return dict(_deep_fields(style.name, value))
    if style.explode and is_list(value):
        return {style.name: [*map(text, value)]}
    if style.explode and is_mapping(value) and style.name_of in ("form", "cookie"):
        return {key: [*map(text, each if is_list(each) else [each])] for key, each in value.items()}
    return {style.name: [joined(value, JOINTS.get(style.name_of, ","))]}


def _deep_fields(name, value):
    """The fields of a deep object: `name[key][0]=value`."""
    members = enumerate(value) if is_list(value) else value.items() if is_mapping(value) else None
    if members is None:
        yield name, [text(value)]
    for key, member in members or ():
        yield from _deep_fields(f"{name}[{key}]", member)


def take(sent, wanted: Fields):
    """Remove the pairs of some names, and say how they differ from what is wanted; "" when they do
    not.
    """
    left = [*sent]
    for name, values in wanted.items():
        after = 0
        for value in values:
            places = [
                place
                for place, (sent_name, found) in enumerate(left)
                if sent_name == name and place >= after and same_text(value, found)
            ]
            if not places:
                own = [pair for pair in sent if pair[0] in wanted]
                sent[:] = [pair for pair in sent if pair[0] not in wanted]
                return f"is sent as {shown(own)} instead of {shown(_pairs(wanted))}"
            after = places[0]
            del left[after]
    sent[:] = left
    return ""


def _pairs(wanted: Fields):
    return [(name, value) for name, values in wanted.items() for value in values]


def shown(pairs):
    """Pairs as a message shows them."""
    return short("&".join(f"{name}={value}" for name, value in pairs)) if pairs else "nothing"


def same_text(one, other):
    """Whether two texts are equal, or the same moment, or the same JSON; or the same bytes."""
    if isinstance(one, bytes) or isinstance(other, bytes):
        return bool(one == other)
    if isinstance(one, Unordered) and one.parts() == Unordered(other).parts():
        return True
    return one == other or any(
        read(one) is not None and read(one) == read(other) for read in (_moment, _structure)
    )


def _structure(value):
    """The object or the list that a text is in JSON; None for any other text."""
    try:
        return json.loads(value) if value.startswith(("{", "[")) else None
    except ValueError:
        return None


def _moment(value):
    """The time that a text is, in UTC; None for one that is no time, or a day alone."""
    try:
        moment = datetime.datetime.fromisoformat(value)
    except ValueError:
        return None
    if len(value) <= len("2026-03-04"):
        return None
    return moment if moment.tzinfo is None else moment.astimezone(datetime.UTC).replace(tzinfo=None)


def difference(expected, actual, where=""):
    """The first place where two JSON values differ; null in an object is the same as absent."""
    steps = []
    if is_mapping(expected) and is_mapping(actual):
        names = dict.fromkeys([*expected, *actual])
        steps = [(f"{where}.{name}", expected.get(name), actual.get(name)) for name in names]
    elif is_list(expected) and is_list(actual) and len(expected) == len(actual):
        steps = [
            (f"{where}[{number}]", *pair)
            for number, pair in enumerate(zip(expected, actual, strict=True))
        ]
    elif not _is_equal(expected, actual):
        return f"{where.lstrip('.') or 'it'} is {short(actual)} instead of {short(expected)}"
    return next(filter(None, (difference(one, other, step) for step, one, other in steps)), None)


def _is_equal(expected, actual):
    if isinstance(expected, str) and isinstance(actual, str) and _moment(expected):
        return same_text(expected, actual)
    if isinstance(actual, Decimal):
        actual = float(actual)
    return expected == actual and isinstance(expected, bool) == isinstance(actual, bool)


def short(value):
    """A value as text, at most 80 characters of it."""
    is_raw = isinstance(value, bytes)
    whole = repr(value) if is_raw else json.dumps(value, ensure_ascii=False, default=repr)
    return whole if len(whole) <= 80 else whole[:77] + "..."


def body_differences(medium: Medium, value, request: Request):
    """How the body of a request differs from a value in a content type; and in which field of a
    form.
    """
    if medium.bare in (FORM, MULTIPART):
        yield from _form_differences(medium, value, request)
    elif medium.is_json or (
        medium.bare in ("*/*", "application/*") and is_json(request.content_type)
    ):
        try:
            why = difference(value, json.loads(request.body))
        except ValueError:
            why = f"the body is not JSON: {short(request.body)}"
        if why is not None:
            yield why, ""
    else:
        expected = value if isinstance(value, bytes) else text(value).encode()
        if request.body != expected:
            yield f"the body is {short(request.body)} instead of {short(expected)}", ""


def _form_differences(medium: Medium, value, request: Request):
    """How a form differs from an object, and in which field."""
    in_parts = medium.bare == MULTIPART
    sent: list[tuple[str, Any]]
    if in_parts:
        header = f"content-type: {request.content_type}\r\n\r\n"
        form = email.message_from_bytes(header.encode() + request.body)
        if not form.is_multipart():
            yield f"the content type {request.content_type} has no boundary", ""
            return
        sent = [*map(_part, form.get_payload())]
    else:
        sent = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    for name, field in value.items() if is_mapping(value) else ():
        why = take(sent, _of_field(medium, name, field, in_parts=in_parts))
        if why:
            yield f"the field {name} {why}", name
    if sent:
        what = f"the form has {shown(sent)}, which the document does not declare"
        yield what, sent[0][0]


def _part(part):
    """The name and the content of a part of a form."""
    name = unquote_plus(str(part.get_param("name", "", "content-disposition")))
    content = part.get_payload(decode=True)
    try:
        return name, content.decode()
    except UnicodeDecodeError:
        return name, content


def _of_field(medium: Medium, name, value, *, in_parts) -> Fields:
    """What a form has of a field."""
    encoding = medium.encoding[name].tree if name in medium.encoding else {}
    is_styled = not encoding.keys().isdisjoint(("style", "explode", "allowReserved"))
    named = str(encoding.get("style", "form"))
    if in_parts and named != "deepObject":
        items = value if is_list(value) else [value]
        return {name: [item if isinstance(item, bytes) else text(item) for item in items]}
    if is_mapping(value) and not is_styled:
        return {name: [text(value)]}
    explode = bool(encoding.get("explode", named == "form"))
    return fields(Style(name, "query", named, explode), value)
