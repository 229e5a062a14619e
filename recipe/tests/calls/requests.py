"""Whether the request of every operation is what the document says, and every documented answer is
read without loss.

To find which argument goes where, each one is given a text of its own, which is looked for in the
request.
"""

import contextlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from victor_spec.tree import has_no_body, is_json, is_mapping

from .comparison import Comparison
from .expected import (
    MULTIPART,
    Request,
    Unordered,
    as_text,
    body_difference,
    difference,
    fields,
    grouped,
    is_same_text,
    short,
    shown,
    take,
)
from .operations import IGNORED_HEADERS, Medium, Operation, Parameter
from .package import BASE, Function, Package, built
from .schemas import BYTES, bare

Arguments = dict[str, Any]
TRICKY = "a b/c?d=e&f+g%h;é"
TEXTS = {"path": TRICKY, "query": TRICKY, "header": "text-1;a=b", "cookie": "text1"}
_ALWAYS = {*IGNORED_HEADERS, "user-agent", "accept-encoding", "host", "cookie"}
"""Headers that httpx sends by itself, and those of the cookies."""


class Probe:
    """A function, and where its arguments go; nowhere, when the call is refused."""

    def __init__(self, function: Function, package: Package):
        self.function = function
        hints = function.hints
        self.selector = "content_type" if "content_type" in hints else None
        """The argument that chooses the content type of the body."""
        markers = {f"~{number}~": name for number, name in enumerate(hints)}
        arguments = {name: marker for marker, name in markers.items() if name != self.selector}
        self.places = {}
        """The arguments by place and name in the request."""
        # a form takes no text; a call that is refused is reported with the values of the document
        for own in ({}, {"body": {}} if "body" in hints else {}):
            with contextlib.suppress(Exception):
                request = package.request(function, arguments | own)
                for location, sent in request.fields.items():
                    for name, texts in sent.items():
                        if texts[0] in markers:
                            self.places[location, name] = markers[texts[0]]
                break
        self.in_path = re.findall(r"{([^{}]+)}", function.path)
        """The arguments in the path, in order."""
        is_parameter = "body" in (*self.in_path, *self.places.values())
        self.body = "body" if "body" in hints and not is_parameter else None
        """The argument of the body; None when there is none, or when a parameter has its name."""


