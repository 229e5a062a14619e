"""Whether the request of every operation is what the document says."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import httpx

from victor_spec.tree import is_json, is_list, is_mapping

from .arguments import CallValues, OperationArguments
from .expected import (
    FORM,
    Pair,
    Request,
    body_differences,
    mismatch,
    parameter_pairs,
    same_text,
    shown,
    take,
    values,
)
from .operations import IGNORED_HEADERS, Medium, Parameter
from .package import NoArgumentError
from .schemas import BYTES, Node, Schemas, bare

TRICKY = "a b/c?d=e&f+g%h;é"
TEXTS = {"path": TRICKY, "query": TRICKY, "header": "text-1;a=b", "cookie": "text1"}


@dataclass
class OperationRequests(OperationArguments):
    def check_requests(self) -> None:
        """Call the operation with every argument, with the required ones, and with the document's
        examples.
        """
        for call in self._calls():
            self._compare(call)

    def least(self) -> dict[str, Any]:
        """The arguments of a call with no more than is required."""
        call = self._required()
        return self.arguments(call, self.body_options(call)[0])

    def _calls(self) -> Iterator[CallValues]:
        """The values of each call: every argument with every body, the required ones, and the
        examples.
        """
        media: list[Medium | None] = [*self.operation.bodies] or [None]
        for number in (0, 1):
            every = [(each, self._value(each, number)) for each in self.operation.parameters]
            for medium in media:
                for body in self._bodies_of(medium):
                    yield CallValues(every, medium, body)
        required = self._required()
        yield required
        yield from self._examples_of_parameters(required)
        yield from self._examples_of_bodies(required)

    def _required(self) -> CallValues:
        """The values that a call needs at least."""
        parameters = filter(self.is_required, self.operation.parameters)
        required = [(parameter, self._value(parameter, 0)) for parameter in parameters]
        needs_body = self.operation.body_required or self.probe.body in self.probe.function.required
        medium = self.operation.bodies[0] if self.operation.bodies and needs_body else None
        # a form without fields has no content type
        full = medium is not None and not medium.is_json
        return CallValues(required, medium, self._body(medium, full=full))

    def _examples_of_parameters(self, required: CallValues) -> Iterator[CallValues]:
        """For each example of a parameter: the required values, and the example."""
        for parameter in self.operation.parameters:
            others = [pair for pair in required.parameters if pair[0] is not parameter]
            for example in parameter.examples[:3]:
                is_empty = example in ("", [], {}, None)
                if not is_empty and self._is_valid(parameter.schema, example):
                    parameters = [*others, (parameter, example)]
                    yield CallValues(parameters, required.medium, required.body)

    def _examples_of_bodies(self, required: CallValues) -> Iterator[CallValues]:
        """For each example of a body: the required values, and the example."""
        for medium in self.operation.bodies:
            if not medium.is_json and medium.bare != FORM:
                continue
            for example in medium.examples[:3]:
                if self._is_valid(medium.schema, example):
                    yield CallValues(required.parameters, medium, example)

    def _is_valid(self, schema: Node, value: Any) -> bool:
        """Whether a value is one of a schema."""
        return self.schemas.is_valid(schema.tree, value, "sent")

    def _value(self, parameter: Parameter, number: int) -> Any:
        """A value of a parameter, which no other parameter of the operation has."""
        text = TEXTS[parameter.location] if parameter.content_type is None else "text"
        # so that a value in another's place is seen
        position = self.operation.parameters.index(parameter)
        maker = self.comparison.maker(
            "sent",
            *(parameter.place, number),
            text=f"{text}{position}",
            as_json=False,
            levels=1,
        )
        return bare(maker.of(parameter.schema, number))

    def _bodies_of(self, medium: Medium | None) -> Iterator[Any]:
        """Values of a body in a content type."""
        if medium is None or not self._has_values(medium):
            yield self._body(medium)
        else:
            options = _options_of(medium)
            yield from self.comparison.values(medium.schema, "sent", **options)

    def _body(self, medium: Medium | None, *, full: bool = True) -> Any:
        """A value of a body in a content type, with optional members where `full`."""
        if medium is None:
            return None
        if medium.bare.startswith("text/") and not medium.is_json:
            return "text"
        if not self._has_values(medium):
            return BYTES
        maker = self.comparison.maker("sent", medium.place, 0, **_options_of(medium))
        return maker.of(medium.schema, full=full)

    def _has_values(self, medium: Medium) -> bool:
        """Whether a body is made of a value, and is no text or file."""
        is_form = "form" in medium.bare or medium.bare == "*/*"
        return is_form or is_sent_as_json(medium, self.schemas)

    def _compare(self, call: CallValues) -> None:
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
        self._compare_awaited(request, self.arguments(call, arguments))

    def _refused(self, call: CallValues, error: ValueError) -> None:
        """Report a call that is refused; where it is a form with structures in it, try it without
        them, too.
        """
        medium = call.medium
        body: dict[str, Any] = call.body if is_mapping(call.body) else {}
        named = [name for name in body if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", str(error))]
        where = medium.place if medium is not None else self.operation.place
        self.missing(where, f"the call is refused: {error}", *named[:1])
        flat = {name: value for name, value in body.items() if not _is_nested(value)}
        if medium is not None and not medium.is_json and 0 < len(flat) < len(body):
            self._compare(CallValues(call.parameters, medium, flat))

    def _recorded(self, call: CallValues) -> tuple[Request, dict[str, Any]] | None:
        """The request, and the arguments of the body that made it; None when no body has the right
        content type.
        """
        for body in self.body_options(call):
            try:
                request = self.caller.request(self.probe.function, self.arguments(call, body))
            except TypeError:  # of a body whose type is for another content type
                if call.medium is None:
                    raise
                continue
            if call.medium is None or _same_type(call.medium, request):
                return request, body
        return None

    def _compare_address(self, call: CallValues, request: Request) -> None:
        """Compare the method, the server and the path."""
        operation = self.operation
        if request.method != operation.method:
            self.wrong(f"it is sent as {request.method.upper()}")
        server = httpx.URL(operation.server)
        if request.origin != f"{server.scheme}://{server.netloc.decode('ascii')}":
            self.wrong(f"it is sent to {request.origin}, its server is {operation.server}")
            return
        wanted = self._segments(call, server)
        if not _is_same_path(wanted, request.path):
            sent = [quote(segment, safe="") for segment in request.path]
            right = [quote(ways[0], safe="") for ways in wanted]
            self.wrong(f"its path is sent as {'/'.join(sent)} instead of {'/'.join(right)}")

    def _segments(self, call: CallValues, server: httpx.URL) -> list[list[str]]:
        """The segments of the path, each with the ways to write it."""
        ways: dict[str, list[str]] = {}
        for parameter, value in call.parameters:
            if parameter.location == "path":
                ways[f"{{{parameter.name}}}"] = values(parameter, value)
        segments = [[segment] for segment in server.path.rstrip("/").split("/")]
        _, *declared = urlsplit(self.operation.path).path.split("/")
        segments += [_ways_of_segment(segment, ways) for segment in declared]
        return segments

    def _compare_parameters(self, call: CallValues, request: Request) -> None:
        """Compare what the query, the headers and the cookies have."""
        rest = {location: [*pairs] for location, pairs in request.fields.items()}
        headers = [pair for pair in rest["header"] if pair[0] not in IGNORED_HEADERS]
        rest["header"] = headers
        if not take(rest["query"], [self._fixed_query()]):
            self.wrong(f"the query of its path is not sent: {shown(rest['query'])}")
        for parameter, value in call.parameters:
            if parameter.location not in rest or not self.sinks[parameter.place]:
                continue
            ways = parameter_pairs(parameter, self.value_with_arguments(parameter, value))
            why = mismatch(rest[parameter.location], parameter.name, ways)
            if why:
                self.verdict.wrong(parameter.place, f"it {why}")
        rest["header"] = [pair for pair in headers if pair[0] not in _ALWAYS]
        for location in ("query", "header"):
            left = rest[location]
            if left:
                what = f"the {location} has {shown(left)}, which the document does not declare"
                self.wrong(what)

    def _fixed_query(self) -> list[Pair]:
        """The query of the path, which tells operations apart, without parameters."""
        query = urlsplit(self.operation.path).query
        pairs = parse_qsl(query, keep_blank_values=True)
        return [pair for pair in pairs if "{" not in "".join(pair)]

    def _compare_body(self, call: CallValues, request: Request, arguments: dict[str, Any]) -> None:
        """Compare the body with the value that was given for it."""
        medium = call.medium
        if medium is None:
            if request.body:
                self.wrong("a body is sent, which the document does not declare")
            return
        if "body" in arguments and (medium.is_json or medium.bare == FORM):
            self.comparison.compare(medium.schema, call.body, arguments["body"])
        for why, field in body_differences(medium, call.body, request):
            words = [self.operation.title, field] if field else []
            self.verdict.wrong(medium.place, why, *words)

    def _compare_awaited(self, request: Request, arguments: dict[str, Any]) -> None:
        """Make the same call asynchronously, and compare the requests."""
        try:
            other = self.caller.request(self.probe.function, arguments, awaited=True)
        except Exception as error:  # noqa: BLE001 - whatever the package raises is a finding
            self.wrong(f"asyncio_detailed raises {type(error).__name__}: {error}")
            return
        if _comparable(request) != _comparable(other):
            self.wrong("asyncio_detailed sends another request than sync_detailed")


def _options_of(medium: Medium) -> dict[str, Any]:
    """How values are made of a content type."""
    return {} if medium.is_json else {"as_json": False, "levels": 2}


def is_sent_as_json(medium: Medium, schemas: Schemas) -> bool:
    """`*/*` and `application/*` are JSON when their schema is no text and no file."""
    if medium.is_json:
        return True
    if medium.bare not in ("*/*", "application/*"):
        return False
    shapes = schemas.shapes(medium.schema.tree)
    return not any(each.binary or each.types == ("string",) for each in shapes)


def _comparable(request: Request) -> tuple[Any, ...]:
    """What two requests of the same call must have in common."""
    body = request.body
    boundary = re.search(r"boundary=([^;]+)", request.content_type)
    if boundary:
        body = body.replace(boundary[1].strip('"').encode(), b"+")
    kind = request.content_type.partition(";")[0]
    headers = [pair for pair in request.headers.items() if pair[0] != "content-type"]
    query = request.fields["query"]
    return request.method, request.origin, request.path, query, kind, sorted(headers), body


_ALWAYS = {"user-agent", "accept-encoding", "host", "cookie"}
"""Headers that httpx sends by itself, and those of the cookies."""


def _is_nested(value: Any) -> bool:
    """Whether a value is an object, or a list of objects or lists."""
    if is_list(value):
        return any(is_mapping(item) or is_list(item) for item in value)
    return is_mapping(value)


def _ways_of_segment(segment: str, ways: dict[str, list[str]]) -> list[str]:
    """The ways to write a segment of a path with parameters in it."""
    parts = [ways.get(part, [part]) for part in re.split(r"({[^}]+})", segment)]
    return ["".join(texts) for texts in product(*parts)]


def _is_same_path(wanted: list[list[str]], sent: list[str]) -> bool:
    """Whether each segment is sent in one of the ways to write it."""
    if len(wanted) != len(sent):
        return False
    pairs = zip(wanted, sent, strict=True)
    return all(any(same_text(way, segment) for way in ways) for ways, segment in pairs)


def _same_type(medium: Medium, request: Request) -> bool:
    """Whether a request has the content type of a medium, or one in its range."""
    sent = request.content_type.partition(";")[0].strip().lower()
    kind, _, detail = medium.bare.partition("/")
    is_of_kind = sent.startswith(f"{kind}/")
    if medium.is_json and "*" in detail:  # `application/*+json`
        return is_of_kind and is_json(sent)
    if detail == "*" and is_of_kind:
        return True
    return kind == "*" or sent == medium.bare
