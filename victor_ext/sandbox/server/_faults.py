"""Failures on command, of calls and of notifications, tried in the order of injection.

At most one applies to a call, or to one attempt to notify, and none to the control API.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import count
from typing import Literal, TypedDict, get_args

import h11

from victor_ext.sandbox.server._arguments import require_one_of
from victor_ext.sandbox.server._exchange import JsonObject, OperationTable, Response, encoded

Kind = Literal[
    "refuse",
    "cut_request",
    "cut_answer",
    "lose_answer",
    "stall",
    "delay",
    "rate_limit",
    "status",
    "truncated_json",
    "malformed_json",
    "html",
    "lose_notification",
    "double_notification",
    "delay_notification",
]
How = Literal["reset", "close", "stall"]

KINDS: tuple[str, ...] = get_args(Kind)
_HTML = (
    "<!DOCTYPE html><html><head><title>{status}</title></head><body><h1>Sorry</h1></body></html>"
)
OF_NOTIFICATIONS = frozenset({"lose_notification", "double_notification", "delay_notification"})
"""The kinds that apply to what the sandbox posts. All others apply to calls."""
BEFORE = frozenset({"refuse", "cut_request"})
AFTER = frozenset({"truncated_json", "malformed_json", "cut_answer", "lose_answer"})
"""The kinds that are always before, or always after the work."""


class FaultOptions(TypedDict, total=False):
    """The options of a fault (docs/sandbox-reference.md). None: the default, except in `times`."""

    times: int | None
    probability: float | None
    seed: int | None
    skip: int | None
    query: str | None
    operation: str | None
    event: str | None
    after: int | None
    how: How | None
    delay: float | None
    status: int | None
    retry_after: float | None
    body: str | None
    headers: dict[str, str] | None
    work: bool | None


@dataclass(slots=True, kw_only=True)
class Fault:
    """One failure and the calls that it applies to. docs/sandbox-reference.md has each kind and
    option.
    """

    kind: Kind
    times: int | None = None
    probability: float | None = None
    seed: int | None = None
    skip: int = 0
    query: str | None = None
    operation: str | None = None
    event: str | None = None
    after: int | None = None
    how: How = "reset"
    delay: float = 0.0
    status: int = 503
    retry_after: float | None = None
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    work: bool = False
    id: int = 0
    applied: int = 0
    chance: random.Random = field(default_factory=random.Random)

    @property
    def ending(self) -> How:
        if self.kind == "refuse":
            return "reset"
        return "stall" if self.kind == "stall" else self.how

    @property
    def is_of_notifications(self) -> bool:
        """Whether it applies to what the sandbox posts, and to no call."""
        return self.kind in OF_NOTIFICATIONS

    @property
    def is_before_work(self) -> bool:
        """Whether the request is cut off, and never served."""
        return self.kind in BEFORE or (self.kind == "stall" and not self.work)

    def matches(self, operation: str, query: str, event: str) -> bool:
        if self.operation not in (None, operation):
            return False
        patterns = (self.query, query), (self.event, event)
        return all(wanted is None or fnmatchcase(text, wanted) for wanted, text in patterns)

    def happens(self) -> bool:
        """Whether it applies to the next call, or attempt, that it matches."""
        if self.skip > 0:
            self.skip -= 1
            return False
        return self.probability is None or self.chance.random() < self.probability

    def to_dict(self) -> JsonObject:
        return {name: getattr(self, name) for name in Fault.__slots__ if name != "chance"}


def read_fault(kind: Kind, options: JsonObject, operations: OperationTable) -> Fault:
    """A fault from JSON values of the right types. A wrong one is a `ValueError` that names it."""
    fault = Fault(kind=kind, **{**_defaults(kind, options), **options})
    _check_range(fault)
    if fault.operation is not None:
        require_one_of("operation", fault.operation, operations.names)
    if fault.is_of_notifications and (fault.operation, fault.query) != (None, None):
        raise ValueError(f"{fault.kind} has no operation and no query: name the event")
    if not fault.is_of_notifications and fault.event is not None:
        raise ValueError(f"{fault.kind} has no event: name the operation")
    return fault


def _defaults(kind: str, options: JsonObject) -> JsonObject:
    """The defaults of a fault that depend on its kind, or on its other options."""
    is_by_chance = options.get("probability") is not None
    defaults: JsonObject = {"work": kind in AFTER, "times": None if is_by_chance else 1}
    if kind == "rate_limit":
        defaults |= {"status": 429, "retry_after": 1}
    return defaults


def _check_range(fault: Fault) -> None:
    if fault.times is not None and fault.times < 1:
        raise ValueError(
            "times must be at least 1, or null for every call until the fault is cleared"
        )
    if fault.probability is not None and not 0 <= fault.probability <= 1:
        raise ValueError("probability must be between 0 and 1")
    if not 200 <= fault.status <= 599:
        raise ValueError("status must be between 200 and 599")
    for value in (fault.skip, fault.delay, fault.retry_after or 0):
        if not 0 <= value < math.inf:
            raise ValueError("delay, skip and retry_after must not be negative or infinite")
    try:  # else the faulted call could not be answered
        h11.Response(status_code=200, headers=list(encoded(fault.headers)))
    except (AttributeError, UnicodeEncodeError, h11.LocalProtocolError):
        raise ValueError(
            f"headers must be names and texts of HTTP, not {fault.headers!r}"
        ) from None


class FaultQueue:
    def __init__(self, seed: int | None) -> None:
        self._random = random.Random(seed)  # noqa: S311 (test data, no secrets)
        self.waiting: list[Fault] = []
        self._ids = count(1)

    def inject(self, fault: Fault) -> int:
        """Add a fault behind the waiting ones; returns its id."""
        fault.id = next(self._ids)
        seed = self._random.getrandbits(64) if fault.seed is None else fault.seed
        fault.chance.seed(seed)
        self.waiting.append(fault)
        return fault.id

    def pick(self, *, operation: str = "", query: str = "", event: str = "") -> Fault | None:
        """The fault that applies to this call, or to the next attempt to notify of an event,
        counted; or None.
        """
        for fault in self.waiting:
            is_its = fault.is_of_notifications is bool(event)
            if is_its and fault.matches(operation, query, event) and fault.happens():
                fault.applied += 1
                if fault.times is not None and fault.applied >= fault.times:
                    self.waiting.remove(fault)
                return fault
        return None


def injected_response(fault: Fault, error: Callable[[], Response]) -> Response:
    """The response to a `status`, `rate_limit` or `html` fault; `error` makes the provider's
    own.
    """
    if fault.kind == "html":
        page = _HTML.format(status=fault.status).encode()
        response = Response(fault.status, page, ((b"content-type", b"text/html"),))
    else:
        response = error()
    headers = dict(response.headers)
    if fault.retry_after is not None:
        headers[b"retry-after"] = f"{fault.retry_after:g}".encode("ascii")
    headers |= dict(encoded(fault.headers))
    body = response.body if fault.body is None else fault.body.encode("utf-8", "replace")
    return replace(response, body=body, headers=tuple(headers.items()))


def damaged(response: Response, kind: str) -> Response:
    """What a fault makes of a real response. A truncated body is as long as its head announces."""
    body = response.body
    if kind == "truncated_json":
        body = body[: len(body) // 2]
    elif kind == "malformed_json":
        body = body.replace(b'"', b"'")
    return replace(response, body=body)
