"""`Inbox` and `AsyncInbox`, and their base `InboxBase`.

First comes what an inbox needs of the webhook of a system (`ReceivesWebhook`, `TakesName`).
`receive` stores a notification as an event, once; the pass `handle` of the queue reads its object,
and calls the handlers.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, Protocol, cast

import httpx
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from victor_ext import BadRequest, ConfigurationError, Delivery, NotFound
from victor_ext._event_queue.databases import DatabaseTime, table_of
from victor_ext._event_queue.drivers import AwaitedDriver, BlockingDriver
from victor_ext._event_queue.events import EventState, event_table
from victor_ext._event_queue.fitness import check_arguments, prepared_engine
from victor_ext._event_queue.handlers import H, Handlers
from victor_ext._event_queue.queue import (
    MOST_TRIES,
    EventKind,
    EventQueue,
    FailedTry,
    HandlesEvents,
    MakesTables,
    usual_failure,
)
from victor_ext._event_queue.rows import delete_rows, insert_once
from victor_ext._event_queue.transactions import (
    Engine,
    Pass,
    Transactions,
    in_session,
)
from victor_ext._event_queue.workers import AwaitedWorker, BlockingWorker, BoxWorker, WorkerPass
from victor_ext._privacy import one_line

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine  # noqa: F401 - a text names it


_log = logging.getLogger("victor_ext.inbox")
_MAY_BE_ANOTHER = (
    "An event %s of %s is dropped: it has no id of its own, and the content of one that came "
    "before. If two events may be equal, say where the id is: webhook(id=...), or "
    "HmacSignature(signed=...) with the header that has it."
)
_NEEDS_NAME = (
    "Not every notification of %s's tells which webhook of the document it is of. Write "
    "receive(..., name=) for these: %s."
)
_WAITS_TO_BE_FOUND = (30.0, 600.0)
"""Seconds before each further inquiry about an id that the system does not know: a notification may
come before its object can be read.
"""
_MOST_NOT_FOUND = 1000
"""The maximum number of events in the state `not_found` that are kept: anybody can post more."""
_BETWEEN_WARNINGS = 3600.0
"""Seconds between two warnings that events were not found."""
_NOT_FOUND = (
    "Events became not_found: %s does not know their ids, and nobody tries them again. Anybody can "
    "post an id, but a wrong base_url has the same look: see dead_letters('not_found'), of which "
    "the newest %d are kept. This is logged once in an hour."
)
_READ = "read "
"""The prefix, in the table of ids, of a state that was read."""


class ReceivesWebhook(Protocol):
    """A webhook of a system, such as `victor_ext.providers.velo.Webhook`, as an inbox uses it.

    A webhook whose requests prove nothing of their sender has `anybody_can_post = True`: an event
    with an id that the system does not know is given up after a few inquiries. The webhook's
    `is_own_response(response)` tells which responses with 404 or 400 are the system's own; without
    it, each JSON object is the system's. After another response, such as the page of a proxy, the
    event is tried again, and at last is a dead letter.
    """

    @property
    def provider(self) -> str:
        """The name of the system."""
        ...

    def delivery(self, body: Any, headers: Any) -> Delivery:
        """Check a request, and say what it is. Raises `AuthenticationError` or `InvalidRequest`."""
        ...

    def notification(self, content: str) -> Any:
        """The notification in the `content` of a delivery, as handlers get it."""

    def reading(self, client: Any, notification: Any) -> Callable[[], Any] | None:
        """The call of the client that reads the object of a notification; None: it has no
        object.
        """

    def state_of(self, record: Any) -> str | None:
        """A text that differs between two states of the object that was read; None: the system's
        notifications tell their states themselves.
        """


class TakesName(Protocol):
    """The further part of a webhook to which `receive` can pass a `name`: that of a webhook in the
    document of a connected client.
    """

    @property
    def needs_name(self) -> tuple[str, ...]:
        """The names of the webhooks whose bodies may not tell them from the others."""
        ...

    def delivery(self, body: Any, headers: Any, *, name: str | None = None) -> Delivery:
        """What was delivered to the webhook with this name. Raises what `delivery` of
        `ReceivesWebhook` does.
        """
        ...


_INQUIRY = re.compile(r"UnknownIdError: inquiry (\d+) ")
"""The begin of an `UnknownIdError`, as it is stored."""


class UnknownIdError(Exception):
    """The system does not know the id in a notification, which anybody could have posted.

    Attributes:
        message: What the system said.
        inquiry: The number of the inquiry, of those in a row that have found nothing.
    """

    def __init__(self, message: str, inquiry: int = 1) -> None:
        super().__init__(f"inquiry {inquiry} has found nothing: {message}")
        self.message = message
        self.inquiry = inquiry


@dataclass(frozen=True, slots=True)
class InboxEvent:
    """A notification that was received.

    Attributes:
        name: What happened: `payment.accepted`. Of a connected client, in the letters that the
            document or the notification has; else in lower case.
        source: Whom it came from, as `receive` was given it.
        subject: The system's id of the event, or of what it is about.
        notification: What the system sent. It is a hint: rely on `record`.
        record: The object of the notification, as the client has read it before the transaction of
            the handler opened. None: the notification has no object, or the inbox has no client.
        tries: How often it was tried, this time included.
    """

    name: str
    source: str
    subject: str
    notification: Any = field(repr=False)
    record: Any = field(default=None, repr=False)
    tries: int = 0


def names_table(name: str) -> sa.Table:
    """The table of the ids of notifications that were received, by which a repeat is known."""
    return table_of(
        name,
        sa.MetaData(),
        sa.Column("provider", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("received_at", sa.Double, nullable=False, index=True),
    )


class Notifications:
    """The notifications of a system: the ids of those that were received, and what their events are
    (`kind`).

    Args:
        table: Of the ids: see `names_table`.
        webhook: Of the system.
        events: The table of events.
        remember: Seconds for which the ids of notifications are kept.
    """

    def __init__(
        self, table: sa.Table, webhook: ReceivesWebhook, events: sa.Table, remember: float
    ) -> None:
        self._table = table
        self._webhook = webhook
        self._events = events
        self._remember = remember
        self._warned_at = float("-inf")
        """When the last warning of events that were not found was logged, by the monotonic
        clock.
        """

    @property
    def kind(self) -> EventKind[InboxEvent]:
        """The events of an inbox, for their queue."""
        return EventKind(
            lambda _client: self._webhook.provider,
            self.event_of,
            read=self.read,
            failure=self.failure,
            forget=self.forget,
        )

    def add_ids(self, connection: Any, source: str, delivery: Delivery) -> bool:
        """Store the ids of a delivery. Returns whether all of them are new."""
        are_new = True
        # All ids are stored, even after a known one. They are sorted, so that two processes that
        # store the same ones do not wait for each other.
        for id in sorted(set(map(_storable_id, delivery.ids))):
            is_new = self.add_id(connection, source, id)
            are_new = are_new and is_new
        return are_new

    def add_id(self, connection: Any, source: str, id: str) -> bool:
        """Store an id. Returns whether it is new."""
        values = {
            "provider": self._webhook.provider,
            "id": id,
            "received_at": DatabaseTime(),
        }
        return insert_once(connection, self._table, source=source, **values) is not None

    def spelled_name(self, name: str, content: str) -> str:
        """The name of an event in the letters of the document or the notification; else as it is
        stored.
        """
        spelled_name = getattr(self._webhook, "spelled_name", None)
        if spelled_name is None:
            return name
        return one_line(spelled_name(content)) or name

    def event_of(
        self, connection: Connection, row: Any, tries: int, record: Any
    ) -> InboxEvent | None:
        """A notification, with the object that was read. None: it was read in this state before."""
        if not self._is_new_state(connection, row.source, record):
            return None
        name = self.spelled_name(row.name, row.data)
        notification = self._webhook.notification(row.data)
        return InboxEvent(name, row.source, row.subject, notification, record, tries)

    def read(self, row: Any, client: Any) -> Pass[Any]:
        """Read the object of a notification; None: it has none. Raises `UnknownIdError`: the system
        does not know its id.
        """
        reading = self._webhook.reading(client, self._webhook.notification(row.data))
        if reading is None:
            return None
        try:
            return (yield reading)
        except (BadRequest, NotFound) as error:
            anybody_can_post = getattr(self._webhook, "anybody_can_post", False)
            if anybody_can_post and self._is_of_system(error.response):
                raise UnknownIdError(str(error)) from error
            raise

    def _is_of_system(self, response: httpx.Response | None) -> bool:
        """Whether a response comes from the system itself: the page of a proxy is no evidence."""
        if response is None:
            return False
        is_own = getattr(self._webhook, "is_own_response", _is_json_object)
        return bool(is_own(response))

    def _is_new_state(self, connection: Connection, source: str, record: Any) -> bool:
        """Whether the state of an object is new, and note it: two notifications may lead to reads
        of one state.
        """
        if record is None:
            return True
        state = self._webhook.state_of(record)
        if state is None:
            return True
        return self.add_id(connection, source, _READ + _storable_id(state))

    def failure(self, row: Any, error: Exception, tries: int) -> FailedTry:
        """Another try, and at last a dead letter; but an event with an unknown id is soon
        `not_found`, and of those only the newest ones are kept.
        """
        if not isinstance(error, UnknownIdError):
            return usual_failure(row, error, tries)
        numbered = UnknownIdError(error.message, _inquiries_of(row) + 1)
        is_given_up = numbered.inquiry > len(_WAITS_TO_BE_FOUND)

        def keep_newest(connection: Connection) -> None:
            failed.then(connection)
            self._keep_newest_not_found(row.provider, connection)

        def log(_connection: Connection) -> None:
            self._log_not_found(row, tries, is_given_up=is_given_up)

        if tries >= MOST_TRIES:
            failed = usual_failure(row, numbered, tries)
        elif is_given_up:
            failed = FailedTry(EventState.NOT_FOUND, 0.0, numbered, log)
        else:
            wait = _WAITS_TO_BE_FOUND[numbered.inquiry - 1]
            failed = FailedTry(EventState.WAITING, wait, numbered, log)
        return failed._replace(then=keep_newest)

    def _log_not_found(self, row: Any, tries: int, *, is_given_up: bool) -> None:
        """Log that an event was not found. Strangers who post must not fill the log: there is one
        warning in an hour.
        """
        _log.info("The event %s of %s was not found (try %d).", row.name, row.subject, tries)
        now = time.monotonic()
        if is_given_up and now - self._warned_at > _BETWEEN_WARNINGS:
            self._warned_at = now
            _log.warning(_NOT_FOUND, self._webhook.provider, _MOST_NOT_FOUND)

    def _keep_newest_not_found(self, provider: str, connection: Connection) -> None:
        """Delete the oldest events that were not found, if there are too many."""
        columns = self._events.c
        is_not_found = columns.state == EventState.NOT_FOUND
        not_found = sa.and_(columns.provider == provider, is_not_found)
        newest_first = sa.select(columns.id).where(not_found).order_by(columns.id.desc())
        last_kept = newest_first.limit(1).offset(_MOST_NOT_FOUND).scalar_subquery()
        delete_rows(connection, self._events, sa.and_(not_found, columns.id <= last_kept))

    def forget(self, connection: Connection, provider: str, now: float) -> None:
        """Delete old ids."""
        columns = self._table.c
        is_old = sa.and_(
            columns.provider == provider,
            columns.received_at < now - self._remember,
            # A state that was read is kept for ever: however late it is read again, it is not new.
            sa.not_(columns.id.startswith(_READ)),
        )
        delete_rows(connection, self._table, is_old)


class InboxBase(HandlesEvents[InboxEvent], Generic[Engine]):
    """What all inboxes have in common. The arguments are those of `Inbox`."""

    _worker: BoxWorker

    def __init__(
        self,
        engine: Engine,
        webhook: ReceivesWebhook,
        *,
        client: Any = None,
        lease: timedelta = timedelta(minutes=2),
        remember: timedelta = timedelta(days=90),
        table: str = "victor_inbox",
    ) -> None:
        check_arguments(engine, lease=lease, remember=remember)
        self._engine = prepared_engine(engine)
        self._webhook = webhook
        self.client = client
        self.table = names_table(table)
        self.events = event_table(f"{table}_events", self.table.metadata)
        driver = self._driver(self._engine, self.table)
        self._transactions = Transactions(driver, self.table.metadata.sorted_tables)
        self._received = Notifications(self.table, webhook, self.events, remember.total_seconds())
        handlers = Handlers[InboxEvent](self.events, driver)
        seconds = lease.total_seconds()
        self._queue = EventQueue(
            self._transactions, self.events, handlers, self._received.kind, seconds
        )
        passes = (WorkerPass("handle", self._handled),)
        self._worker = BoxWorker("inbox", passes, self._transactions, self._client_or_own, seconds)
        needs_name = getattr(webhook, "needs_name", ())
        if needs_name:
            _log.warning(_NEEDS_NAME, webhook.provider, ", ".join(needs_name))

    def on(self, name: str | None = None, *, source: str | None = None) -> Callable[[H], H]:
        """Register a handler, a function of a session and the `InboxEvent`:
        `@inbox.on("payment.accepted")`.

        It is called in the transaction that deletes the event. It works on the database alone,
        without `commit` and `rollback`.

        Args:
            name: The system's name of the event, in any letter case. None: every event.
            source: Events of one source alone. None: of each.

        Raises:
            ConfigurationError: The function is `async def`, and the inbox has blocking calls; or
                the name is empty.
        """
        return self._queue.handlers.on(name, source, str.casefold)

    @in_session
    def receive(
        self,
        session: Session | Connection,
        body: bytes,
        headers: Any,
        *,
        source: str = "",
        name: str | None = None,
    ) -> InboxEvent | None:
        """Check a request to the webhook, and store it in your transaction, once. Answer 200 after
        the commit.

        Args:
            session: Your session or connection; an async one for `AsyncInbox`, and none for
                `DjangoInbox`.
            body: The body of the request, as the bytes that came.
            headers: Its headers: a mapping, or pairs of name and value.
            source: Whose address it came to, such as the id of a payor. Two sources may have the
                same ids.
            name: The name of the webhook in the document of a connected client, where the bodies do
                not tell it. Give each such webhook an address of its own.

        Returns:
            The event, or None for a repeat.

        Raises:
            AuthenticationError: It may not come from the system. Answer 401.
            InvalidRequest: It is not a notification. Answer 400.
            ConfigurationError: The name is missing, or is none of the document's; or `source` is
                no text, or blank. It may be a notification: answer with an error of the server, and
                it is delivered again.
            django.db.transaction.TransactionManagementError: Of `DjangoInbox`, without an open
                transaction.
        """
        _check_source(source)
        delivery = self._checked_delivery(body, headers, name)
        if not self._received.add_ids(session, source, delivery):
            if delivery.is_known_by_content:
                _log.warning(_MAY_BE_ANOTHER, one_line(delivery.name), one_line(delivery.subject))
            return None  # a repeat
        provider = self._webhook.provider
        subject = one_line(delivery.subject)
        # In lower case, as the names of the handlers are: databases fold letters differently.
        event_name = one_line(delivery.name).casefold()
        once = None
        if delivery.once is not None:
            once = _storable_id(f"{provider} {source} {delivery.once}")
        event_id = self._queue.store(
            session,
            provider=provider,
            name=event_name,
            source=source,
            subject=subject,
            once=once,
            data=delivery.content,
        )
        if event_id is None:
            return None  # an event with the same `once` waits
        notification = self._webhook.notification(delivery.content)
        spelled = self._received.spelled_name(event_name, delivery.content)
        return InboxEvent(spelled, source, subject, notification)

    def _checked_delivery(self, body: bytes, headers: Any, name: str | None) -> Delivery:
        """What the webhook says of a request. The errors are those of `receive`."""
        if name is None:
            return self._webhook.delivery(body, headers)
        if not hasattr(self._webhook, "needs_name"):
            raise ConfigurationError(
                f"name={name!r:.60}: the notifications of {self._webhook.provider}'s say what they "
                "are. Leave name out."
            )
        webhook = cast("TakesName", self._webhook)
        return webhook.delivery(body, headers, name=name)


def _inquiries_of(row: Any) -> int:
    """How many inquiries about an event have found nothing, in a row, after the last error of
    another kind or the last retry of a dead letter.
    """
    inquiry = _INQUIRY.match(row.error or "")
    return 0 if inquiry is None else min(int(inquiry[1]), row.tries)


def _is_json_object(response: httpx.Response) -> bool:
    """Whether the body of a response is a JSON object."""
    try:
        return isinstance(response.json(), dict)
    except ValueError:
        return False


def _check_source(source: object) -> None:
    """Raise `ConfigurationError` unless `source` is a text that is empty or not blank."""
    if isinstance(source, str) and (not source or source.strip()):
        return
    raise ConfigurationError(
        f"source={source!r:.40} names nobody: write source=payor_id, the id of whose address the "
        "request came to, or leave source out."
    )


def _storable_id(text: str) -> str:
    """An id as it is stored: a long or unprintable one, which a database may not take, as its
    digest.
    """
    if text.isprintable() and len(text) <= 200:
        return text
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Inbox(MakesTables, InboxBase[sa.Engine], BlockingWorker):
    """The inbox of one database: SQLite or PostgreSQL. Safe to share between threads, and to use in
    several workers.

    Args:
        engine: An SQLAlchemy engine of the database.
        webhook: What checks and reads the requests of a system: the `Webhook` of Velo, EastPay or
            FlexFactor, or `webhook(...)` of a client that `connect` made.
        client: Reads the object that a notification is about, unless `handle` or `run` is given
            another one.
        lease: How long an event is a worker's before another one takes it up: longer than a read
            and a handler take.
        remember: How long the ids of notifications are kept: longer than the system repeats
            deliveries (Velo: 30 days). States that were read (EastPay) are kept for ever.
        table: The name of the table of ids, `name` or `schema.name`; that of the events has
            `_events` after it.
    """

    _driver = BlockingDriver


class AsyncInbox(MakesTables, InboxBase["AsyncEngine"], AwaitedWorker):
    """`Inbox`, awaited, on an `AsyncEngine`. The arguments are as for `Inbox`."""

    _driver = AwaitedDriver
