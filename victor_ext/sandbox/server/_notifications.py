"""Notifications that a sandbox posts to a webhook: again and again until they are taken, and the
log of what was posted.

All of it runs on the serving thread between calls, and no call waits for a receiver. One is posted
at a time. The time between two attempts is that of the business clock.
"""

import asyncio
import ipaddress
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from itertools import count
from typing import Literal
from urllib.parse import urlsplit

from victor_ext.sandbox.server._context import SandboxContext, access, logger
from victor_ext.sandbox.server._exchange import JsonObject
from victor_ext.sandbox.server._privacy import one_line

_KEPT = 1000
_TICK = 1.0
"""Seconds between two looks whether time alone has moved something."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What is posted: headers and a body."""

    headers: Mapping[str, str]
    body: bytes


Make = Callable[[str, bool], Posted]
"""Makes what is posted to an address, each time; the second argument: whether it was posted before.
"""


@dataclass(frozen=True, slots=True)
class Resending:
    """When a provider posts a notification again. Times are in seconds.

    Attributes:
        taken: The statuses after which it is not posted again.
        end: How long after the event the last attempt may be.
        first: The time before the second attempt. Each further time is twice as long,
        longest: and so long at most.
    """

    taken: range = range(200, 300)
    end: float = 3 * 86_400.0
    first: float = 60.0
    longest: float = 21_600.0


@dataclass(slots=True)
class Delivery:
    """One notification to one address."""

    number: int
    event: str
    about: str
    """The id of what it is about."""
    url: str | None
    make: Make
    due: float
    """Epoch seconds of the business clock: when it is posted next."""
    end: float
    state: Literal["waiting", "taken", "given up", "not posted"] = "waiting"
    headers: dict[str, str] = field(default_factory=dict[str, str])
    """Those of the last attempt, or of one that is not posted."""
    body: str = ""
    attempts: list[str] = field(default_factory=list[str])
    """What came of each: a status, or why there was none."""

    def to_dict(self) -> JsonObject:
        names = ("number", "event", "about", "url", "state", "due", "headers", "body", "attempts")
        return {name: getattr(self, name) for name in names}


