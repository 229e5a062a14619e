"""The control commands that every sandbox has, as typed Python methods."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

from victor_ext.sandbox.server.received import Received

if TYPE_CHECKING:
    from victor_ext.sandbox.server.faults import How, Kind, RetryAfterFormat
    from victor_ext.sandbox.server.jsontypes import JsonObject, JsonValue
    from victor_ext.sandbox.server.standin import AnyStandIn


class ServerCommands(ABC):
    """What can be done to any sandbox. Every method is one command of the control API.

    Misuse is a `ValueError`; something that does not exist is a `LookupError`. A provider's own commands are
    methods of a class derived from this one.
    """

    stand_in: ClassVar[type[AnyStandIn]]
    """Whom it stands in for."""

    @abstractmethod
    def _run(self, name: str, /, **parameters: JsonValue) -> JsonValue:
        """Run one command and return its JSON value."""

    def info(self) -> JsonObject:
        """What this sandbox is: its settings and clocks."""
        found: JsonObject = self._run("info")
        return found

    def clock(self) -> JsonObject:
        """Both clocks in epoch seconds: `now` of the business, `wall` of the server."""
        found: JsonObject = self._run("clock")
        return found

    def advance(self, seconds: float) -> int:
        """Set the business clock forward; returns how many moves that made."""
        found: int = self._run("advance", seconds=seconds)["moved"]
        return found

    def set_clock_skew(self, seconds: float) -> None:
        """Put the server's clock (tokens, `Date`) ahead of this machine's, or behind it when negative."""
        self._run("set_clock_skew", seconds=seconds)

    def received(self, after: int = 0) -> list[Received]:
        """What was received, oldest first; `after` is the number of an exchange that is known already."""
        return [Received(**exchange) for exchange in self._run("received", after=after)]

    def attempts_by_key(self) -> dict[str, int]:
        """How often each idempotency key was seen."""
        found: dict[str, int] = self._run("attempts_by_key")
        return found

    def work_done_by_key(self) -> dict[str, int]:
        """How often each idempotency key led to work. Anything above 1 is a duplicate."""
        found: dict[str, int] = self._run("work_done_by_key")
        return found

    def work_done_by_reference(self) -> dict[str, int]:
        """How often work was done for each reference of the caller's own, such as an invoice's; 0: only tried."""
        found: dict[str, int] = self._run("work_done_by_reference")
        return found

    def inject(
        self,
        kind: Kind,
        *,
        times: int | Literal["default"] | None = "default",
        probability: float | None = None,
        seed: int | None = None,
        skip: int | None = None,
        method: str | None = None,
        path: str | None = None,
        query: str | None = None,
        operation: str | None = None,
        after: int | None = None,
        how: How | None = None,
        delay: float | None = None,
        status: int | None = None,
        retry_after: float | None = None,
        retry_after_format: RetryAfterFormat | None = None,
        body: str | None = None,
        headers: dict[str, str] | None = None,
        work: bool | None = None,
    ) -> int:
        """Let the next matching calls fail; returns the fault's number. See `Fault` for every option.

        `times=None` means until it is cleared; by default once, or without end when there is a probability.
        """
        options = {
            "probability": probability,
            "seed": seed,
            "skip": skip,
            "method": method,
            "path": path,
            "query": query,
            "operation": operation,
            "after": after,
            "how": how,
            "delay": delay,
            "status": status,
            "retry_after": retry_after,
            "retry_after_format": retry_after_format,
            "body": body,
            "headers": headers,
            "work": work,
        }
        given: JsonObject = {name: value for name, value in options.items() if value is not None}
        if times != "default":
            given["times"] = times
        found: int = self._run("inject", kind=kind, **given)["id"]
        return found

    def faults(self) -> list[JsonObject]:
        """Faults that some call may still meet."""
        found: list[JsonObject] = self._run("faults")
        return found

    def clear_faults(self) -> int:
        """Forget all faults; returns how many there were."""
        found: int = self._run("clear_faults")["cleared"]
        return found

    def down(self, seconds: float | None = None) -> None:
        """Close the listener and all connections: new ones are refused, until `up()` or for some seconds."""
        self._run("down", seconds=seconds)

    def up(self) -> None:
        """Listen again."""
        self._run("up")

    def reset(self) -> None:
        """Forget everything, credentials and accounts included."""
        self._run("reset")
