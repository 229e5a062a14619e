"""The outboxes of a database: one with blocking and one with awaited calls, and what is stored with
them.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache, partial
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import sqlalchemy as sa
from sqlalchemy.orm import Session

from victor_ext import (
    ConfigurationError,
    InvalidRequest,
    PreparedCall,
    Promise,
    Victor,
    VictorOAuth,
    check_payment_request,
)
from victor_ext.event_queue.databases import DatabaseTime, renewed
from victor_ext.event_queue.names import meant_by
from victor_ext.event_queue.queue import (
    AwaitedQueue,
    BlockingQueue,
    H,
    Handler,
    MakesTables,
    check_arguments,
    counted,
    event_table,
)
from victor_ext.event_queue.transactions import (
    Engine,
    Work,
    connection_of,
    in_session,
    operation,
)
from victor_ext.ids import reference_of
from victor_ext.privacy import concealed
from victor_ext.settlement.arguments import PaymentRequestArguments
from victor_ext.settlement.backoff import Backoff
from victor_ext.settlement.key_age import LEAST_KEPT, Now

from .by_hand import OutboxByHand, refusal
from .digests import is_same_call
from .entries import (
    CREATE,
    VICTOR,
    Entry,
    EntryState,
    OutboxEvent,
    event_name,
    outbox_table,
)
from .forgetting import Forgetting
from .holding import control_table
from .passes import AnyClient, this_moment
from .sealing import Sealing

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine  # noqa: F401 - a text names it


def _require(key: str | None, field: str, value: object) -> None:
    """Refuse what nothing can be found or repeated by. Raises `InvalidRequest`."""
    if reference_of(value):
        return
    what = "missing" if value is None else "blank"
    message = f"{field} is {what}: without it no repeat is safe."
    raise refusal(key, field, "required", message)


@cache
def _preparer() -> Victor:
    """Prepares payment requests for outboxes without a client of Victor's: it has no credentials,
    and sends nothing.
    """
    return Victor(VictorOAuth("no-client-id", "no-client-secret"))


def _check_promise(
    call: PreparedCall, key: str, look_up_by: Mapping[str, str], client: AnyClient
) -> None:
    """Refuse what could be neither repeated nor found after a crash. Raises `InvalidRequest`."""
    if call.promise is Promise.KEYED:
        return
    if call.look_up_needs and not set(call.look_up_needs) <= set(look_up_by):
        hint = f"look_up_by={{{', '.join(f'{name!r}: ...' for name in call.look_up_needs)}}}"
        message = (
            f"After a lost response, {call.name} is looked up, and its look-up needs more: "
            f"pass {hint}."
        )
        raise refusal(key, "look_up_by", "required", message)
    if call.promise is Promise.AT_MOST_ONCE and call.untaken_key:
        message = (
            f"The document says that {call.name} takes a key, and the client was not told of it: "
            f"pass key={call.untaken_key} to connect."
        )
        raise refusal(key, "idempotency_key", "untaken", message)
    if call.promise is Promise.AT_MOST_ONCE:
        message = (
            f"{call.name} has no key, and no read of {client.provider}'s shows whether it was "
            "done. After a lost response "
            "it is not sent again, and a person has to look: pass at_most_once=True to accept that."
        )
        if hasattr(client, "paged"):  # of `connect`: the caller knows its reads
            message += (
                " If a read shows it, say so to the client: "
                f"connect(proofs={{{call.operation!r}: Proof(find)}})."
            )
        raise refusal(key, "at_most_once", "required", message)


WORKERS = range(1, 101)
"""How many calls of an outbox may be under way at once."""
_NAMES_TAKEN = frozenset({"call", "since", "read_from"})
"""What a look-up is given by its caller: no other value may have such a name."""


def _look_up_values(given: Any, key: str | None) -> dict[str, str]:
    """What a look-up is given. Raises `InvalidRequest`: it could not be used after a crash."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        message = "look_up_by is no mapping: write {'payor_id': payor_id}."
        raise refusal(key, "look_up_by", "type", message)
    values: dict[Any, Any] = {**given}
    for name, value in values.items():
        field = f"look_up_by[{name!r:.40}]"
        if not isinstance(name, str) or name in _NAMES_TAKEN:
            message = f"{field}: no look-up needs a value with this name: leave it out."
            raise refusal(key, "look_up_by", "unknown", message)
        if not isinstance(value, str):
            message = f"{field} must be text, not {type(value).__name__}: write str(...)."
            raise refusal(key, field, "type", message)
        if not reference_of(value):
            message = f"{field} is blank: the look-up finds nothing with it."
            raise refusal(key, field, "blank", message)
    return values


