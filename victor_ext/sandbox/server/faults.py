"""Failures on command: which call fails, and how.

A fault applies to the next calls that match it; faults are tried in the order of injection. At most one applies to a
call, and none to a call of the control API.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import UnionType
from typing import Literal, TypedDict, get_args, get_origin, get_type_hints

import h11

from victor_ext.sandbox.server.operations import JsonObject, JsonValue, OperationTable

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
]
RENAMED = {"lost_answer": "lose_answer", "cut": "cut_answer", "damage": "malformed_json"}
"""Other spellings of a kind, which are refused, with the word to write."""
How = Literal["reset", "close", "stall"]
RetryAfterFormat = Literal["seconds", "date"]

KINDS: tuple[str, ...] = get_args(Kind)
CONNECTION_FAULTS = frozenset({"refuse", "cut_request", "cut_answer", "lose_answer", "stall"})
_WORK_BY_DEFAULT = frozenset({"truncated_json", "malformed_json", "cut_answer", "lose_answer"})


class FaultOptions(TypedDict, total=False):
    """The options of a fault, each described at `Fault`. None is the default, except for `times`."""

    times: int | None
    probability: float | None
    seed: int | None
    skip: int | None
    method: str | None
    path: str | None
    query: str | None
    operation: str | None
    after: int | None
    how: How | None
    delay: float | None
    status: int | None
    retry_after: float | None
    retry_after_format: RetryAfterFormat | None
    body: str | None
    headers: dict[str, str] | None
    work: bool | None


@dataclass(slots=True, kw_only=True)
class Fault:
    """One failure and the calls that it applies to."""

    kind: Kind
    times: int | None = None
    """How many calls it applies to. None: every matching call until it is cleared. The default is 1, or None with a
    probability."""
    probability: float | None = None
    """The chance that it applies to a matching call, from 0 to 1, drawn from a random generator of the fault's own."""
    seed: int | None = None
    skip: int = 0
    """How many matching calls pass first."""
    method: str | None = None
    path: str | None = None
    """A path, or a pattern with `*` and `?`."""
    query: str | None = None
    """The query as it is sent, or a pattern such as `*direction=outbound*`."""
    operation: str | None = None
    """The name of an operation, `other`, or an `operationId` of the document."""
    after: int | None = None
    """For the cuts: after how many bytes of the request or of the response, head included. Negative: counted from
    the end. None: a request is read to its end; of a response nothing is sent."""
    how: How = "reset"
    """How a cut ends the connection: a reset, a clean close, or silence."""
    delay: float = 0.0
    """Seconds to wait first. With kind `delay` and `work`, the wait is after the work."""
    status: int = 503
    retry_after: float | None = None
    """Seconds for a `Retry-After` header."""
    retry_after_format: RetryAfterFormat = "seconds"
    body: str | None = None
    """Not sent with a status that has no body (204, 304)."""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    work: bool = False
    """Whether the work is done before the failure. The default is yes for cut, lost and damaged responses."""
    id: int = 0
    applied: int = 0
    """How many calls it has been applied to."""

    @property
    def ending(self) -> How:
        """How the connection ends, for a fault of the connection."""
        return "reset" if self.kind == "refuse" else "stall" if self.kind == "stall" else self.how

    def matches(self, method: str, path: str, query: str, operation: str) -> bool:
        """Whether a call is one that the fault applies to."""
        return (
            self.operation in (None, operation)
            and (self.method is None or self.method.upper() == method)
            and (self.query is None or fnmatchcase(query, self.query))
            and (self.path is None or fnmatchcase(path, self.path))
        )

    def to_dict(self) -> JsonObject:
        return {name: getattr(self, name) for name in Fault.__slots__}


