"""Whether the request of every operation is what the document says, and every documented answer is
read without loss.

To find which argument goes where, each one is given a text of its own, which is looked for in the
request.
"""

import contextlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property, partial
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit
from uuid import UUID

import httpx

from victor_spec.tree import has_no_body, is_json, is_list, is_mapping

from .comparison import Comparison
from .expected import (
    FORM,
    Request,
    Unordered,
    as_text,
    body_differences,
    difference,
    fields,
    same_text,
    short,
    shown,
    take,
    text,
)
from .operations import IGNORED_HEADERS, Answer, Medium, Operation, Parameter
from .package import (
    Caller,
    Function,
    NoArgumentError,
    build,
    enum_values,
    is_model,
    misfit,
    options,
)
from .schemas import BYTES, Node, bare

Arguments = dict[str, Any]
TRICKY = "a b/c?d=e&f+g%h;é"
TEXTS = {"path": TRICKY, "query": TRICKY, "header": "text-1;a=b", "cookie": "text1"}
_ALWAYS = {"user-agent", "accept-encoding", "host", "cookie"}
"""Headers that httpx sends by itself, and those of the cookies."""


class Probe:
    """A function, and where its arguments go; `request` is None when the call is refused."""

    def __init__(self, function: Function, caller: Caller):
        self.function = function
        self.selector = "content_type" if "content_type" in function.hints else None
        """The argument that chooses the content type of the body."""
        names = [name for name in function.hints if name != self.selector]
        markers = {f"~{number}~": name for number, name in enumerate(names)}
        arguments = {}
        for marker, name in markers.items():
            hint = function.hints[name]
            arguments[name] = [*_built(hint, marker, [marker], {marker: marker}), marker][0]
        if "body" in arguments and (self.selector or _is_body(function.hints["body"])):
            arguments["body"] = [*_built(function.hints["body"], {}, b"", []), {}][0]
        self.request = None
        # a call that is refused is reported with the values of the document
        with contextlib.suppress(Exception):
            self.request = caller.request(function, arguments)
        self.in_path = re.findall(r"{([^{}]+)}", function.path)
        """The arguments in the path, in order."""
        self.sent = defaultdict(list)
        """The arguments by place and name in the request; `*` for a marker, `filter` for
        `filter[0][~1~]`.
        """
        for location, pairs in (self.request.fields if self.request else {}).items():
            for name, value in pairs:
                plain = re.sub(r"~\d+~", "*", re.sub(r"(\[0\])?(\[~.*)?$", "", name))
                passed = re.findall(r"~\d+~", name + value)
                self.sent[location, plain] += [markers[marker] for marker in passed]

    @property
    def body(self):
        """The argument of the body; None when there is none, or when a parameter has its name."""
        is_parameter = any("body" in each for each in (self.in_path, *self.sent.values()))
        return "body" if "body" in self.function.hints and not is_parameter else None

    def named(self, location, name):
        """The argument that has the name of a parameter."""
        wanted = {letters(name), letters(f"{name}_{location}")}
        return next((each for each in self.function.hints if letters(each) in wanted), None)