class Notifications:
    """The notifications of one sandbox.

    Attributes:
        url: Where notifications go for which no call has named an address; None: nowhere.
    """

    def __init__(
        self,
        context: SandboxContext,
        resending: Resending | None,
        url: str | None,
        tick: Callable[[], None],
    ) -> None:
        self.url = url
        self._resending, self._tick, self._clock = resending, tick, context.clock
        self._log: deque[Delivery] = deque(maxlen=_KEPT)
        self._numbers = count(1)
        self._changed, self._idle = asyncio.Event(), asyncio.Event()
        self._worker: asyncio.Task[None] | None = None

    def add(
        self, event: str, about: str, make: Make, *, url: str | None = None, after: float = 0.0
    ) -> None:
        """Post a notification to an address (None: the default one), `after` seconds of the
        business clock. Without an address that may be posted to, it stands in the log alone.
        """
        if self._resending is None:
            return
        address = url or self.url
        due = self._clock.now() + after
        end = due + self._resending.end
        delivery = Delivery(next(self._numbers), event, about, address, make, due, end)
        self._log.append(delivery)
        if address is None or not self.may_post(address):
            delivery.state = "not posted"
            self._make(delivery)
        else:
            self.start()

    def may_post(self, url: str) -> bool:
        """Whether the sandbox posts to an address: one of this machine, or on the host of
        `--notify`. Whoever calls the API names addresses: no other host gets a request.
        """
        host = urlsplit(url).hostname or ""
        if host in ("localhost", urlsplit(self.url or "").hostname):
            return True
        with suppress(ValueError):
            return ipaddress.ip_address(host).is_loopback
        return False

    def start(self) -> None:
        """Post what is due, and look from now on, once a second, whether time has moved
        something.
        """
        if self._worker is None and self._resending is not None:
            self._worker = asyncio.get_running_loop().create_task(self._work(self._resending))
        self.wake()

    def wake(self) -> None:
        """Look at once what is due: a command may have moved the clock."""
        self._idle.clear()
        self._changed.set()

    def reset(self) -> None:
        """Forget all notifications. The address stays."""
        self._log.clear()

    async def end(self) -> None:
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)

    def after(self, number: int) -> list[Delivery]:
        """The deliveries above a number, oldest first."""
        return [delivery for delivery in self._log if delivery.number > number]

    def resend(self, number: int) -> None:
        """Post one again, now, whatever became of it."""
        for delivery in self._log:
            if delivery.number == number and delivery.url is not None:
                delivery.state, delivery.due = "waiting", self._clock.now()
                return self.start()
        raise ValueError(f"there is no delivery {number} with an address")

    async def wait(self, seconds: float) -> JsonObject:
        """Wait until nothing is due or on its way; `ValueError` after `seconds`."""
        if self._worker is not None:
            self.wake()
            try:
                async with asyncio.timeout(seconds):
                    await self._idle.wait()
            except TimeoutError:
                raise ValueError(
                    f"after {seconds:g} s a notification is still on its way: the receiver does "
                    "not answer"
                ) from None
        return {}

    async def _work(self, resending: Resending) -> None:
        while True:
            self._changed.clear()
            try:
                self._tick()
                now = self._clock.now()
                due = [each for each in self._log if each.state == "waiting" and each.due <= now]
                for delivery in sorted(due, key=lambda each: each.due):
                    await self._deliver(delivery, resending)
            except Exception as error:  # noqa: BLE001 (any exception is a mistake of the sandbox)
                logger.error("the sandbox failed to notify", exc_info=error)
            if not self._changed.is_set():
                self._idle.set()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_TICK):
                        await self._changed.wait()

    def _make(self, delivery: Delivery) -> Posted:
        address = delivery.url or "http://service/webhooks"
        posted = delivery.make(address, bool(delivery.attempts))
        delivery.headers, delivery.body = dict(posted.headers), posted.body.decode()
        return posted

    async def _deliver(self, delivery: Delivery, resending: Resending) -> None:
        """Post once, and plan the next attempt."""
        assert delivery.url is not None  # without an address, none waits
        posted = self._make(delivery)
        due = delivery.due
        try:
            status = await _posted(delivery.url, posted)
            outcome = str(status)
        except (OSError, HTTPException) as error:
            status, outcome = 0, one_line(str(error) or repr(error))
        delivery.attempts.append(outcome)
        access.info("notified %s  %s  %s", one_line(delivery.url), outcome, delivery.event)
        wait = min(resending.first * 2.0 ** (len(delivery.attempts) - 1), resending.longest)
        if delivery.due != due:  # it was sent again meanwhile
            return
        if status in resending.taken:
            delivery.state = "taken"
        elif due + wait > delivery.end:
            delivery.state = "given up"
        else:
            delivery.due += wait


async def _posted(url: str, posted: Posted) -> int:
    """What `_post` returns. No thread of the loop makes it: those are waited for when a sandbox
    stops, and a receiver may say nothing for long.
    """
    outcome: Future[int] = Future()
    outcome.set_running_or_notify_cancel()

    def work() -> None:
        try:
            outcome.set_result(_post(url, posted))
        except Exception as error:  # noqa: BLE001 (who waits raises it)
            outcome.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return await asyncio.wrap_future(outcome)


def _post(url: str, posted: Posted) -> int:
    """POST over a connection of its own; returns the status of the response. A redirect is not
    followed. It is not httpx: a test that mocks that would take notifications, too.
    """
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=10)
    try:
        target = parts._replace(scheme="", netloc="").geturl() or "/"
        connection.request("POST", target, posted.body, dict(posted.headers))
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def host_of(url: str) -> str:
    """The value of `Host` in a request to an address: with its port, unless that is the default."""
    parts = urlsplit(url)
    default = ":443" if parts.scheme == "https" else ":80"
    return parts.netloc.rpartition("@")[2].removesuffix(default)