def read_fault(kind: str, options: JsonObject, operations: OperationTable) -> Fault:
    """A fault from JSON values. A wrong one is a `ValueError` or a `TypeError` that names it."""
    if kind in RENAMED:
        raise ValueError(f"kind {kind!r} is {RENAMED[kind]!r}")
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    types = get_type_hints(FaultOptions)
    unknown = sorted(set(options) - set(types))
    if unknown:
        raise ValueError(f"unknown option {', '.join(unknown)}; known are {', '.join(sorted(types))}")
    given = {name: value for name, value in options.items() if value is not None or name == "times"}
    given.setdefault("work", kind in _WORK_BY_DEFAULT)
    given.setdefault("times", None if given.get("probability") is not None else 1)
    if kind == "rate_limit":
        given.setdefault("status", 429)
        given.setdefault("retry_after", 1)
    for name, value in given.items():
        _check_type(name, value, types[name])
    fault = Fault(kind=kind, **given)  # type: ignore[arg-type]  # checked against KINDS above
    _check_range(fault)
    if fault.operation is not None:
        fault.operation = operations.aliases.get(fault.operation, fault.operation)
        if fault.operation not in operations.names:
            more = ", or an operationId of the document" if operations.aliases else ""
            raise ValueError(f"operation must be one of {', '.join(operations.names)}{more}")
    return fault


def _check_type(name: str, value: JsonValue, optional: UnionType) -> None:
    expected = get_args(optional)[0]
    if get_origin(expected) is Literal:
        if value not in get_args(expected):
            raise ValueError(f"{name} must be one of {', '.join(get_args(expected))}")
        return
    kind = int | float if expected is float else get_origin(expected) or expected
    # A bool is an int in Python, but neither a count nor a number of seconds.
    if value is not None and (not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool)):
        raise TypeError(f"{name} cannot be {value!r}")


def _check_range(fault: Fault) -> None:
    if fault.times is not None and fault.times < 1:
        raise ValueError("times must be at least 1, or null for every call until the fault is cleared")
    if fault.probability is not None and not 0 <= fault.probability <= 1:
        raise ValueError("probability must be between 0 and 1")
    if not 200 <= fault.status <= 599:
        raise ValueError("status must be between 200 and 599")
    if fault.skip < 0 or not all(0 <= seconds < math.inf for seconds in (fault.delay, fault.retry_after or 0)):
        raise ValueError("delay, skip and retry_after must not be negative or infinite")
    _check_content(fault)


def _check_content(fault: Fault) -> None:
    """Raise `ValueError` for what no HTTP response can have: the faulted call could not be answered."""
    try:
        h11.Response(
            status_code=200,
            headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in fault.headers.items()],
        )
    except (AttributeError, UnicodeEncodeError, h11.LocalProtocolError):
        example = {"Retry-After": "5"}
        raise ValueError(f"headers must be names and texts of HTTP, such as {example}, not {fault.headers!r}") from None
    try:
        (fault.body or "").encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("body holds half of a character (a lone surrogate)") from None


class FaultQueue:
    def __init__(self, seed: int | None) -> None:
        self._random = random.Random(seed)  # noqa: S311 (test data, no secrets)
        self._waiting: list[tuple[Fault, random.Random]] = []
        self._next_id = 1

    @property
    def waiting(self) -> tuple[Fault, ...]:
        return tuple(fault for fault, _ in self._waiting)

    def inject(self, fault: Fault) -> int:
        """Add a fault behind the waiting ones; returns its id."""
        fault.id = self._next_id
        self._next_id += 1
        seed = fault.seed if fault.seed is not None else self._random.getrandbits(64)
        self._waiting.append((fault, random.Random(seed)))  # noqa: S311 (test data, no secrets)
        return fault.id

    def clear(self) -> int:
        count = len(self._waiting)
        self._waiting.clear()
        return count

    def pick(self, method: str, path: str, operation: str, *, query: str = "", pipelined: bool = False) -> Fault | None:
        """The fault that applies to this call, counted; or None.

        A pipelined call was read together with the one before: it is too late for a fault of the connection.
        """
        for waiting in self._waiting:
            fault, generator = waiting
            if (pipelined and fault.kind in CONNECTION_FAULTS) or not fault.matches(method, path, query, operation):
                continue
            if fault.skip > 0:
                fault.skip -= 1
            elif fault.probability is None or generator.random() < fault.probability:
                fault.applied += 1
                if fault.times is not None and fault.applied >= fault.times:
                    self._waiting.remove(waiting)
                return fault
        return None
