"""Whether every documented answer is read without loss."""

import json
from collections.abc import Callable, Iterator
from enum import Enum
from functools import partial
from typing import Any
from uuid import UUID

import httpx

from victor_spec.tree import has_no_body, is_list, is_mapping

from .expected import difference, short
from .operations import Answer, Medium
from .requests import OperationRequests, is_sent_as_json


class OperationAnswers(OperationRequests):
    def check_answers(self) -> None:
        """Feed every documented answer to both functions, if a request can be sent with the least
        arguments.
        """
        try:
            self.caller.request(self.probe.function, self.least())
        except Exception:  # noqa: BLE001 - the check of the requests has reported it
            return
        for answer in self.operation.answers:
            self._answer(answer, self._status(answer.status))

    def _answer(self, answer: Answer, status: int) -> None:
        """Feed one documented answer, in each of its content types."""
        if has_no_body(self.operation.method, str(status)):
            self._read(answer.place, httpx.Response(status), lambda _: None, answer.status)
        elif not answer.media:
            self._read(answer.place, httpx.Response(status), _is_body, answer.status)
        else:
            for medium in answer.media:
                self._medium(answer, status, medium)

    def _status(self, status: str) -> int:
        """A status of a range, or of `default`, that no other answer of the operation documents."""
        if status.isdecimal():
            return int(status)
        documented = {answer.status.upper() for answer in self.operation.answers}
        wanted: list[int] = [500, 400, *range(401, 600), *range(200, 400)]
        if status != "default":
            documented.discard(status.upper())
            wanted = [code for code in wanted if code // 100 == int(status[0])]
        for code in wanted:
            is_documented = str(code) in documented or f"{code // 100}XX" in documented
            if not is_documented and not has_no_body("get", str(code)):
                return code
        return 599

    def _medium(self, answer: Answer, status: int, medium: Medium) -> None:
        """Feed values of one content type, and compare what is read."""
        is_json = is_sent_as_json(medium, self.schemas)
        # It may be read as the class of another content type.
        is_of_several = any(
            each.is_json and each.schema.tree != medium.schema.tree for each in answer.media
        )
        words = (answer.status, medium.bare) if len(answer.media) > 1 else (answer.status,)
        for number, value in enumerate(self._values(medium) if is_json else [None]):
            response = _response(status, medium, value)
            differs = (
                partial(_difference, value)
                if is_json
                else partial(_raw_difference, response.content)
            )
            parsed = self._read(medium.place, response, differs, *words)
            if parsed is _FAILED:
                return
            if is_json and not is_of_several:
                self.comparison.compare(medium.schema, value, parsed)
            if number == 0 and hasattr(self.probe.function.module, "sync") and is_json:
                returned = self.caller.answer(self.probe.function, self.least(), response, "sync")
                if plain(returned) != plain(parsed):
                    self.verdict.wrong(medium.place, "sync reads it otherwise than sync_detailed")
                    return

    def _values(self, medium: Medium) -> Iterator[Any]:
        """Values of the schema, and the examples that are values of it."""
        yield from self.comparison.values(medium.schema, "received")
        for example in medium.examples[:5]:
            if self.schemas.is_valid(medium.schema.tree, example, "received"):
                yield example

    def _read(
        self,
        place: str,
        response: httpx.Response,
        differs: Callable[[Any], str | None],
        *words: str,
    ) -> Any:
        """What both functions make of an answer; `_FAILED` where `differs` says how it is another
        one.
        """
        parsed: Any = None
        for way in ("asyncio_detailed", "sync_detailed"):
            try:
                parsed = self.caller.answer(self.probe.function, self.least(), response, way)
            except Exception as error:  # noqa: BLE001 - whatever the package raises is a finding
                self.missing(place, f"{way} raises {type(error).__name__} for it: {error}", *words)
                return _FAILED
            self.verdict.decoded += 1
            if why := differs(parsed):
                if parsed is None:
                    self.missing(place, "its body is not read: parsed is None", *words)
                else:
                    self.verdict.wrong(place, why)
                return _FAILED
        return parsed


_FAILED = object()


def _is_body(parsed: Any) -> str | None:
    """How the parsed value of an answer without a body is wrong; None when it is None."""
    return None if parsed is None else f"an answer without a body is read as {short(parsed)}"


def _difference(value: Any, parsed: Any) -> str | None:
    """How a parsed value differs from the JSON that was sent; None when it does not."""
    try:
        return difference(value, plain(parsed))
    except Exception as error:  # noqa: BLE001 - whatever the package raises is a finding
        return f"to_dict raises {type(error).__name__}: {error}"


def _raw_difference(content: bytes, parsed: Any) -> str | None:
    """How a parsed text or file differs from the bytes that were sent; None when it does not."""
    raw = getattr(parsed, "payload", parsed)
    if isinstance(raw, str):
        is_same = raw == content.decode("utf-8", "backslashreplace")
    else:
        is_same = content == (raw.read() if hasattr(raw, "read") else raw)
    return None if is_same else f"the body is read as {short(parsed)}, not as it came"


def plain(value: Any) -> Any:
    """What a decoded value is in JSON."""
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if is_list(value):
        return [plain(item) for item in value]
    if is_mapping(value):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, Enum):
        return value.value
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _response(status: int, medium: Medium, value: Any) -> httpx.Response:
    """The response with a value in a content type; with other bytes where the value is None."""
    kind = medium.content_type
    if "*" in kind:
        kind = medium.bare.replace("*", "x") if value is None else "application/json"
    content = b"plain text" if medium.bare.startswith("text/") else b"\x00\xffbytes"
    if value is not None:
        content = json.dumps(value).encode()
    return httpx.Response(status, content=content, headers={"content-type": kind})
