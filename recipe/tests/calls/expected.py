"""What a request should be, and how the one that was sent differs.

Sources: "Style Values" of the Parameter Object and the Encoding Object, OpenAPI 3.0.4 and 3.1.1.
What they leave undefined, the package refuses, but for deep objects: these nest by brackets, and
their lists have numbers. Values are compared after percent-decoding: `%2C` between the items of a
list is a comma.
"""

import email
import json
import re
from collections import defaultdict
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote, unquote_plus

import httpx

from victor_spec.tree import is_json, is_list, is_mapping

from .operations import Medium, Parameter

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"

ABSENT = "no such member"
Fields = dict[str, list[Any]]
"""The texts that are sent under each name, in their order."""

JOINTS = {
    ("simple", True): ("", ",", "="),
    ("label", False): (".", ",", ","),
    ("label", True): (".", ".", "="),
    ("matrix", False): (";NAME=", ",", ","),
    ("matrix", True): (";", ";", "="),
    ("spaceDelimited", False): ("", " ", " "),
    ("pipeDelimited", False): ("", "|", "|"),
}
"""By style and `explode`: what is before a value, between the items of a list or the members of an
object, and between the name and the value of a member. The other styles have commas.
"""


class Unordered(str):
    """An object as one text: its properties may have another order."""

    __slots__ = ()


class Request:
    """A recorded request, decoded."""

    def __init__(self, request: httpx.Request):
        self.method = request.method.lower()
        self.url = str(request.url)
        self.headers = request.headers
        self.body = request.content
        self.content_type = self.headers.get("content-type", "")
        raw, _, query = request.url.raw_path.decode("ascii").partition("?")
        self.path = [unquote(part) for part in raw.split("/")]
        """The segments, percent-decoded."""
        cookies = [each.partition("=") for each in self.headers.get("cookie", "").split("; ")]
        self.fields = {
            "query": grouped(parse_qsl(query, keep_blank_values=True)),
            "header": grouped(self.headers.items()),
            "cookie": grouped((name, value) for name, _, value in cookies if name),
        }


def grouped(pairs) -> Fields:
    """The texts under each name."""
    found = defaultdict(list)
    for name, value in pairs:
        found[name].append(value)
    return dict(found)


def text(value):
    """A value as it is sent; a list or an object as JSON."""
    if isinstance(value, str | bytes):
        return value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def as_text(parameter: Parameter, value):
    """A value as one text."""
    way = parameter.style, parameter.explode
    before, joint, assigned = JOINTS.get(way, ("", ",", ","))
    if way == ("matrix", True) and not is_mapping(value):
        before = joint = ";NAME="
    before, joint = (each.replace("NAME", parameter.name) for each in (before, joint))
    if is_list(value):
        return before + joint.join(map(text, value))
    if is_mapping(value):
        pairs = [f"{name}{assigned}{text(each)}" for name, each in value.items()]
        return Unordered(before + joint.join(pairs))
    return before + text(value)


def fields(parameter: Parameter, value) -> Fields:
    """What a query, a form, a header or a cookie has of one value."""
    if parameter.location == "header":
        return {parameter.name.lower(): [as_text(parameter, value)]}
    if parameter.style == "deepObject":
        return dict(_deep_fields(parameter.name, value))
    if parameter.explode and is_list(value):
        return {parameter.name: [*map(text, value)]}
    if parameter.explode and is_mapping(value):
        return {key: [*map(text, each if is_list(each) else [each])] for key, each in value.items()}
    return {parameter.name: [as_text(parameter, value)]}


def _deep_fields(name, value):
    """The fields of a deep object: `name[key][0]=value`."""
    if is_list(value) or is_mapping(value):
        for key, member in enumerate(value) if is_list(value) else value.items():
            yield from _deep_fields(f"{name}[{key}]", member)
    else:
        yield name, [text(value)]


