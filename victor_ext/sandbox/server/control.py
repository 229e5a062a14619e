"""The control commands that every sandbox has: what a test, or a person, does to it from outside of the API.

`commands.py` gives the same ones typed faces, for this process and over HTTP; a command takes JSON values and
returns one.
"""

from __future__ import annotations

import inspect
from math import isfinite
from typing import TYPE_CHECKING

from victor_ext.sandbox.server.faults import read_fault
from victor_ext.sandbox.server.received import to_dict

if TYPE_CHECKING:
    from victor_ext.sandbox.server.jsontypes import JsonObject, JsonValue
    from victor_ext.sandbox.server.stage import SandboxContext
    from victor_ext.sandbox.server.standin import AnyStandIn


class Control:
    """One method per command. `ValueError` and `TypeError` mean misuse, `NotThere` something that is missing."""

    def __init__(self, stage: SandboxContext, stand_in: AnyStandIn) -> None:
        self._stage = stage
        self._stand_in = stand_in
        self._own = {command.name for command in stand_in.commands}

    def run(self, name: str, parameters: JsonObject) -> JsonValue:
        """Run a command by name; a parameter that it does not take is a `TypeError` that says so."""
        method = getattr(self._stand_in.control if name in self._own else self, name)
        try:
            inspect.signature(method).bind(**parameters)
        except TypeError as error:
            raise TypeError(f"{name}: {error}") from None
        return method(**parameters)

    def info(self) -> JsonObject:
        """What this sandbox is, and its clocks."""
        return {
            "sandbox": self._stand_in.name,
            "settings": self._stage.settings.shown(),
            "clock": self.clock(),
            **self._stand_in.info(),
        }

    # Time

    def clock(self) -> JsonObject:
        """Both clocks, in epoch seconds."""
        clock = self._stage.clock
        return {"now": clock.now(), "wall": clock.wall(), "skew": clock.skew, "advanced": clock.advanced}

    def advance(self, seconds: float) -> JsonObject:
        """Set the business clock forward and make every move that has become due."""
        if number("seconds", seconds) < 0:
            raise ValueError("seconds must not be negative: time does not run backwards")
        return {"moved": self._stand_in.advance(seconds), **self.clock()}

    def set_clock_skew(self, seconds: float) -> JsonObject:
        """Put the server's clock, by which tokens are judged, ahead of the machine's (negative: behind)."""
        self._stage.clock.skew = number("seconds", seconds)
        return self.clock()

    # What happened

    def received(self, after: int = 0) -> list[JsonObject]:
        """The remembered exchanges with a larger number, oldest first."""
        return [to_dict(exchange) for exchange in self._stage.log.after(after)]

    def attempts_by_key(self) -> dict[str, int]:
        """How often each idempotency key was seen."""
        return dict(self._stage.log.attempts)

    def work_done_by_key(self) -> dict[str, int]:
        """How often each idempotency key really led to work; with attempts that led to none, 0."""
        return {**dict.fromkeys(self._stage.log.attempts, 0), **self._stand_in.work_by_key()}

    def work_done_by_reference(self) -> dict[str, int]:
        """How often work was done for each reference of the caller's own; what was only tried has 0."""
        return dict(self._stage.log.work_by_reference)

    # Faults

    def inject(self, kind: str, **options: JsonValue) -> JsonObject:
        """Let the next matching calls fail; returns the fault's number."""
        return {"id": self._stage.faults.inject(read_fault(kind, options, self._stage.paths))}

    def faults(self) -> list[JsonObject]:
        """Faults that some call may still meet."""
        return [fault.to_dict() for fault in self._stage.faults.waiting]

    def clear_faults(self) -> JsonObject:
        """Forget all faults."""
        return {"cleared": self._stage.faults.clear()}


def number(name: str, value: JsonValue) -> float:
    """A parameter that is a number of seconds; `TypeError` when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise TypeError(f"{name} must be a number of seconds")
    return float(value)
