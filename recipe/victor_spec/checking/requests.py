"""Whether the request of every operation is what the document says."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import httpx

from victor_spec.tree import is_json, is_list, is_mapping

from .expected import (
    FORM,
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
from .passing import Given, Passing
from .values import BYTES, TRICKY, Synthesis, is_valid
from .views import Document

TEXTS = {"path": TRICKY, "query": TRICKY, "header": "text-1;a=b", "cookie": "text1"}


@dataclass
class OperationRequests(Passing):
    def check_requests(self) -> None:
        """Call the operation with every argument, with the required ones, and with the document's
        examples.
        """
        for given in self._calls():
            self._compare(given)

    def least(self) -> dict[str, Any]:
        """The arguments of a call with no more than is required."""
        given = self._required()
        return self.arguments(given, self.body_options(given)[0])

    def _calls(self) -> Iterator[Given]:
        media: list[Medium | None] = [*self.operation.bodies] or [None]
        for number in (0, 1):
            every = [(each, self._value(each, number)) for each in self.operation.parameters]
            for medium in media:
                yield Given(every, medium, self._body(medium, number))
        required = self._required()
        yield required
        yield from self._examples(required)

    def _required(self) -> Given:
        required = [
            (each, self._value(each, 0))
            for each in self.operation.parameters
            if self.is_required(each)
        ]
        needs_body = self.operation.body_required or self.probe.body in self.probe.function.required
        medium = self.operation.bodies[0] if self.operation.bodies and needs_body else None
        # a form without fields has no content type
        full = 0 if medium is not None and medium.is_json else 1
        return Given(required, medium, self._body(medium, 0, full=full))

    def _examples(self, required: Given) -> Iterator[Given]:
        for parameter in self.operation.parameters:
            for example in parameter.examples[:3]:
                if example not in ("", [], {}, None) and is_valid(
                    self.document, parameter.schema, example
                ):
                    others = [
                        (each, value)
                        for each, value in required.parameters
                        if each is not parameter
                    ]
                    yield Given([*others, (parameter, example)], required.medium, required.body)
        for medium in self.operation.bodies:
            for example in medium.examples[:3] if medium.is_json or medium.bare == FORM else ():
                if is_valid(self.document, medium.schema, example):
                    yield Given(required.parameters, medium, example)

    def _value(self, parameter: Parameter, number: int) -> Any:
        text = TEXTS[parameter.location] if parameter.content_type is None else "text"
        # so that a value in another's place is seen
        text += str(self.operation.parameters.index(parameter))
        return Synthesis(self.document, "sent", number, text).of(parameter.schema, full=1)

    def _body(self, medium: Medium | None, number: int, full: int = 2) -> Any:
        if medium is None:
            return None
        if medium.bare.startswith("text/") and not medium.is_json:
            return "text"
        if not (
            is_sent_as_json(medium, self.document) or "form" in medium.bare or medium.bare == "*/*"
        ):
            return BYTES
        return Synthesis(self.document, "sent", number, as_json=medium.is_json).of(
            medium.schema, full
        )

    def _compare(self, given: Given) -> None:
        try:
            sent = self._recorded(given)
        except NoArgumentError as error:
            where, _, what = str(error).partition(": ")
            self.missing(where, what)
            return
        except ValueError as error:  # nothing is sent wrong
            self._refused(given, error)
            return
        except Exception as error:  # noqa: BLE001 - whatever the package raises is a finding
            self.wrong(f"the call raises {type(error).__name__}: {error}")
            return
        if sent is None:
            assert given.medium is not None
            what = f"no type of the argument body is sent as {given.medium.bare}"
            self.missing(given.medium.place, what, given.medium.bare)
            return
        request, arguments = sent
        self._compare_address(given, request)
        self._compare_parameters(given, request)
        self._compare_body(given, request, arguments)
        self._compare_awaited(request, self.arguments(given, arguments))

    def _refused(self, given: Given, error: ValueError) -> None:
        """Report a call that is refused; where it is a form with structures in it, try it without
        them, too.
        """
        body: Any = given.body
        fields = [str(name) for name in body] if is_mapping(body) else []
        named = [
            name for name in fields if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", str(error))
        ]
        where = given.medium.place if given.medium is not None else self.operation.place
        self.missing(where, f"the call is refused: {error}", *named[:1])
        if (
            given.medium is not None
            and not given.medium.is_json
            and any(_is_nested(body[name]) for name in fields)
        ):
            flat = {name: body[name] for name in fields if not _is_nested(body[name])}
            self._compare(Given(given.parameters, given.medium, flat))

    def _recorded(self, given: Given) -> tuple[Request, dict[str, Any]] | None:
        """The request, and the arguments of the body that made it; None when no body has the right
        content type.
        """
        for body in self.body_options(given):
            try:
                request = self.caller.request(self.probe.function, self.arguments(given, body))
            except TypeError:  # of a body whose type is for another content type
                if given.medium is None:
                    raise
                continue
            if given.medium is None or _same_type(given.medium, request):
                return request, body
        return None

    def _compare_address(self, given: Given, request: Request) -> None:
        operation = self.operation
        if request.method != operation.method:
            self.wrong(f"it is sent as {request.method.upper()}")
        server = httpx.URL(operation.server)
        if request.origin != f"{server.scheme}://{server.netloc.decode('ascii')}":
            self.wrong(f"it is sent to {request.origin}, its server is {operation.server}")
            return
        ways = {
            f"{{{each.name}}}": values(each, value)
            for each, value in given.parameters
            if each.location == "path"
        }
        wanted = [[part] for part in server.path.rstrip("/").split("/")]
        wanted += [
            _filled(segment, ways) for segment in urlsplit(operation.path).path.split("/")[1:]
        ]
        same = len(wanted) == len(request.path) and all(
            any(same_text(way, sent) for way in options)
            for options, sent in zip(wanted, request.path, strict=True)
        )
        if not same:
            shown = "/".join(quote(segment, safe="") for segment in request.path)
            right = "/".join(quote(options[0], safe="") for options in wanted)
            self.wrong(f"its path is sent as {shown} instead of {right}")

    def _compare_parameters(self, given: Given, request: Request) -> None:
        """Compare what the query, the headers and the cookies have."""
        rest = {location: [*pairs] for location, pairs in request.fields.items()}
        rest["header"] = headers = [
            pair for pair in rest["header"] if pair[0] not in IGNORED_HEADERS
        ]
        # tells operations apart
        fixed = parse_qsl(urlsplit(self.operation.path).query, keep_blank_values=True)
        if not take(rest["query"], [[pair for pair in fixed if "{" not in "".join(pair)]]):
            self.wrong(f"the query of its path is not sent: {shown(rest['query'])}")
        for parameter, value in given.parameters:
            if parameter.location in rest and self.sinks[parameter.place]:
                ways = parameter_pairs(parameter, self.kept(parameter, value))
                if why := mismatch(rest[parameter.location], parameter.name, ways):
                    self.findings.wrong(parameter.place, f"it {why}")
        rest["header"] = [pair for pair in headers if pair[0] not in _ALWAYS]
        for location in ("query", "header"):
            if rest[location]:
                self.wrong(
                    f"the {location} has {shown(rest[location])}, which the document does not "
                    "declare"
                )

    def _compare_body(self, given: Given, request: Request, arguments: dict[str, Any]) -> None:
        medium = given.medium
        if medium is None:
            if request.body:
                self.wrong("a body is sent, which the document does not declare")
            return
        if "body" in arguments and (medium.is_json or medium.bare == FORM):
            self.models.compare(medium.schema, given.body, arguments["body"])
        for why, field in body_differences(medium, given.body, request):
            self.findings.wrong(
                medium.place, why, *([self.operation.title, field] if field else [])
            )

    def _compare_awaited(self, request: Request, arguments: dict[str, Any]) -> None:
        try:
            other = self.caller.request(self.probe.function, arguments, awaited=True)
        except Exception as error:  # noqa: BLE001 - whatever the package raises is a finding
            self.wrong(f"asyncio_detailed raises {type(error).__name__}: {error}")
            return
        if _comparable(request) != _comparable(other):
            self.wrong("asyncio_detailed sends another request than sync_detailed")


def is_sent_as_json(medium: Medium, document: Document) -> bool:
    """`*/*` and `application/*` are JSON when their schema is no text and no file."""
    views = document.views(medium.schema)
    return medium.is_json or (
        medium.bare in ("*/*", "application/*")
        and not any(view.binary or view.types == ("string",) for view in views)
    )


def _comparable(request: Request) -> tuple[Any, ...]:
    """What two requests of the same call must have in common."""
    boundary = re.search(r"boundary=([^;]+)", request.content_type)
    body = request.body.replace(boundary[1].strip('"').encode(), b"+") if boundary else request.body
    kind = request.content_type.partition(";")[0]
    sent = sorted(
        (name, value) for name, value in request.headers.items() if name != "content-type"
    )
    return request.method, request.origin, request.path, request.fields["query"], kind, sent, body


_ALWAYS = {"user-agent", "accept-encoding", "host", "cookie"}
"""Headers that httpx sends by itself, and those of the cookies."""


def _is_nested(value: Any) -> bool:
    return is_mapping(value) or (
        is_list(value) and any(is_mapping(each) or is_list(each) for each in value)
    )


def _filled(segment: str, ways: dict[str, list[str]]) -> list[str]:
    parts = [ways.get(part, [part]) for part in re.split(r"({[^}]+})", segment)]
    return ["".join(texts) for texts in product(*parts)]


def _same_type(medium: Medium, request: Request) -> bool:
    sent = request.content_type.partition(";")[0].strip().lower()
    kind, _, detail = medium.bare.partition("/")
    if medium.is_json and "*" in detail:  # `application/*+json`
        return sent.startswith(f"{kind}/") and is_json(sent)
    return kind == "*" or (detail == "*" and sent.startswith(f"{kind}/")) or sent == medium.bare