def _prepared(
    client: AnyClient,
    operation: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    key: str | None,
) -> PreparedCall:
    _require(key, "idempotency_key", key)
    try:
        call: PreparedCall = client.prepare(operation, *args, **{**kwargs, "idempotency_key": key})
    except InvalidRequest as error:
        error.idempotency_key = key
        raise
    return call


class OutboxOptions(TypedDict, total=False):
    """The options of every outbox; `Outbox` describes them."""

    client: AnyClient | None
    keys_kept: timedelta
    lease: timedelta
    settle_for: timedelta
    workers: int
    storage_key: str | None


class OutboxBase(OutboxByHand[Engine], Forgetting[Engine]):
    """What all outboxes have in common.

    The arguments are those of `Outbox`. None of them closes the client.
    """

    def __init__(
        self,
        engine: Engine,
        client: AnyClient | None = None,
        *,
        keys_kept: timedelta = timedelta(hours=24),
        lease: timedelta = timedelta(minutes=2),
        settle_for: timedelta = timedelta(minutes=10),
        workers: int = 16,
        storage_key: str | None = None,
        table: str = "victor_outbox",
    ) -> None:
        storage_key = concealed(storage_key)
        check_arguments(engine, keys_kept=keys_kept, lease=lease, settle_for=settle_for)
        self._kept = keys_kept.total_seconds()
        if self._kept < LEAST_KEPT:
            raise ConfigurationError(
                f"keys_kept={keys_kept!r} is below {LEAST_KEPT:g} s: a call and its repeats must "
                "end before their key."
            )
        if isinstance(workers, bool) or not isinstance(workers, int) or workers not in WORKERS:
            raise ConfigurationError(
                f"workers={workers!r:.40} must be a whole number from 1 to {WORKERS[-1]}."
            )
        self._workers = workers
        self._backoff = Backoff(threading.Event())
        self._lease, self._settle_for = lease.total_seconds(), settle_for.total_seconds()
        self.client = client
        self.table = outbox_table(table)
        self.events = event_table(f"{table}_events", self.table.metadata)
        self.control = control_table(f"{table}_control", self.table.metadata)
        self._sealing = Sealing(self.control, table, storage_key)
        self._handlers: list[Handler] = []
        self._engine = renewed(engine)

    def on(self, name: str | None = None, *, operation: str | None = None) -> Callable[[H], H]:
        """Register a handler, a function of a session and the `OutboxEvent`:
        `@outbox.on("completed")`.

        It is called in the transaction that stores the change, and may add the next entry to the
        outbox with the session. If it raises, the change is stored without its work, and the event
        is handled later (see `handle`). It works on the database alone: while it runs, others wait
        for its transaction.

        Args:
            name: A state (`sent`, `rejected`, `refused`, `unclear`), or a status of the provider's,
                in any letter case. A status whose word is a state of entries, or close to a known
                one, is `status:rejected`. None: every event.
            operation: The entries of one operation alone, such as `payouts.submit`. None: of each.

        Raises:
            ConfigurationError: The function is `async def`, and the outbox has blocking calls; or
                the outbox's client has no such method; or the name is one letter off a known one.
        """
        # no generated function's name
        if isinstance(operation, str) and "." in operation and self.client is not None:
            with suppress(TypeError, InvalidRequest):  # it has no arguments here
                self.client.prepare(operation)
        self._check_operation(operation)
        return self._on(name, operation)

    def _check_operation(self, operation: object) -> None:
        """Refuse an operation that is none, but like one: its handler would never be called."""
        if not isinstance(operation, str):
            return
        if not operation.strip():
            raise ConfigurationError(
                "operation is empty: name one, such as operation='payouts.submit', or leave it out."
            )
        client = _preparer() if self.client is None else self.client
        known = client.operation_names
        if operation in known:
            return
        in_any_case = {each.casefold(): each for each in known}
        ends = {each.rpartition(".")[2]: each for each in known}
        word = operation.casefold()
        meant = in_any_case.get(word) or ends.get(word) or meant_by(word, known)
        meant = meant or ends.get(meant_by(word, ends) or "")
        if meant is not None:
            raise ConfigurationError(
                f"operation={operation!r:.60} is no operation of {self._provider()}'s: did you "
                f"mean {meant!r}?"
            )

    def _event_name(self, name: str) -> str:
        client = _preparer() if self.client is None else self.client
        return event_name(name, getattr(client, "statuses", ()))

    @in_session
    def add(
        self, session: Session | sa.Connection, **arguments: Unpack[PaymentRequestArguments]
    ) -> None:
        """Store a request in your transaction. It is sent after the commit, and discarded by a
        rollback.

        The same arguments under the same key are stored once.

        Args:
            session: Your session or connection.
                It is an async one for `AsyncOutbox`. `DjangoOutbox` takes none.
            payee_account_number: The account that receives the money.
            payer_counterparty_id: The counterparty that pays.
            amount: US dollars as Decimal, text or int, above zero, with at most two decimals.
            biller_type: `"BUSINESS"` or `"CONSUMER"`.
            due_date: A date or `YYYY-MM-DD`, at most 24 hours ahead.
            ultimate_creditor: The final recipient, only with `"BUSINESS"`.
            amount_modification_allowed: Whether the payer may pay another amount.
            notes: Notes for the payer.
            client_reference_id: Your reference, such as the number of the invoice. It is required.
            idempotency_key: One key for each payment, the same for every repeat. It is required.
            extra_body: Members of the body that are unknown here, by their names on the wire.

        Raises:
            InvalidRequest: An argument is invalid, the key or the reference is missing, or the key
                was used for other arguments (a problem with the code `used`).
            ConfigurationError: `session` is an engine.
            django.db.transaction.TransactionManagementError: Of `DjangoOutbox`, without an open
                transaction.
        """
        key = arguments.get("idempotency_key")
        _require(key, "client_reference_id", arguments.get("client_reference_id"))
        client = (
            _preparer() if self.client is None or self.client.provider != VICTOR else self.client
        )
        call = _prepared(client, CREATE, (), dict(arguments), key)
        # With its key a past due date passes, since it may be repeated: what is stored is compared,
        # what is new is not.
        self._add(session, client, call, key, lambda: check_payment_request(**arguments))

    @in_session
    def add_call(
        self,
        session: Session | sa.Connection,
        operation: str | ModuleType | Callable[..., Any],
        /,
        *args: Any,
        idempotency_key: str,
        at_most_once: bool = False,
        send_before: datetime | None = None,
        look_up_by: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        """Store any write of the client's in your transaction. It is checked now, and its bytes are
        sent later.

        With a key that the operation takes, it is sent again under that key while the provider
        keeps it. Without one it is sent at most once, and then looked up until `settle_for` has
        passed.

        Args:
            session: As for `add`.
            operation: A method of the client (`"payouts.instruct"`), or a generated operation: its
                module (`create_payout`) or one of the module's functions (`create_payout.sync`).
            args: The arguments of the method or of the generated function; so are `kwargs`.
            idempotency_key: The key of the entry, and of the request, if the operation takes one.
                It fills the argument that a generated function has for it, whatever it is called.
            at_most_once: Accept that it is not known after a lost response whether it was done: no
                key is taken, and no read shows it.
            send_before: The moment, aware and to come, from which it is not sent any more: it is
                `refused` then.
            look_up_by: What its look-up needs and the request does not have, such as
                `{"payor_id": payor_id}`.

        Raises:
            InvalidRequest: An argument is invalid; the key was used for another call (a problem
                with the code `used`); it has the number or the code of a card; or nothing could be
                promised after a lost response: the problem names what to pass.
            ConfigurationError: The outbox has no client, the client has no such operation, or
                `session` is an engine.
            django.db.transaction.TransactionManagementError: As for `add`.
        """
        client, given = self._own(None), _look_up_values(look_up_by, idempotency_key)
        call = _prepared(client, operation, args, kwargs, idempotency_key)
        if not at_most_once:
            _check_promise(call, idempotency_key, given, client)
        if send_before is not None and (
            not isinstance(send_before, datetime) or send_before.utcoffset() is None
        ):
            message = (
                "send_before is no aware datetime, but naive or none at all: write "
                "datetime(..., tzinfo=UTC)."
            )
            raise refusal(idempotency_key, "send_before", "naive", message)
        before = None if send_before is None else send_before.timestamp()

        def check() -> None:
            now = Now(this_moment(), client.provider_time())  # as when it is sent
            if before is not None and before <= now.by_provider():
                message = "send_before has passed: nothing would be sent."
                raise refusal(idempotency_key, "send_before", "past", message)

        self._add(
            session, client, call, idempotency_key, check, send_before=before, look_up_by=given
        )

    def _add(
        self,
        session: Session | sa.Connection,
        client: AnyClient,
        call: PreparedCall,
        key: str | None,
        check: Callable[[], object] = lambda: None,
        *,
        send_before: float | None = None,
        look_up_by: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Store a call under its key, once; `check` refuses one that is new."""
        text, given = call.to_text(), json.dumps(dict(look_up_by), sort_keys=True)
        connection = connection_of(session, self)
        vault = self._sealing.of_new_entry(connection)
        row = session.execute(sa.select(self.table).where(self.table.c.key == key)).first()
        if row is None:
            check()
            new = {
                "key": key,
                "reference": call.subject or key,
                "provider": client.provider,
                "operation": call.name,
            }
            new |= {
                "call": text if vault is None else vault.sealed(text),
                "look_up_by": given if vault is None else vault.sealed(given),
                "send_before": send_before,
                "state": EntryState.WAITING.value,
            }
            now = DatabaseTime()
            unset = {"leased_until": 0.0, "ended": False, "restored": False}
            times = {"stored_at": now, "changed_at": now}
            session.execute(sa.insert(self.table).values(**times, **unset, **new))
            return
        entry = self._sealing.opened_row(row)
        if not is_same_call(entry, client.provider, given, text, vault):
            message = (
                f"{key} is in the outbox with another call, or with other arguments: give "
                "each write its own."
            )
            raise refusal(key, "idempotency_key", "used", message)

    # Entries

    @operation
    def entry(self, idempotency_key: str) -> Work[Entry | None]:
        """The entry with this `idempotency_key`, or None."""
        query = sa.select(self.table).where(self.table.c.key == idempotency_key)
        return lambda connection: next(iter(self._read_entries(query, connection)), None)

    @operation
    def entries(self, state: EntryState | str | None = None) -> Work[list[Entry]]:
        """The entries in `state` (None: all), oldest first.

        Raises `InvalidRequest`: there is no such state.
        """
        query = sa.select(self.table).order_by(self.table.c.id)
        if state is not None and state not in list(EntryState):
            raise refusal(
                None, "state", "value", f"state={state!r:.40} is none of {', '.join(EntryState)}."
            )
        if state is not None:
            query = query.where(self.table.c.state == EntryState(state).value)
        return partial(self._read_entries, query)

    def _read_entries(self, query: sa.Select[Any], connection: sa.Connection) -> list[Entry]:
        self._sealing.prepare(connection)
        return [*map(self._entry_of, connection.execute(query))]

    @operation
    def rekey(self, new: str) -> Work[bool]:
        """Protect an encrypted outbox by another secret: from now on `storage_key` has to be it.

        What is stored stays as it is. Workers and services with the old one stop with an error.

        Args:
            new: A secret of at least 16 characters.

        Returns:
            Whether the outbox has a key: one without encrypted entries has none.

        Raises:
            ConfigurationError: The outbox has another storage key; or the new one is too short.
        """
        return partial(self._sealing.rewrap, storage_key=concealed(new))

    @operation
    def counts(self) -> Work[dict[EntryState, int]]:
        """The number of entries in each state that this release knows, such as for `/metrics`."""
        return counted(self.table.c.state, EntryState)


class Outbox(MakesTables, OutboxBase[sa.Engine], BlockingQueue[sa.Engine, OutboxEvent]):
    """The outbox of one database: SQLite or PostgreSQL. Safe to share between threads, and to use
    in several workers.

    None of its methods closes the client, `victor`.

    Args:
        engine: An SQLAlchemy engine of the database that has your invoices.
        client: The client whose writes `add_call` stores, and that `send` sends with, unless it is
            given another one.
        keys_kept: How long the provider keeps an idempotency key. It does not document this: ask,
            and set it.
        lease: How long an entry is a worker's before another one takes it up: at least the client's
            deadline, and the same for all workers.
        settle_for: How long a write is looked up that may have been sent and is not sent again,
            before it is `unclear`: longer than the provider's lists lag.
        workers: The maximum number of calls that a pass has under way at once, 1 to 100.
        storage_key: A secret of at least 16 characters, the same for all workers and services: new
            entries are encrypted. None: they are stored in clear.
        table: The name of the outbox's table, `name` or `schema.name`; that of its events has
            `_events` after it.
    """


class AsyncOutbox(MakesTables, OutboxBase["AsyncEngine"], AwaitedQueue[OutboxEvent]):
    """`Outbox`, awaited, on an `AsyncEngine`.

    That needs `sqlalchemy[asyncio]` and a driver such as aiosqlite or psycopg. `engine` is that of
    the database that has your invoices; the other arguments are as for `Outbox`.
    """
