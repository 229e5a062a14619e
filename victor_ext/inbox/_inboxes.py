"""`Inbox` and `AsyncInbox`, and their base `InboxBase`.

First comes what an inbox needs of the webhook of a system (`ReceivesWebhook`).
`receive` stores a notification as an event, once; the pass `handle` of the queue reads its object,
and calls the handlers.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, Protocol

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from victor_ext import Delivery
from victor_ext._event_queue.databases import DatabaseTime, table_of
from victor_ext._event_queue.drivers import AwaitedDriver, BlockingDriver
from victor_ext._event_queue.events import event_table
from victor_ext._event_queue.fitness import check_arguments, prepared_engine
from victor_ext._event_queue.handlers import H, Handlers
from victor_ext._event_queue.queue import EventKind, EventQueue, HandlesEvents, MakesTables
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
_READ = "read "
"""The prefix, in the table of ids, of a state that was read."""


class ReceivesWebhook(Protocol):
    """A webhook of a system, such as `victor_ext.providers.velo.Webhook`, as an inbox uses it.

    `delivery` of a webhook in the document of a connected client also takes its `name`.
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


@dataclass(frozen=True, slots=True)
class InboxEvent:
    """A notification that was received.

    Attributes:
        name: What happened, in lower case: `payment.accepted`.
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
        self._remember = remember.total_seconds()
        kind = EventKind(
            self._provider_of, self._event_of, read=self._read, forget=self._delete_old_ids
        )
        seconds = lease.total_seconds()
        handlers = Handlers[InboxEvent](self.events, driver)
        self._queue = EventQueue(self._transactions, self.events, handlers, kind, seconds)
        passes = (WorkerPass("handle", self._queue.handle),)
        self._worker = BoxWorker("inbox", passes, self._transactions, self._client_or_own, seconds)

    def on(self, name: str | None = None, *, source: str | None = None) -> Callable[[H], H]:
        """Register a handler, a function of a session and the `InboxEvent`:
        `@inbox.on("payment.accepted")`.

        It is called in the transaction that deletes the event. It works on the database alone,
        without `commit` and `rollback`.

        Args:
            name: The system's name of the event, in any letter case. None: every event.
            source: Events of one source alone. None: of each.

        Raises:
            ConfigurationError: The function is `async def`, and the inbox has blocking calls.
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
            ConfigurationError: The name is missing, or is none of the document's. It may be a
                notification: answer with an error of the server, and it is delivered again.
            django.db.transaction.TransactionManagementError: Of `DjangoInbox`, without an open
                transaction.
        """
        named = {} if name is None else {"name": name}
        deliver: Callable[..., Delivery] = self._webhook.delivery
        delivery = deliver(body, headers, **named)
        if not self._add_ids(session, source, delivery):
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
        return InboxEvent(event_name, source, subject, notification)

    # The ids that were received

    def _add_ids(self, connection: Any, source: str, delivery: Delivery) -> bool:
        """Store the ids of a delivery. Returns whether all of them are new."""
        are_new = True
        # All ids are stored, even after a known one. They are sorted, so that two processes that
        # store the same ones do not wait for each other.
        for id in sorted(set(map(_storable_id, delivery.ids))):
            is_new = self._add_id(connection, source, id)
            are_new = are_new and is_new
        return are_new

    def _add_id(self, connection: Any, source: str, id: str) -> bool:
        """Store an id. Returns whether it is new."""
        values = {
            "provider": self._webhook.provider,
            "source": source,
            "id": id,
            "received_at": DatabaseTime(),
        }
        return insert_once(connection, self.table, **values) is not None

    def _delete_old_ids(self, connection: Connection, provider: str, now: float) -> None:
        """Delete the ids that no system repeats any more."""
        columns = self.table.c
        is_old = sa.and_(
            columns.provider == provider,
            columns.received_at < now - self._remember,
            # A state that was read is kept for ever: however late it is read again, it is not new.
            sa.not_(columns.id.startswith(_READ)),
        )
        delete_rows(connection, self.table, is_old)

    # What the queue asks of its events: see `EventKind`

    def _provider_of(self, _client: Any) -> str:
        """The name of the system."""
        return self._webhook.provider

    def _read(self, row: Any, client: Any) -> Pass[Any]:
        """Read the object of a notification; None: it has none."""
        reading = self._webhook.reading(client, self._webhook.notification(row.data))
        if reading is None:
            return None
        return (yield reading)

    def _event_of(
        self, connection: Connection, row: Any, tries: int, record: Any
    ) -> InboxEvent | None:
        """A notification, with the object that was read. None: it was read in this state before, as
        two notifications may lead to reads of one state.
        """
        state = None if record is None else self._webhook.state_of(record)
        if state is not None:
            id = _READ + _storable_id(state)
            if not self._add_id(connection, row.source, id):
                return None
        notification = self._webhook.notification(row.data)
        return InboxEvent(row.name, row.source, row.subject, notification, record, tries)


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
