"""What a test does to a sandbox: `Faults` lets calls fail, `TimeTravel` moves the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Unpack

if TYPE_CHECKING:
    from victor_ext.sandbox.server import ServerCommands
    from victor_ext.sandbox.server._faults import FaultOptions


class Faults:
    """Lets the next matching calls to a sandbox fail. Each kind of fault has a method of its name,
    which returns an id.

    Every method takes the `options` of a fault (docs/sandbox-reference.md), above all `times` (1;
    None: all calls until `clear`), `operation` (such as `"create"`; any), `skip` (how many calls
    pass first) and `work` (whether the provider does the work before it fails). A wrong option is a
    `ValueError`.

    Args:
        sandbox: The sandbox of any provider, in this process or in another one.
    """

    def __init__(self, sandbox: ServerCommands) -> None:
        self._sandbox = sandbox

    def refuse(self, **options: Unpack[FaultOptions]) -> int:
        """The connection is reset once the request line was read: no work is done."""
        return self._sandbox.inject("refuse", **options)

    def cut_request(self, **options: Unpack[FaultOptions]) -> int:
        """The connection ends when the request was read: no work is done."""
        return self._sandbox.inject("cut_request", **options)

    def cut_answer(self, **options: Unpack[FaultOptions]) -> int:
        """The work is done, and the connection ends `after` bytes of the response."""
        return self._sandbox.inject("cut_answer", **options)

    def lose_answer(self, **options: Unpack[FaultOptions]) -> int:
        """The work is done, and no byte of the response arrives."""
        return self._sandbox.inject("lose_answer", **options)

    def stall(self, **options: Unpack[FaultOptions]) -> int:
        """Silence: the request is read, and nothing comes back. The client's timeout ends it."""
        return self._sandbox.inject("stall", **options)

    def delay(self, seconds: float, /, **options: Unpack[FaultOptions]) -> int:
        """The response comes `seconds` late."""
        options["delay"] = seconds
        return self._sandbox.inject("delay", **options)

    def rate_limit(self, **options: Unpack[FaultOptions]) -> int:
        """A 429 with `Retry-After`: `retry_after` seconds (1)."""
        return self._sandbox.inject("rate_limit", **options)

    def status(self, code: int, /, **options: Unpack[FaultOptions]) -> int:
        """A response with the status `code`, `body` and `headers`; no work is done, unless
        `work=True`.
        """
        options["status"] = code
        return self._sandbox.inject("status", **options)

    def html(self, **options: Unpack[FaultOptions]) -> int:
        """An HTML page with `status` (503); no work is done, unless `work=True`."""
        return self._sandbox.inject("html", **options)

    def down(self) -> None:
        """Refuse connections until `up`: nothing of a call leaves this machine."""
        self._sandbox.down()

    def up(self) -> None:
        """Accept connections again."""
        self._sandbox.up()

    def clear(self) -> None:
        """Remove the faults that still apply to calls."""
        self._sandbox.clear_faults()


class TimeTravel:
    """Sets the business clock of a sandbox forward. Requests that are due then have moved, such as
    to `expired`.

    The wall clock stays, by which tokens expire.

    Args:
        sandbox: The sandbox of any provider, in this process or in another one.
    """

    def __init__(self, sandbox: ServerCommands) -> None:
        self._sandbox = sandbox

    @property
    def now(self) -> datetime:
        """The time of the business clock, in UTC."""
        return datetime.fromtimestamp(self._sandbox.clock()["now"], UTC)

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> int:
        """Let `days`, `hours`, `minutes` and `seconds` pass; returns how many moves of requests
        that made.

        A negative time is a `ValueError`.
        """
        return self._sandbox.advance(
            timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        )