def take(sent: Fields, wanted: Fields):
    """Remove some fields, and say how they differ from what is wanted; "" when they do not."""
    own = {name: sent.pop(name) for name in wanted if name in sent}
    is_same = own.keys() == wanted.keys() and all(
        len(own[name]) == len(texts) and all(map(is_same_text, texts, own[name]))
        for name, texts in wanted.items()
    )
    return "" if is_same else f"is sent as {shown(own)} instead of {shown(wanted)}"


def shown(sent: Fields):
    """Fields as a message shows them."""
    pairs = [f"{name}={value}" for name, texts in sent.items() for value in texts]
    return short("&".join(pairs)) if pairs else "nothing"


def is_same_text(wanted, sent):
    """Whether two texts are equal, or the same JSON; or the same object in another order."""
    if isinstance(wanted, Unordered):
        return sorted(re.split(r"[,;.| ]", wanted)) == sorted(re.split(r"[,;.| ]", sent))
    if wanted[:1] in ("{", "[") and isinstance(sent, str):
        try:
            return json.loads(wanted) == json.loads(sent)
        except ValueError:
            pass
    return wanted == sent


def difference(expected, actual, where="it"):
    """The first place where two JSON values differ; "" where they do not."""
    steps = []
    if is_mapping(expected) and is_mapping(actual):
        steps = [
            (f"{where}.{name}", expected.get(name, ABSENT), actual.get(name, ABSENT))
            for name in expected | actual
        ]
    elif is_list(expected) and is_list(actual) and len(expected) == len(actual):
        steps = [(f"{where}[]", *pair) for pair in zip(expected, actual, strict=True)]
    else:
        number = float(actual) if isinstance(actual, Decimal) else actual
        if expected != number or isinstance(expected, bool) != isinstance(actual, bool):
            return f"{where} is {short(actual)} instead of {short(expected)}"
    return next(filter(None, (difference(one, other, step) for step, one, other in steps)), "")


def short(value):
    """A value as text, at most 80 characters of it."""
    whole = json.dumps(value, ensure_ascii=False, default=repr)
    return whole if len(whole) <= 80 else whole[:77] + "..."


def body_difference(medium: Medium, value, request: Request):
    """How the body of a request differs from a value in a content type; "" where it does not."""
    if medium.bare in (FORM, MULTIPART):
        return _form_difference(medium, value, request)
    if is_json(request.content_type):
        try:
            return difference(value, json.loads(request.body))
        except ValueError:
            return f"the body is not JSON: {short(request.body)}"
    expected = value if isinstance(value, bytes) else text(value).encode()
    is_same = request.body == expected
    return "" if is_same else f"the body is {short(request.body)} instead of {short(expected)}"


def _form_difference(medium: Medium, value, request: Request):
    """How a form differs from an object."""
    if medium.bare == FORM:
        pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    else:
        header = f"content-type: {request.content_type}\r\n\r\n"
        pairs = map(_part, email.message_from_bytes(header.encode() + request.body).get_payload())
    sent = grouped(pairs)
    for name, field in value.items() if is_mapping(value) else ():
        why = take(sent, _of_field(medium, name, field))
        if why:
            return f"the field {name} {why}"
    return f"the form has {shown(sent)}, which the document does not declare" if sent else ""


def _part(part):
    """The name and the content of a part of a form; a file has a name, too."""
    name = unquote_plus(str(part.get_param("name", "", "content-disposition")))
    content = part.get_payload(decode=True)
    return name, content if part.get_filename() else content.decode("utf-8", "backslashreplace")


def _of_field(medium: Medium, name, value) -> Fields:
    """What a form has of a field."""
    encoding = medium.encoding[name].tree if name in medium.encoding else {}
    kind = str(encoding.get("style", "form"))
    is_styled = medium.bare == FORM and not encoding.keys().isdisjoint(
        ("style", "explode", "allowReserved")
    )
    if is_styled or kind == "deepObject":
        explode = bool(encoding.get("explode", kind == "form"))
        return fields(Parameter(name, "query", kind, explode), value)
    return {name: [*map(text, value if is_list(value) else [value])]}
