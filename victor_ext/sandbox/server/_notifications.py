"""Notifications that a sandbox posts: what is still to be posted, again and again until it is
taken, and the log of what was.

All of it runs on the serving thread between calls, and no call waits for a receiver. A receiver
gets one notification at a time. The time between two attempts is that of the business clock.
"""

import asyncio
import heapq
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal
from urllib.parse import urlsplit

from victor_ext.sandbox.server._commands import NotFound
from victor_ext.sandbox.server._context import SandboxContext, access, logger
from victor_ext.sandbox.server._exchange import JsonObject
from victor_ext.sandbox.server._faults import Fault
from victor_ext.sandbox.server._posting import (
    Application,
    NotAnswered,
    Posted,
    check_address,
    host_of,
    post,
)
from victor_ext.sandbox.server._privacy import one_line, sent_text, shown_headers
from victor_ext.sandbox.server._settings import is_this_machine

State = Literal["waiting", "taken", "given up", "not posted"]
Make = Callable[[str, bool], Posted | None]
"""Makes what is posted to an address, each time; the second argument: whether it was posted before.
None: it is not wanted any more."""

_KEPT = 1000
"""The number of deliveries that are remembered: the last ones."""
_TICK = 1.0
"""Seconds between two looks whether time alone has moved something."""
_LATE = 60.0
"""Seconds of the business clock after which a notification comes that waits for the next one."""


@dataclass(frozen=True, slots=True)
class Resending:
    """When a provider posts a notification again. Times are in seconds.

    Attributes:
        taken: The statuses after which it is not posted again.
        end: How long after the event the last attempt may be.
        patience: How long the provider waits for a response, by this machine's clock.
        first: The time before the second attempt. Each further time is twice as long,
        longest: and so long at most.
    """

    taken: range = range(200, 300)
    end: float = 3 * 86_400.0
    patience: float = 10.0
    first: float = 60.0
    longest: float = 21_600.0

    def wait_after(self, attempts: int) -> float:
        """The time before the next attempt."""
        return min(self.first * 2.0 ** min(attempts - 1, 60), self.longest)


_NEVER = Resending(taken=range(0), end=0.0)


@dataclass(slots=True)
class Attempt:
    """One POST, and what came of it."""

    at: float
    """Epoch seconds of the sandbox's wall clock."""
    headers: dict[str, str]
    """Without credentials."""
    body: str
    """The body that was posted, unchanged, so that its signature can be checked; without
    credentials.
    """
    status: int | None = None
    error: str | None = None
    """Why there was no response."""
    milliseconds: float | None = None
    fault: str | None = None

    def to_dict(self) -> JsonObject:
        return {name: getattr(self, name) for name in Attempt.__slots__}


@dataclass(slots=True)
class Delivery:
    """One notification to one address."""

    number: int
    event: str
    """The provider's name of what happened."""
    about: str
    """The id of what it is about."""
    url: str
    make: Make
    due: float
    """Epoch seconds of the business clock: when it is posted next."""
    end: float
    """Epoch seconds of the business clock: it is not posted later."""
    state: State = "waiting"
    reason: str | None = None
    """Why it is not posted, or no more."""
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    is_late: bool = False
    """Whether a fault has made it late already."""

    def to_dict(self) -> JsonObject:
        names = ("number", "event", "about", "url", "state", "reason", "due")
        facts: JsonObject = {name: getattr(self, name) for name in names}
        facts["due"] = self.due if self.state == "waiting" else None
        return {**facts, "attempts": [attempt.to_dict() for attempt in self.attempts]}