def letters(name):
    """A name in small letters and digits, to compare it with another spelling."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


@dataclass
class Call:
    """The values of one call: those of its parameters, and that of its body in a content type."""

    parameters: list[tuple[Parameter, Any]]
    medium: Medium | None = None
    body: Any = None


class OperationCalls:
    """The calls of one operation. Reports the parameters that have no argument."""

    def __init__(self, operation: Operation, probe: Probe, comparison: Comparison):
        self.operation = operation
        self.probe = probe
        self.comparison = comparison
        self.package = comparison.package
        self.function = probe.function
        names = re.findall(r"{([^{}]+)}", operation.path)
        self._in_path = dict(zip(names, probe.in_path, strict=False))
        self.sinks = {each.schema.place: self._sink(each) for each in operation.parameters}
        """By place, the argument of a parameter, under None; or those of its properties, if it is
        taken apart.
        """

    def wrong(self, what, place=None):
        self.comparison.verdict.add(
            "wrong", place or self.operation.place, what, self.operation.title
        )

    def missing(self, place, what):
        """Report a part of the operation that the package lacks."""
        self.comparison.verdict.add("missing", place, what, self.operation.title)

    # ---- Arguments ----

    def _sink(self, parameter: Parameter) -> dict[str | None, str]:
        """The argument of a parameter, or those of its properties; reports what has none."""
        location, name = parameter.location, parameter.name
        wire = name.lower() if location == "header" else name
        places = self.probe.places
        whole = self._in_path.get(name) if location == "path" else places.get((location, wire))
        if whole is not None:
            return {None: whole}
        is_deep = parameter.style == "deepObject"
        sink = {}
        for each in self.comparison.schemas.alternatives(parameter.schema.tree)[0].properties:
            wire = f"{name}[{each}]" if is_deep else each
            if (location, wire) in places:
                sink[each] = places[location, wire]
        if not sink:
            self.missing(parameter.schema.place, "no argument of the function sends it")
        return sink

    def arguments(self, call: Call, body: Arguments) -> Arguments:
        """The arguments of a call. Raises ValueError, which names the parameter."""
        arguments = {}
        for parameter, value in call.parameters:
            for name, argument in self.sinks[parameter.schema.place].items():
                if name is None or (is_mapping(value) and name in value):
                    own = value if name is None else value[name]
                    values = built(self.function.hints[argument], bare(own))
                    if not values:
                        what = f"the type of its argument cannot hold {short(own)}"
                        raise ValueError(f"{parameter.name}: {what}")
                    arguments[argument] = values[0]
                    self.comparison.compare(parameter.schema.place, own, values[0])
        for name in self.function.required - {self.probe.body} - arguments.keys():
            arguments[name] = "text"  # of a parameter that must be ignored, or another operation
        return {**arguments, **body}

    def _bodies(self, call: Call) -> list[Arguments]:
        """The ways to pass a body, the best first."""
        medium, selector = call.medium, self.probe.selector
        if medium is None or self.probe.body is None:
            return [{}]
        body = bare(call.body)
        values = [body, body.encode()] if isinstance(body, str) else [body]
        bodies = [each for value in values for each in built(self.function.hints["body"], value)]
        is_multipart = medium.bare.startswith("multipart/")
        # a file, which has a content type, comes before bytes
        bodies.sort(key=lambda each: is_multipart and isinstance(each, bytes))
        for each in bodies:
            if is_multipart and type(each).__name__ == "File":
                # the caller writes the parts, and what is between them
                each.mime_type = f"{medium.content_type}; boundary=between"
        chosen = {} if selector is None else {selector: medium.content_type}
        return [{"body": each, **chosen} for each in bodies]

    # ---- Requests ----

    def check_requests(self):
        """Call the operation with every argument and every body, and with the required ones."""
        for number in (0, 1):
            every = [(each, self._value(each, number)) for each in self.operation.parameters]
            for medium in self.operation.bodies or [None]:
                for body in self._values_of(medium):
                    self._check(Call(every, medium, body))
        self._check(self.required)

    @cached_property
    def required(self) -> Call:
        """The values that a call needs at least."""
        needed = [each for each in self.operation.parameters if each.required]
        parameters = [(each, self._value(each, 0)) for each in needed]
        needs_body = self.operation.body_required or self.probe.body in self.function.required
        if not needs_body or not self.operation.bodies:
            return Call(parameters)
        medium = self.operation.bodies[0]
        *_, body = list(self._values_of(medium))[:2]  # in JSON, the second has what is required
        return Call(parameters, medium, body)

    def _value(self, parameter: Parameter, number):
        """A value of a parameter, which no other parameter of the operation has, so that a value in
        another's place is seen.
        """
        text = f"{TEXTS[parameter.location]}{self.operation.parameters.index(parameter)}"
        made = {"text": text, "as_json": False, "levels": 1}
        return self.comparison.maker(parameter.schema.place, number, **made).of(
            parameter.schema, number
        )

    def _values_of(self, medium: Medium | None):
        """Values of a body in a content type."""
        if medium is None:
            yield None
        elif "form" in medium.bare or self._is_sent_as_json(medium):
            options = {} if medium.is_json else {"as_json": False, "levels": 2}
            yield from self.comparison.values(medium.schema, **options)
        else:
            yield "text" if medium.bare.startswith("text/") else BYTES

    def _is_sent_as_json(self, medium: Medium):
        """`*/*` and `application/*` are JSON when their schema is no text and no file."""
        if medium.is_json or medium.bare not in ("*/*", "application/*"):
            return medium.is_json
        every = self.comparison.schemas.alternatives(medium.schema.tree)
        return not any(each.is_file or each.types == ["string"] for each in every)

    def _check(self, call: Call):
        """Make a call, and report how its request differs from the document."""
        place = self.operation.place if call.medium is None else call.medium.schema.place
        try:
            request, body = self._sent(call)
            again = self.function, self.arguments(call, body)
            other = self.package.request(*again, "asyncio_detailed")
        except ValueError as error:  # nothing is sent wrong
            self.missing(place, f"the call is refused: {error}")
        except Exception as error:  # noqa: BLE001 - whatever the package raises is a finding
            self.wrong(f"the call raises {type(error).__name__}: {error}")
        else:
            if _comparable(request) != _comparable(other):
                self.wrong("asyncio_detailed sends another request than sync_detailed")
            self._compare_path(call, request)
            self._compare_fields(call, request)
            self._compare_body(call, request, body)

    def _sent(self, call: Call) -> tuple[Request, Arguments]:
        """The request, and the arguments of the body that made it, which has the right content
        type. Raises ValueError when none has.
        """
        for body in self._bodies(call):
            try:
                request = self.package.request(self.function, self.arguments(call, body))
            except TypeError:  # of a body whose type is for another content type
                if call.medium is None:
                    raise
                continue
            if call.medium is None or _is_of(call.medium, request):
                return request, body
        raise ValueError("no type of the argument body is sent as this content type")

    def _compare_path(self, call: Call, request: Request):
        """Compare the method, the server and the path."""
        if request.method != self.operation.method:
            self.wrong(f"it is sent as {request.method.upper()}")
        if not request.url.startswith(f"{BASE}/"):
            self.wrong(f"it is sent to {request.url}, its server is {BASE}")
        values = {
            f"{{{parameter.name}}}": as_text(parameter, value)
            for parameter, value in call.parameters
            if parameter.location == "path"
        }
        wanted = ["", "base"]
        for segment in urlsplit(self.operation.path).path.split("/")[1:]:
            parts = [values.get(part, part) for part in re.split(r"({[^}]+})", segment)]
            is_ordered = not any(isinstance(part, Unordered) for part in parts)
            wanted.append("".join(parts) if is_ordered else Unordered("".join(parts)))
        is_same = len(wanted) == len(request.path) and all(map(is_same_text, wanted, request.path))
        if not is_same:
            self.wrong(f"its path is sent as {request.path} instead of {wanted}")

    def _compare_fields(self, call: Call, request: Request):
        """Compare what the query, the headers and the cookies have."""
        rest = {location: {**sent} for location, sent in request.fields.items()}
        # the query of the path, which tells operations apart
        query = urlsplit(self.operation.path).query
        if take(rest["query"], grouped(parse_qsl(query, keep_blank_values=True))):
            self.wrong(f"the query of its path is not sent: {shown(request.fields['query'])}")
        for parameter, value in call.parameters:
            sink = self.sinks[parameter.schema.place]
            if parameter.location == "path" or not sink:
                continue
            own = value
            if None not in sink and is_mapping(value):
                own = {name: each for name, each in value.items() if name in sink}
            why = take(rest[parameter.location], fields(parameter, own))
            if why:
                self.wrong(f"it {why}", parameter.schema.place)
        for location in ("query", "header"):
            left = {name: each for name, each in rest[location].items() if name not in _ALWAYS}
            if left:
                self.wrong(f"the {location} has {shown(left)}, which the document does not declare")

    def _compare_body(self, call: Call, request: Request, body: Arguments):
        """Compare the body with the value that was given for it."""
        medium = call.medium
        if medium is None:
            if request.body:
                self.wrong("a body is sent, which the document does not declare")
            return
        if "body" in body and medium.bare != MULTIPART:
            self.comparison.compare(medium.schema.place, call.body, body["body"])
        why = body_difference(medium, call.body, request)
        if why:
            self.wrong(why, medium.schema.place)

    # ---- Answers ----

    def check_answers(self):
        """Feed every documented answer to both functions, if a request can be sent with the least
        arguments.
        """
        try:
            _, body = self._sent(self.required)
            self.least = self.arguments(self.required, body)
        except Exception:  # noqa: BLE001 - the check of the requests has reported it
            return
        for answer in self.operation.answers:
            status = self._status(answer.status)
            if has_no_body(self.operation.method, str(status)) or not answer.media:
                self._read(answer.place, (status, "", b""), None)
                continue
            for medium in answer.media:
                # it may be read as the class of another content type
                is_only = len(answer.media) == 1
                self._check_answer(status, medium, is_only=is_only)

    def _status(self, status):
        """A status of a range, or of `default`, that no other answer of the operation documents."""
        documented = {answer.status.upper() for answer in self.operation.answers}
        free = [each for each in ("5XX", "4XX", "2XX") if each not in documented]
        own = [*free, "5XX"][0] if status == "default" else status.upper()
        return int(own.replace("XX", "99"))

    def _check_answer(self, status, medium: Medium, *, is_only):
        """Feed values of one content type, and compare what is read."""
        place = medium.schema.place
        if not self._is_sent_as_json(medium):
            kind = medium.bare.replace("*", "x")
            content = b"plain text" if kind.startswith("text/") else BYTES
            self._read(place, (status, kind, content), content)
            return
        kind = "application/json" if "*" in medium.content_type else medium.content_type
        for value in self.comparison.values(medium.schema):
            answer = (status, kind, json.dumps(value).encode())
            parsed = self._read(place, answer, value)
            if is_only:
                self.comparison.compare(place, value, parsed)

    def _read(self, place, answer, expected):
        """What the functions make of an answer; reports how that differs from a value, or from
        bytes.
        """
        parsed = None
        ways = ("asyncio_detailed", "sync_detailed", "sync")
        for way in [way for way in ways if hasattr(self.function.module, way)]:
            try:
                parsed = self.package.answer(self.function, self.least, answer, way)
                if isinstance(expected, bytes):
                    why = _raw_difference(expected, parsed)
                else:
                    why = difference(expected, self.package.plain(parsed))
            except Exception as error:  # noqa: BLE001 - whatever the package raises is a finding
                self.missing(place, f"{way} raises {type(error).__name__} for it: {error}")
                return None
            self.comparison.verdict.decoded += way != "sync"
            if why:
                self.wrong(f"{way} reads it otherwise: {why}", place)
                return None
        return parsed


def _comparable(request: Request):
    """What two requests of the same call must have in common."""
    boundary = re.search(r"boundary=([^;]+)", request.content_type)
    parts = request.method, request.url, request.headers.raw, request.body
    return repr(parts).replace(boundary[1] if boundary else "\0", "")


def _is_of(medium: Medium, request: Request):
    """Whether a request has the content type of a medium, or one in its range."""
    sent = request.content_type.partition(";")[0].strip().lower()
    kind, _, detail = medium.bare.partition("/")
    if sent == medium.bare or kind == "*":
        return True
    # of `application/*+json`, any JSON
    return "*" in detail and sent.startswith(f"{kind}/") and (is_json(sent) or detail == "*")


def _raw_difference(expected, parsed):
    """How a parsed text or file differs from the bytes that came; "" when it does not."""
    raw = getattr(parsed, "payload", parsed)
    raw = raw.read() if hasattr(raw, "read") else raw
    is_same = raw in (expected, expected.decode("utf-8", "backslashreplace"))
    return "" if is_same else f"the body is {short(parsed)}, not as it came"
