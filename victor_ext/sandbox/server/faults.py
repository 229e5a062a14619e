"""Failures on command: which exchange is to fail, and how.

A fault is met by the next calls that match it, in the order in which faults were injected; one call meets one
fault at most. Calls under `/_sandbox/` never meet any.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import UnionType
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from victor_ext.sandbox.server.jsontypes import JsonObject
    from victor_ext.sandbox.server.paths import PathTable

Kind = Literal[
    "refuse",
    "cut_request",
    "cut_answer",
    "lost_answer",
    "stall",
    "delay",
    "rate_limit",
    "status",
    "truncated_json",
    "malformed_json",
    "html",
]
How = Literal["reset", "close", "stall"]
RetryAfterFormat = Literal["seconds", "date"]

KINDS: tuple[str, ...] = get_args(Kind)
ON_THE_WIRE = frozenset({"refuse", "cut_request", "cut_answer", "lost_answer", "stall"})
_WORK_BY_DEFAULT = frozenset({"truncated_json", "malformed_json", "cut_answer", "lost_answer"})
_TYPES: dict[str, type | UnionType] = {
    "times": int,
    "probability": int | float,
    "seed": int,
    "skip": int,
    "after": int,
    "delay": int | float,
    "status": int,
    "retry_after": int | float,
    "headers": dict,
    "work": bool,
}


@dataclass(slots=True, kw_only=True)
class Fault:
    """One failure and the calls it is meant for."""

    kind: Kind
    times: int | None = None
    """How many calls meet it; None: every matching call until it is cleared. Default 1, or None with a
    probability."""
    probability: float | None = None
    """Chance of each matching call to meet it, drawn from a generator of its own."""
    seed: int | None = None
    skip: int = 0
    """How many matching calls pass unharmed first."""
    method: str | None = None
    path: str | None = None
    """A path, or a pattern with `*` and `?`."""
    query: str | None = None
    """The query as it is sent, or a pattern such as `*direction=outbound*`."""
    operation: str | None = None
    """A word of the provider's table of operations, `other`, or the document's `operationId`."""
    after: int | None = None
    """For the cuts: after how many bytes of the request or of the answer, head included. Negative: so many
    bytes before its end. None: a request is read to its end; of an answer nothing is sent."""
    how: How = "reset"
    """How a cut looks from outside: a reset, a clean close, or a connection that goes silent."""
    delay: float = 0.0
    """Seconds to wait first. With kind `delay` and `work`, the wait is after the work."""
    status: int = 503
    retry_after: float | None = None
    """Seconds for a `Retry-After` header."""
    retry_after_format: RetryAfterFormat = "seconds"
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    work: bool = False
    """Whether the work is done before the failure. Default: yes for cut, lost and spoiled answers."""
    id: int = 0
    met: int = 0
    """How many calls have met it so far."""

    @property
    def ending(self) -> How:
        """How the connection ends, for the failures of the wire."""
        return "reset" if self.kind == "refuse" else "stall" if self.kind == "stall" else self.how

    def to_dict(self) -> JsonObject:
        """The fault as JSON."""
        return {name: getattr(self, name) for name in Fault.__slots__}


def read_fault(kind: str, options: JsonObject, paths: PathTable) -> Fault:
    """A fault from what somebody wrote; `ValueError` says what is wrong with it. `paths` knows the operations."""
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    known = set(Fault.__slots__) - {"kind", "id", "met"}
    unknown = sorted(set(options) - known)
    if unknown:
        raise ValueError(f"unknown option {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    given = {name: value for name, value in options.items() if value is not None or name == "times"}
    given.setdefault("work", kind in _WORK_BY_DEFAULT)
    given.setdefault("times", None if given.get("probability") is not None else 1)
    if kind == "rate_limit":
        given.setdefault("status", 429)
        given.setdefault("retry_after", 1)
    _check_types(given)
    fault = Fault(kind=kind, **given)  # type: ignore[arg-type]  # checked against KINDS above
    _check(fault)
    if fault.operation is not None:
        fault.operation = _operation(fault.operation, paths)
    return fault


def _operation(given: str, paths: PathTable) -> str:
    word = paths.aliases.get(given, given)
    if word not in paths.words:
        more = ", or an operationId of the document" if paths.aliases else ""
        raise ValueError(f"operation must be one of {', '.join(paths.words)}{more}")
    return word


def _check_types(options: JsonObject) -> None:
    for name, value in options.items():
        wanted = _TYPES.get(name, str)
        # A bool is an int in Python, but never a count or a number of seconds.
        if value is not None and (not isinstance(value, wanted) or isinstance(value, bool) is not (wanted is bool)):
            raise TypeError(f"{name} cannot be {value!r}")


def _check(fault: Fault) -> None:
    if fault.times is not None and fault.times < 1:
        raise ValueError("times must be at least 1, or null for every call until the fault is cleared")
    if fault.probability is not None and not 0 <= fault.probability <= 1:
        raise ValueError("probability must be between 0 and 1")
    if fault.how not in get_args(How):
        raise ValueError(f"how must be one of {', '.join(get_args(How))}")
    if fault.retry_after_format not in get_args(RetryAfterFormat):
        raise ValueError(f"retry_after_format must be one of {', '.join(get_args(RetryAfterFormat))}")
    if not 200 <= fault.status <= 599:
        raise ValueError("status must be between 200 and 599")
    if fault.delay < 0 or fault.skip < 0 or (fault.retry_after is not None and fault.retry_after < 0):
        raise ValueError("delay, skip and retry_after must not be negative")


class FaultBox:
    """The faults that are waiting for calls."""

    def __init__(self, seed: int | None) -> None:
        self._seed = random.Random(seed)  # noqa: S311 (a test's dice, not secrets)
        self._waiting: list[Fault] = []
        self._dice: dict[int, random.Random] = {}
        self._next_id = 1

    @property
    def waiting(self) -> tuple[Fault, ...]:
        """Every fault that some call may still meet."""
        return tuple(self._waiting)

    def inject(self, fault: Fault) -> int:
        """Add a fault behind those that wait already; returns its number."""
        fault.id = self._next_id
        self._next_id += 1
        seed = fault.seed if fault.seed is not None else self._seed.getrandbits(64)
        self._dice[fault.id] = random.Random(seed)  # noqa: S311 (a test's dice, not secrets)
        self._waiting.append(fault)
        return fault.id

    def clear(self) -> int:
        """Forget all faults; returns how many there were."""
        count = len(self._waiting)
        self._waiting.clear()
        self._dice.clear()
        return count

    def pick(self, method: str, path: str, operation: str, *, query: str = "", pipelined: bool = False) -> Fault | None:
        """The fault that this call meets, if any; counts it.

        A pipelined call has come in whole behind another one: it is too late for a failure of the wire.
        """
        for fault in self._waiting:
            if pipelined and fault.kind in ON_THE_WIRE:
                continue
            if _matches(fault, method, path, query, operation) and self._strikes(fault):
                return fault
        return None

    def _strikes(self, fault: Fault) -> bool:
        if fault.skip > 0:
            fault.skip -= 1
            return False
        if fault.probability is not None and self._dice[fault.id].random() >= fault.probability:
            return False
        fault.met += 1
        if fault.times is not None and fault.met >= fault.times:
            self._waiting.remove(fault)
            del self._dice[fault.id]
        return True


def _matches(fault: Fault, method: str, path: str, query: str, operation: str) -> bool:
    if fault.operation is not None and fault.operation != operation:
        return False
    if fault.method is not None and fault.method.upper() != method:
        return False
    if fault.query is not None and not fnmatchcase(query, fault.query):
        return False
    return fault.path is None or fnmatchcase(path, fault.path)