class _Queue:
    """What is still to be posted to one address."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Delivery]] = []
        self._order = count()
        self._after_next: list[Delivery] = []
        self.changed = asyncio.Event()
        self.is_posting = False

    def add(self, delivery: Delivery, *, after_next: bool = False) -> None:
        """Add a delivery for its time; `after_next`: or for right after the next one."""
        heapq.heappush(self._heap, (delivery.due, next(self._order), delivery))
        if after_next:
            self._after_next.append(delivery)
        self.changed.set()

    def hasten(self, now: float, but: Delivery) -> None:
        """Make due what waits for another one: one was posted."""
        waiting = [each for each in self._after_next if each is not but and each.due > now]
        self._after_next.clear()
        for delivery in waiting:
            delivery.due = now
            self.add(delivery)

    def next_due(self) -> float | None:
        """When the next one is due; None: none waits."""
        while self._heap:
            due, _, delivery = self._heap[0]
            # Another time was set since then, or it was posted by command.
            if delivery.state == "waiting" and delivery.due == due:
                return due
            heapq.heappop(self._heap)
        return None

    def take(self, now: float) -> Delivery | None:
        """The next one that is due; it is no more in the queue."""
        due = self.next_due()
        return None if due is None or due > now else heapq.heappop(self._heap)[2]


class Notifications:
    """The notifications of one sandbox.

    Attributes:
        url: Where notifications go that no webhook of the provider's API is for; None: nowhere.
    """

    def __init__(
        self,
        context: SandboxContext,
        resending: Resending | None,
        url: str | None,
        tick: Callable[[], None],
    ) -> None:
        self.url = url
        self._context, self._resending, self._tick = context, resending or _NEVER, tick
        self._clock = context.clock
        self._log: deque[Delivery] = deque(maxlen=_KEPT)
        self._numbers = count(1)
        self._queues: dict[str, _Queue] = {}
        self._applications: dict[str, Application] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_started = False
        self._idle = asyncio.Event()

    # What a provider calls

    def add(
        self, event: str, about: str, make: Make, *, url: str | None = None, after: float = 0.0
    ) -> None:
        """Post a notification to an address (None: the default one), `after` seconds of the
        business clock.

        Nothing happens where there is no address.
        """
        url = url or self.url
        if url is None or self._resending is _NEVER:
            return
        due = self._clock.now() + after
        end = due + self._resending.end
        delivery = Delivery(next(self._numbers), event, about, url, make, due, end)
        self._log.append(delivery)
        self._context.changes += 1
        if self.may_post(url):
            self._queue(url).add(delivery)
        else:
            delivery.state = "not posted"
            delivery.reason = "its host is neither this machine nor that of --notify"

    def require_address(self, event: str, url: str | None = None) -> None:
        """Raise `ValueError` where a notification that somebody asked for has no address."""
        if not (url or self.url):
            raise ValueError(
                f"{event} is not posted: there is no address. Start with --notify URL, or call "
                "notify or notify_app"
            )

    def may_post(self, url: str) -> bool:
        """Whether the sandbox posts to an address: one of this machine, of an application, or on
        the host of `--notify`. Whoever calls the API names addresses: no other host gets a request.
        """
        try:
            check_address(url)
        except ValueError:
            return False
        host = urlsplit(url).hostname or ""
        is_known = host == urlsplit(self.url or "").hostname
        return is_known or host_of(url) in self._applications or is_this_machine(host)

    # What the sandbox calls

    def start(self) -> None:
        """Look from now on, once a second, whether time has moved something."""
        if not self._is_started and self._resending is not _NEVER:
            self._is_started = True
            self._begin(self._watch())

    def wake(self) -> None:
        """Look at once what is due: a command may have moved the clock."""
        for queue in self._queues.values():
            queue.changed.set()

    def reset(self) -> None:
        """Forget all notifications. The addresses stay."""
        for delivery in self._log:
            if delivery.state == "waiting":
                delivery.state = "given up"
        self._log.clear()

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for application in self._applications.values():
            application.end()

    # Commands

    def set_url(self, url: str | None) -> None:
        self.url = url
        self.start()

    def set_application(self, url: str, application: Application) -> None:
        """Post what is for the host of an address to an application, and all by default there."""
        before = self._applications.pop(host_of(url), None)
        if before is not None:
            before.end()
        self._applications[host_of(url)] = application
        self.set_url(url)

    def after(self, number: int) -> list[Delivery]:
        """The deliveries above a number, oldest first."""
        return [delivery for delivery in self._log if delivery.number > number]

    def last(self, count: int) -> list[Delivery]:
        """The last deliveries, newest first."""
        return list(reversed(self._log))[:count]

    def get(self, number: int) -> Delivery:
        for delivery in self._log:
            if delivery.number == number:
                return delivery
        raise NotFound("There is no such delivery, or it has been forgotten.")

    def resend(self, number: int) -> Delivery:
        """Post one again, now, whatever became of it."""
        delivery = self.get(number)
        if not self.may_post(delivery.url):
            raise ValueError(f"delivery {number} is not posted: {delivery.reason}")
        delivery.state, delivery.reason, delivery.due = "waiting", None, self._clock.now()
        self._queue(delivery.url).add(delivery)
        return delivery

    async def wait(self, seconds: float) -> JsonObject:
        """Wait until nothing is due or on its way; `ValueError` after `seconds`."""
        self._tick()
        try:
            async with asyncio.timeout(seconds):
                while any(self._is_busy(queue) for queue in self._queues.values()):
                    self._idle.clear()
                    await self._idle.wait()
        except TimeoutError:
            raise ValueError(
                f"after {seconds:g} s a notification is still on its way: the receiver does not "
                "answer, or runs in the event loop that waits (then await asyncio.to_thread(...))"
            ) from None
        return {}

    def _is_busy(self, queue: _Queue) -> bool:
        due = queue.next_due()
        return queue.is_posting or (due is not None and due <= self._clock.now())

    # The work of each address

    def _queue(self, url: str) -> _Queue:
        """The queue of an address; a new one is served from now on."""
        self.start()
        if url not in self._queues:
            self._queues[url] = queue = _Queue()
            self._begin(self._serve(queue))
        return self._queues[url]

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.get_running_loop().create_task(work))

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            try:
                self._tick()
            except Exception as error:  # noqa: BLE001 (any exception is a mistake of the sandbox)
                logger.error("the sandbox failed to let time pass", exc_info=error)

    async def _serve(self, queue: _Queue) -> None:
        """Post what is due to one address, one after another."""
        while True:
            queue.changed.clear()
            delivery = queue.take(self._clock.now())
            if delivery is not None:
                await self._serve_one(queue, delivery)
                continue
            self._idle.set()
            due = queue.next_due()
            seconds = None if due is None else due - self._clock.now()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await queue.changed.wait()

    async def _serve_one(self, queue: _Queue, delivery: Delivery) -> None:
        """Post one delivery. A mistake of the sandbox ends the delivery, not the queue."""
        queue.is_posting = True
        try:
            await self._deliver(queue, delivery)
        except Exception as error:  # noqa: BLE001 (as above)
            logger.error("the sandbox failed to notify", exc_info=error)
            delivery.state, delivery.reason = "given up", "the sandbox itself failed"
        finally:
            queue.is_posting = False

    async def _deliver(self, queue: _Queue, delivery: Delivery) -> None:
        """Try once, or twice where a fault says so; and plan the next attempt."""
        fault: Fault | None = None
        if not delivery.is_late:
            fault = self._context.faults.pick(event=delivery.event)
        delivery.is_late = False  # one that was late is not late again
        if fault is not None and fault.kind == "delay_notification":
            delivery.is_late = True
            delivery.due += fault.delay or _LATE
            queue.add(delivery, after_next=not fault.delay)
            return
        posted = delivery.make(delivery.url, bool(delivery.attempts))
        if posted is None:
            delivery.state, delivery.reason = "given up", "nobody wants it any more"
            return
        due, is_taken = delivery.due, False
        for _ in range(2 if fault is not None and fault.kind == "double_notification" else 1):
            is_taken = await self._attempt(delivery, posted, fault) or is_taken
        if delivery.state == "waiting" and delivery.due == due:  # else it was sent again meanwhile
            self._plan(queue, delivery, is_taken=is_taken)
        queue.hasten(self._clock.now(), delivery)

    def _plan(self, queue: _Queue, delivery: Delivery, *, is_taken: bool) -> None:
        wait = self._resending.wait_after(len(delivery.attempts))
        if is_taken:
            delivery.state = "taken"
        elif delivery.due + wait > delivery.end:
            delivery.state, delivery.reason = "given up", "it was not taken in time"
        else:
            delivery.due += wait
            queue.add(delivery)

    async def _attempt(self, delivery: Delivery, posted: Posted, fault: Fault | None) -> bool:
        """POST once; returns whether the receiver has taken it."""
        resending = self._resending
        pairs = [(name.lower().encode(), text.encode()) for name, text in posted.headers.items()]
        body = sent_text(posted.body, posted.headers.get("Content-Type", ""))
        attempt = Attempt(self._clock.wall(), shown_headers(pairs), body)
        attempt.fault = None if fault is None else fault.kind
        delivery.attempts.append(attempt)
        self._context.changes += 1
        started = asyncio.get_running_loop().time()
        try:
            if fault is not None and fault.kind == "lose_notification":
                raise NotAnswered("lost on its way")
            async with asyncio.timeout(resending.patience):
                application = self._applications.get(host_of(delivery.url))
                send = post if application is None else application.post
                attempt.status = await send(delivery.url, posted)
        except NotAnswered as error:
            attempt.error = one_line(str(error))
        except TimeoutError:
            attempt.error = f"no response within {resending.patience:g} s"
        attempt.milliseconds = round((asyncio.get_running_loop().time() - started) * 1000, 3)
        self._context.changes += 1
        self._report(delivery, attempt)
        return attempt.status in resending.taken

    @staticmethod
    def _report(delivery: Delivery, attempt: Attempt) -> None:
        if not access.isEnabledFor(logging.INFO):
            return
        came = attempt.error if attempt.status is None else attempt.status
        fault = f"  fault={attempt.fault}" if attempt.fault else ""
        line = f"notified {one_line(delivery.url)}  {came}  {attempt.milliseconds:.1f} ms"
        access.info("%s  %s%s", line, one_line(delivery.event), fault)
