"""Failures on command, tried in the order of injection. At most one applies to a call, and none to
the control API.
"""

from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import count
from typing import Annotated, Literal, TypedDict, get_args

import h11
import msgspec
from msgspec import Meta

from victor_ext.sandbox.server._exchange import JsonObject, Response, encoded
from victor_ext.sandbox.server._settings import FARTHEST

Kind = Literal[
    "refuse",
    "cut_request",
    "cut_answer",
    "lose_answer",
    "stall",
    "delay",
    "rate_limit",
    "status",
    "html",
]
KINDS: tuple[str, ...] = get_args(Kind)
_HTML = "<!DOCTYPE html><html><head><title>Sorry</title></head><body><h1>Sorry</h1></body></html>"
_DEFAULTS: dict[str, JsonObject] = {
    "cut_answer": {"work": True},
    "lose_answer": {"work": True},
    "rate_limit": {"status": 429, "retry_after": 1},
    "html": {"body": _HTML, "headers": {"content-type": "text/html"}},
}
"""What a kind of fault is, beside its name: the defaults of its options."""
_SILENT = ("cut_request", "cut_answer", "lose_answer", "stall")
_REPLACES = ("rate_limit", "status", "html")
_OF_LENGTH = {"content-length", "transfer-encoding"}


class FaultOptions(TypedDict, total=False):
    """The options of a fault (docs/sandbox-reference.md)."""

    times: int | None
    skip: int
    operation: str | None
    query: str | None
    after: int
    delay: float
    status: int
    retry_after: float | None
    body: str | None
    headers: dict[str, str]
    work: bool


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One failure and the calls that it applies to."""

    kind: Kind
    times: Annotated[int, Meta(ge=1)] | None = 1
    skip: Annotated[int, Meta(ge=0)] = 0
    operation: str | None = None
    query: str | None = None
    """A pattern of the query, such as `*page=3*`."""
    after: Annotated[int, Meta(ge=0)] = 0
    """How many bytes of the response arrive."""
    delay: Annotated[float, Meta(ge=0, le=3600)] = 0.0
    status: Annotated[int, Meta(ge=200, le=599)] = 503
    retry_after: Annotated[float, Meta(ge=0, le=FARTHEST)] | None = None
    body: str | None = None
    headers: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    work: bool = False
    """Whether the provider does the work before it fails."""
    id: int = 0
    applied: int = 0

    @property
    def is_silent(self) -> bool:
        """Whether the connection ends without a whole response."""
        return self.kind in _SILENT

    @property
    def replaces(self) -> bool:
        """Whether another response is sent than that of the provider."""
        return self.kind in _REPLACES


class FaultQueue:
    def __init__(self) -> None:
        self.waiting: list[Fault] = []
        self._ids = count(1)

    def inject(self, kind: str, options: JsonObject) -> int:
        """Add a fault behind the waiting ones; returns its id. `ValueError`: it makes no sense."""
        given = {"kind": kind, **_DEFAULTS.get(kind, {}), **options, "id": next(self._ids)}
        fault = msgspec.convert(given, Fault)
        _require_headers(fault.headers)
        self.waiting.append(fault)
        return int(given["id"])

    def pick(self, operation: str, query: str) -> Fault | None:
        """The fault that applies to this call, counted; or None."""
        for fault in self.waiting:
            if fault.operation not in (None, operation):
                continue
            if fault.query is not None and not fnmatchcase(query, fault.query):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.applied += 1
            if fault.applied == fault.times:
                self.waiting.remove(fault)
            return fault
        return None


def _require_headers(headers: dict[str, str]) -> None:
    """Raise `ValueError` for headers with which the faulted call could not be answered."""
    try:
        h11.Response(status_code=200, headers=[*encoded(headers)])
    except (UnicodeEncodeError, h11.LocalProtocolError):
        raise ValueError(f"headers must be names and texts of HTTP, not {headers!r}") from None
    if _OF_LENGTH & {name.lower() for name in headers}:
        raise ValueError("headers: how long the body is, only the sandbox says")


def injected_response(fault: Fault, error: Response) -> Response:
    """What a fault answers in place of the provider; `error` is the provider's own."""
    headers = dict(error.headers) | dict(encoded(fault.headers))
    if fault.retry_after is not None:
        headers[b"retry-after"] = f"{fault.retry_after:g}".encode()
    body = error.body if fault.body is None else fault.body.encode()
    return replace(error, body=body, headers=tuple(headers.items()))
