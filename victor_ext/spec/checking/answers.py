"""Whether every documented answer is read without loss."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

import httpx

from victor_ext.spec.tree import is_list

from .expected import difference, short
from .models import Models
from .operations import Answer, Medium, Operation
from .package import Function, is_model
from .problems import Findings
from .recording import Caller
from .values import FREE, Synthesis, is_valid
from .views import Document

MAX_ALTERNATIVES = 12
"""Members of a union in one answer that are tried; models try all of theirs."""


@dataclass
class OperationAnswers:
    """The answers of one operation. `least` makes the arguments of a call."""

    document: Document
    operation: Operation
    function: Function
    least: Callable[[], dict[str, Any]]
    caller: Caller
    findings: Findings
    models: Models

    def __post_init__(self) -> None:
        self._synthesis = Synthesis(self.document, as_json=True)

    def check(self) -> None:
        """Feed every documented answer to the sync and the async function, unless no request can be sent at all."""
        try:
            self.caller.request(self.function, self.least())
        except Exception:  # noqa: BLE001 - the check of the requests has reported it
            for _ in self.operation.answers:
                self.findings.count("answers", present=False)
            return
        for answer in self.operation.answers:
            problems = len(self.findings.problems)
            status = self._status(answer.status)
            if answer.media and not self._has_no_body(status):
                for medium in answer.media:
                    self._medium(answer, status, medium)
            else:
                self._empty(answer, status)
            self.findings.count("answers", present=len(self.findings.problems) == problems)

    def _has_no_body(self, status: int) -> bool:
        """HTTP allows no body here, whatever the document says."""
        return self.operation.method == "head" or status < 200 or status in (204, 205, 304)

    def _status(self, status: str) -> int:
        """A status of a range, or of `default`, that no other answer of the operation documents."""
        if status.isdecimal():
            return int(status)
        documented = {each.status for each in self.operation.answers}
        ranges = {each[0] for each in documented if each[1:].upper() == "XX"}
        if status == "default":
            codes = [500, 400, *range(401, 600), *range(200, 400)]
            codes = [code for code in codes if str(code)[0] not in ranges and code not in (204, 205, 304)]
        else:
            first = int(status[0]) * 100
            codes = [code for code in range(first, first + 100) if code not in (204, 205, 304)]
        return next((code for code in codes if str(code) not in documented), codes[0] if codes else 599)

    # ---- One answer ----

    def _empty(self, answer: Answer, status: int) -> None:
        for awaited in (False, True):
            parsed = self._read(answer.place, httpx.Response(status), awaited=awaited)
            if parsed is _FAILED:
                return
            if parsed is not None and not self._has_no_body(status):
                self.findings.wrong(answer.place, f"an answer without a body is read as {short(parsed)}")

    def _medium(self, answer: Answer, status: int, medium: Medium) -> None:
        is_json, words = _is_json(medium, self.document), _words(answer, medium)
        for number, value in enumerate(self._values(medium)):
            response = _response(status, medium, value)
            parsed = self._read(medium.place, response, awaited=False, loss=words)
            if parsed is _FAILED or not self._compare(answer, medium, value, parsed, response.content):
                return
            other = self._read(medium.place, response, awaited=True, loss=words)
            if other is _FAILED:
                return
            same = is_json and plain(other) == plain(parsed)
            if not same and not self._compare(answer, medium, value, other, response.content):
                return
            if number == 0 and self.function.short is not None and is_json:
                returned = self.caller.read(self.function, self.least(), response)
                if plain(returned) != plain(parsed):
                    self.findings.wrong(medium.place, "sync reads it otherwise than sync_detailed")
                    return

    def _values(self, medium: Medium) -> Iterator[Any]:
        if not _is_json(medium, self.document):
            yield None
            return
        if not medium.has_schema:
            yield {**FREE, "list": [1, None, "x"]}
            return
        alternatives = len(self.document.views(medium.schema))
        for number in range(min(max(alternatives, 1), MAX_ALTERNATIVES)):
            yield self._synthesis.value(medium.schema, "received", number)
        yield from (each for each in medium.examples[:5] if is_valid(self.document, medium.schema, each))

    def _read(self, place: str, response: httpx.Response, *, awaited: bool, loss: tuple[str, ...] = ()) -> Any:
        try:
            parsed = self.caller.answer(self.function, self.least(), response, awaited=awaited)
        except Exception as error:  # noqa: BLE001 - whatever the package raises is a finding
            name = "asyncio_detailed" if awaited else "sync_detailed"
            what = f"{name} raises {type(error).__name__} for it: {error}"
            if type(error).__name__ == "UnexpectedStatus":
                status = place.rpartition(".responses.")[2].partition(".")[0]
                self.findings.missing(place, f"{name} does not know its status", self.operation.title, status)
            elif loss:
                self.findings.missing(place, what, self.operation.title, *loss)
            else:
                self.findings.wrong(place, what)
            return _FAILED
        self.findings.decoded += 1
        return parsed

    def _compare(self, answer: Answer, medium: Medium, value: Any, parsed: Any, content: bytes) -> bool:
        """Whether what was read is what was sent; reports it, if not."""
        if not _is_json(medium, self.document):
            why = None if _raw(parsed) == content else f"the body is read as {short(parsed)}, not as it came"
        elif self.models.holds_little(medium.schema, value, parsed):
            what = f"it is read as {type(parsed).__name__}, which lacks its fields"
            self.findings.missing(medium.place, what, self.operation.title, *_words(answer, medium))
            return False
        else:
            try:
                why = difference(value, plain(parsed))
            except Exception as error:  # noqa: BLE001 - whatever the package raises is a finding
                why = f"to_dict raises {type(error).__name__}: {error}"
        if why is None:
            if _is_json(medium, self.document):
                self.models.compare(medium.schema, value, parsed)
            return True
        what = "its body is not read: parsed is None" if parsed is None else why
        if parsed is None or len(answer.media) > 1:
            self.findings.missing(medium.place, what, self.operation.title, *_words(answer, medium))
        else:
            self.findings.wrong(medium.place, what)
        return False


_FAILED = object()


def plain(value: Any) -> Any:
    """A decoded value as JSON."""
    if is_model(value):
        return value.to_dict()
    if is_list(value):
        return [plain(each) for each in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if value is None or isinstance(value, (str, int, float, Decimal, bytes)):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _words(answer: Answer, medium: Medium) -> tuple[str, ...]:
    return (answer.status, medium.bare) if len(answer.media) > 1 else (answer.status,)


def _is_json(medium: Medium, document: Document) -> bool:
    """`*/*` is JSON when its schema is no text and no file."""
    views = document.views(medium.schema)
    return medium.is_json or (
        medium.bare in ("*/*", "application/*") and not any(view.binary or view.types == ("string",) for view in views)
    )


def _response(status: int, medium: Medium, value: Any) -> httpx.Response:
    """An answer with a value as JSON; with a text or bytes, when there is no value."""
    kind = medium.content_type
    if "*" in kind:
        kind = "application/json" if medium.bare in ("*/*", "application/*") else medium.bare.replace("*", "x")
    content = b"plain text" if medium.bare.startswith("text/") else b"\x00\xffbytes"
    if value is not None:
        content = json.dumps(value).encode()
    return httpx.Response(status, content=content, headers={"content-type": kind})


def _raw(parsed: Any) -> Any:
    content = getattr(parsed, "payload", parsed)
    return content.encode() if isinstance(content, str) else content.read() if hasattr(content, "read") else content