def letters(name):
    """A name in small letters and digits, to compare it with another spelling."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _built(hint, *values):
    """The first of some JSON values that a type holds, as its value; nothing when it holds none."""
    for value in values:
        with contextlib.suppress(NoArgumentError):
            return [build(hint, value)]
    return []


def _is_body(hint):
    """Whether an argument takes an object or a file, as no parameter but one of the name `body`
    does.
    """
    return any(is_model(each) or getattr(each, "__name__", "") == "File" for each in options(hint))


@dataclass
class Call:
    """The values of one call: those of its parameters, and that of its body in a content type."""

    parameters: list[tuple[Parameter, Any]]
    medium: Medium | None = None
    body: Any = None


@dataclass
class OperationCalls:
    """The calls of one operation. Reports the parameters and enum values that have no argument."""

    operation: Operation
    probe: Probe
    caller: Caller
    comparison: Comparison
    sinks: dict[str, dict[str | None, str]] = field(default_factory=dict)
    """By place, the argument of a parameter, under None; or those of its properties, if it is taken
    apart.
    """

    def __post_init__(self):
        self.schemas = self.comparison.schemas
        self.verdict = self.comparison.verdict
        self.function = self.probe.function
        names = re.findall(r"{([^{}]+)}", self.operation.path)
        self._in_path = dict(zip(names, self.probe.in_path, strict=False))
        for parameter in self.operation.parameters:
            self._find_sink(parameter)

    def wrong(self, what):
        """Report what is wrong with the operation as a whole."""
        self.verdict.wrong(self.operation.place, what)

    def missing(self, place, what, *words):
        """Report a part of the operation that the package lacks."""
        self.verdict.missing(place, what, self.operation.title, *words)

    # ---- Arguments ----

    def _find_sink(self, parameter: Parameter):
        """Find the argument of a parameter, or those of its properties; report what has none."""
        sink = self._argument_of_whole(parameter)
        parts = {None: parameter.schema}
        if not sink and parameter.location == "query" and parameter.style.is_flat:
            is_deep = parameter.style.name_of == "deepObject"
            for name, child in self.schemas.flat(parameter.schema.tree).properties.items():
                wire = f"{parameter.name}[{name}]" if is_deep else name
                parts[name] = Node(child, f"{parameter.place}.{name}")
                if self.probe.sent["query", wire]:
                    sink[name] = self.probe.sent["query", wire][0]
            if len(parts) > 1:
                del parts[None]
        self.sinks[parameter.place] = sink
        for part, schema in parts.items():
            if part not in sink:
                what = "no argument of the function sends it"
                self.missing(schema.place, what, part or parameter.name)
            elif not parameter.style.content_type:
                self._check_words(schema, sink[part])
        named = self.probe.named(parameter.location, parameter.name)
        if named is not None and named != sink.get(None, named):
            sent = [key for key, passed in self.probe.sent.items() if named in passed]
            own = [name for location, name in sent if location == parameter.location]
            if own and letters(named) not in map(letters, own):
                what = f"the argument {sink[None]} sends it, and not {named}"
                self.verdict.wrong(parameter.place, what)

    def _argument_of_whole(self, parameter: Parameter):
        """The argument of a parameter as a whole; none where it is taken apart, or is not sent."""
        location = parameter.location
        name = parameter.name.lower() if location == "header" else parameter.name
        named = self.probe.named(location, parameter.name)
        direct = self.probe.sent[location, name]
        if location == "path" and name in self._in_path:
            direct = [self._in_path[name]]
        if not direct and parameter.style.is_flat:
            exploded = self.probe.sent[location, "*"]
            direct = [named] if named in exploded else exploded
        if not direct and self.probe.request is None and named is not None:
            direct = [named]
        return {None: direct[0]} if direct else {}

    def _check_words(self, schema: Node, argument):
        """Every value of an enum is a member of an enum in the type of the argument."""
        known = enum_values(self.function.hints[argument])
        for each in self.schemas.alternatives(schema.tree):
            items = each.last("items")
            for owner in [each] if items is None else self.schemas.alternatives(items):
                self.comparison.lose_words(schema.place, owner.named_words, known)

    def arguments(self, call: Call, body: Arguments) -> Arguments:
        """The arguments of a call. Raises NoArgumentError, which names the parameter."""
        arguments = {}
        for parameter, value in call.parameters:
            for name, argument in self.sinks[parameter.place].items():
                if name is None or (is_mapping(value) and name in value):
                    own = value if name is None else value[name]
                    hint = self.function.hints[argument]
                    built = _built(hint, own, *[text(own)] * bool(parameter.style.content_type))
                    if not built:
                        what = f"the type of its argument cannot hold {short(own)}"
                        raise NoArgumentError(f"{parameter.place}: {what}")
                    arguments[argument] = built[0]
        for name in self.function.required - {self.probe.body} - arguments.keys():
            arguments[name] = "text"  # of a parameter that must be ignored, or another operation
        return {**arguments, **body}

    def body_options(self, call: Call) -> list[Arguments]:
        """The ways to pass a body: one for each type of the argument, the best first.

        Raises NoArgumentError when it needs one.
        """
        medium, selector = call.medium, self.probe.selector
        if medium is None or self.probe.body is None:
            return [{}]
        hints = self.function.hints
        in_parts = medium.bare.startswith("multipart/")
        body = bare(call.body)
        values = [body, body.encode()] if isinstance(body, str) else [body]
        built = [each for option in options(hints["body"]) for each in _built(option, *values)]
        for each in built:
            if in_parts and type(each).__name__ == "File":
                # the caller writes the parts, and what is between them
                each.mime_type = f"{medium.content_type}; boundary=between"
        # A file, which has a content type, comes before bytes.
        built.sort(key=lambda each: (in_parts and isinstance(each, bytes), *misfit(each)))
        chosen = {} if selector is None else {selector: medium.content_type}
        if selector is not None and medium.content_type not in enum_values(hints[selector]):
            built = []
        if not built and self.probe.body in self.function.required:
            what = f"the type of the argument body cannot hold {short(call.body)}"
            raise NoArgumentError(f"{medium.place}: {what}")
        return [{"body": each, **chosen} for each in built] or [{}]

    # ---- Requests ----

    def check_requests(self):
        """Call the operation with every argument, and with the required ones."""
        for call in self._calls():
            self._compare(call)

    def least(self) -> Arguments:
        """The arguments of a call with no more than is required."""
        call = self.required
        return self.arguments(call, self.body_options(call)[0])

    def _calls(self) -> Iterator[Call]:
        """The values of each call: every argument with every body, and the required ones."""
        media = [*self.operation.bodies]
        for number in (0, 1):
            every = [(each, self._value(each, number)) for each in self.operation.parameters]
            for medium in media or [None]:
                for body in self._bodies_of(medium):
                    yield Call(every, medium, body)
        yield self.required

    @cached_property
    def required(self) -> Call:
        """The values that a call needs at least."""
        parameters = [
            (each, self._value(each, 0)) for each in self.operation.parameters if each.required
        ]
        needs_body = self.operation.body_required or self.probe.body in self.function.required
        if not needs_body or not self.operation.bodies:
            return Call(parameters)
        medium = self.operation.bodies[0]
        if not self._has_values(medium):
            return Call(parameters, medium, next(self._bodies_of(medium)))
        maker = self.comparison.maker("sent", medium.place, 0, **_options_of(medium))
        # a form without fields has no content type
        return Call(parameters, medium, maker.of(medium.schema, full=not medium.is_json))

    def _value(self, parameter: Parameter, number):
        """A value of a parameter, which no other parameter of the operation has, so that a value in
        another's place is seen.
        """
        text = TEXTS[parameter.location] if parameter.style.content_type is None else "text"
        text += str(self.operation.parameters.index(parameter))
        made = {"text": text, "as_json": False, "levels": 1}
        maker = self.comparison.maker("sent", parameter.place, number, **made)
        return bare(maker.of(parameter.schema, number))

    def _bodies_of(self, medium: Medium | None):
        """Values of a body in a content type."""
        if medium is None:
            yield None
        elif self._has_values(medium):
            yield from self.comparison.values(medium.schema, "sent", **_options_of(medium))
        else:
            yield "text" if medium.bare.startswith("text/") else BYTES

    def _has_values(self, medium: Medium):
        """Whether a body is made of a value, and is no text or file."""
        return "form" in medium.bare or medium.bare == "*/*" or self._is_sent_as_json(medium)

    def _is_sent_as_json(self, medium: Medium):
        """`*/*` and `application/*` are JSON when their schema is no text and no file."""
        if medium.is_json or medium.bare not in ("*/*", "application/*"):
            return medium.is_json
        every = self.schemas.alternatives(medium.schema.tree)
        return not any(each.is_file or each.types == ["string"] for each in every)

    def _compare(self, call: Call):
        """Make a call, and report how its request differs from the document."""
        try:
            sent = self._recorded(call)
        except NoArgumentError as error:
            where, _, what = str(error).partition(": ")
            self.missing(where, what)
            return
        except ValueError as error:  # nothing is sent wrong
            self._refused(call, error)
            return
        except Exception as error:  # noqa: BLE001 - whatever the package raises is a finding
            self.wrong(f"the call raises {type(error).__name__}: {error}")
            return
        if sent is None:
            assert call.medium is not None
            what = f"no type of the argument body is sent as {call.medium.bare}"
            self.missing(call.medium.place, what, call.medium.bare)
            return
        request, arguments = sent
        self._compare_address(call, request)
        self._compare_parameters(call, request)
        self._compare_body(call, request, arguments)
        try:
            again = self.arguments(call, arguments)
            other = self.caller.request(self.function, again, "asyncio_detailed")
        except Exception as error:  # noqa: BLE001 - whatever the package raises is a finding
            self.wrong(f"asyncio_detailed raises {type(error).__name__}: {error}")
            return
        if _comparable(request) != _comparable(other):
            self.wrong("asyncio_detailed sends another request than sync_detailed")

    def _refused(self, call: Call, error):
        """Report a call that is refused, with the field that it names."""
        medium = call.medium
        body = call.body if is_mapping(call.body) else {}
        named = [name for name in body if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", str(error))]
        where = medium.place if medium is not None else self.operation.place
        self.missing(where, f"the call is refused: {error}", *named[:1])

    def _recorded(self, call: Call) -> tuple[Request, Arguments] | None:
        """The request, and the arguments of the body that made it; None when no body has the right
        content type.
        """
        for body in self.body_options(call):
            try:
                request = self.caller.request(self.function, self.arguments(call, body))
            except TypeError:  # of a body whose type is for another content type
                if call.medium is None:
                    raise
                continue
            if call.medium is None or _same_type(call.medium, request):
                return request, body
        return None

    def _compare_address(self, call: Call, request: Request):
        """Compare the method, the server and the path."""
        operation = self.operation
        if request.method != operation.method:
            self.wrong(f"it is sent as {request.method.upper()}")
        server = httpx.URL(operation.server)
        if request.origin != f"{server.scheme}://{server.netloc.decode('ascii')}":
            self.wrong(f"it is sent to {request.origin}, its server is {operation.server}")
            return
        values = {
            f"{{{parameter.name}}}": as_text(parameter.style, value)
            for parameter, value in call.parameters
            if parameter.location == "path"
        }
        wanted = server.path.rstrip("/").split("/")
        for segment in urlsplit(operation.path).path.split("/")[1:]:
            parts = [values.get(part, part) for part in re.split(r"({[^}]+})", segment)]
            is_ordered = not any(isinstance(part, Unordered) for part in parts)
            wanted.append("".join(parts) if is_ordered else Unordered("".join(parts)))
        is_same = len(wanted) == len(request.path) and all(map(same_text, wanted, request.path))
        if not is_same:
            sent, right = (
                "/".join(quote(s, safe="") for s in each) for each in (request.path, wanted)
            )
            self.wrong(f"its path is sent as {sent} instead of {right}")

    def _compare_parameters(self, call: Call, request: Request):
        """Compare what the query, the headers and the cookies have."""
        rest = {location: [*pairs] for location, pairs in request.fields.items()}
        rest["header"] = [pair for pair in rest["header"] if pair[0] not in IGNORED_HEADERS]
        # the query of the path, which tells operations apart
        fixed = defaultdict(list)
        for name, value in parse_qsl(urlsplit(self.operation.path).query, keep_blank_values=True):
            fixed[name].append(value)
        if take(rest["query"], fixed):
            self.wrong(f"the query of its path is not sent: {shown(request.fields['query'])}")
        for parameter, value in call.parameters:
            sink = self.sinks[parameter.place]
            if parameter.location not in rest or not sink:
                continue
            own = value
            if None not in sink and is_mapping(value):
                own = {name: each for name, each in value.items() if name in sink}
            why = take(rest[parameter.location], fields(parameter.style, own))
            if why:
                self.verdict.wrong(parameter.place, f"it {why}")
        rest["header"] = [pair for pair in rest["header"] if pair[0] not in _ALWAYS]
        for location in ("query", "header"):
            if rest[location]:
                what = f"the {location} has {shown(rest[location])}, which the document does not"
                self.wrong(f"{what} declare")

    def _compare_body(self, call: Call, request: Request, arguments: Arguments):
        """Compare the body with the value that was given for it."""
        medium = call.medium
        if medium is None:
            if request.body:
                self.wrong("a body is sent, which the document does not declare")
            return
        if "body" in arguments and (medium.is_json or medium.bare == FORM):
            self.comparison.compare(medium.schema, call.body, arguments["body"])
        for what, field_ in body_differences(medium, call.body, request):
            words = [self.operation.title, field_] if field_ else []
            self.verdict.wrong(medium.place, what, *words)

    # ---- Answers ----

    def check_answers(self):
        """Feed every documented answer to both functions, if a request can be sent with the least
        arguments.
        """
        try:
            self.caller.request(self.function, self.least())
        except Exception:  # noqa: BLE001 - the check of the requests has reported it
            return
        for answer in self.operation.answers:
            status = self._status(answer.status)
            has_none = has_no_body(self.operation.method, str(status))
            if has_none or not answer.media:
                differs = (lambda _: None) if has_none else _body_of_none
                self._read(answer.place, httpx.Response(status), differs, answer.status)
                continue
            for medium in answer.media:
                self._check_medium(answer, status, medium)

    def _status(self, status):
        """A status of a range, or of `default`, that no other answer of the operation documents."""
        if status.isdecimal():
            return int(status)
        documented = {answer.status.upper() for answer in self.operation.answers} - {status.upper()}
        codes = [500, 400, *range(401, 600), *range(200, 400)]
        for code in codes:
            is_own = status == "default" or code // 100 == int(status[0])
            is_other = str(code) in documented or f"{code // 100}XX" in documented
            if is_own and not is_other and not has_no_body("get", str(code)):
                return code
        return 599

    def _check_medium(self, answer: Answer, status, medium: Medium):
        """Feed values of one content type, and compare what is read."""
        # It may be read as the class of another content type.
        is_of_several = any(
            each.is_json and each.schema.tree != medium.schema.tree for each in answer.media
        )
        words = (answer.status, medium.bare) if len(answer.media) > 1 else (answer.status,)
        if not self._is_sent_as_json(medium):
            kind = medium.bare.replace("*", "x")
            content = b"plain text" if medium.bare.startswith("text/") else b"\x00\xffbytes"
            response = httpx.Response(status, content=content, headers={"content-type": kind})
            self._read(medium.place, response, partial(_raw_difference, content), *words)
            return
        values = [*self.comparison.values(medium.schema, "received")]
        kind = "application/json" if "*" in medium.content_type else medium.content_type
        for number, value in enumerate(values):
            content = json.dumps(value).encode()
            response = httpx.Response(status, content=content, headers={"content-type": kind})
            parsed = self._read(medium.place, response, partial(_difference, value), *words)
            if parsed is _FAILED:
                return
            if not is_of_several:
                self.comparison.compare(medium.schema, value, parsed)
            if number == 0 and hasattr(self.function.module, "sync"):
                returned = self.caller.answer(self.function, self.least(), response, "sync")
                if plain(returned) != plain(parsed):
                    self.verdict.wrong(medium.place, "sync reads it otherwise than sync_detailed")
                    return

    def _read(
        self,
        place,
        response: httpx.Response,
        differs,
        *words,
    ):
        """What both functions make of an answer; `_FAILED` where `differs` says how it is another
        one.
        """
        parsed = None
        for way in ("asyncio_detailed", "sync_detailed"):
            try:
                parsed = self.caller.answer(self.function, self.least(), response, way)
            except Exception as error:  # noqa: BLE001 - whatever the package raises is a finding
                self.missing(place, f"{way} raises {type(error).__name__} for it: {error}", *words)
                return _FAILED
            self.verdict.decoded += 1
            why = differs(parsed)
            if why and parsed is None:
                self.missing(place, "its body is not read: parsed is None", *words)
                return _FAILED
            if why:
                self.verdict.wrong(place, why)
                return _FAILED
        return parsed


_FAILED = object()


def _options_of(medium: Medium):
    """How values are made of a content type."""
    return {} if medium.is_json else {"as_json": False, "levels": 2}


def _comparable(request: Request):
    """What two requests of the same call must have in common."""
    body = request.body
    boundary = re.search(r"boundary=([^;]+)", request.content_type)
    if boundary:
        body = body.replace(boundary[1].strip('"').encode(), b"+")
    kind = request.content_type.partition(";")[0]
    headers = [pair for pair in request.headers.items() if pair[0] != "content-type"]
    query = request.fields["query"]
    return request.method, request.origin, request.path, query, kind, sorted(headers), body


def _same_type(medium: Medium, request: Request):
    """Whether a request has the content type of a medium, or one in its range."""
    sent = request.content_type.partition(";")[0].strip().lower()
    kind, _, detail = medium.bare.partition("/")
    is_of_kind = sent.startswith(f"{kind}/")
    if medium.is_json and "*" in detail:  # `application/*+json`
        return is_of_kind and is_json(sent)
    return kind == "*" or sent == medium.bare or (detail == "*" and is_of_kind)


def _body_of_none(parsed):
    """How the parsed value of an answer without a body is wrong; None when it is None."""
    return None if parsed is None else f"an answer without a body is read as {short(parsed)}"


def _difference(value, parsed):
    """How a parsed value differs from the JSON that was sent; None when it does not."""
    try:
        return difference(value, plain(parsed))
    except Exception as error:  # noqa: BLE001 - whatever the package raises is a finding
        return f"to_dict raises {type(error).__name__}: {error}"


def _raw_difference(content, parsed):
    """How a parsed text or file differs from the bytes that were sent; None when it does not."""
    raw = getattr(parsed, "payload", parsed)
    raw = raw.read() if hasattr(raw, "read") else raw
    is_same = raw in (content, content.decode("utf-8", "backslashreplace"))
    return None if is_same else f"the body is read as {short(parsed)}, not as it came"


def plain(value):
    """What a decoded value is in JSON."""
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if is_list(value):
        return [plain(item) for item in value]
    if is_mapping(value):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, UUID) else value
