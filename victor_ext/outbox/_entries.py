"""The entries of an outbox and their table.

First come the public types (`EntryState`, `Entry`, `OutboxEvent`), then the names of events, then
the table, and at last the conversions between its rows and the types of this package and of
`settlement`.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import SchemaItem

from victor_ext import Done, InvalidRequest, PreparedCall, Problem
from victor_ext._event_queue.databases import ROW_ID, Condition, is_to_come, split_name, table_of
from victor_ext._privacy import one_line
from victor_ext._settlement.flow import Write
from victor_ext._settlement.key_age import LAST_CALLS, SentSince
from victor_ext._values.ids import canonical_id, reference_of

from ._digests import is_forgotten, reference_digest

VICTOR = "Victor"
CREATE = "payment_requests.create"
CREATES = (CREATE, "create_request_payment")
"""The names of the call that makes a payment request: the method, and the generated function."""
_LONGEST_REFERENCE = 500
"""The maximum characters of a stored reference: an index of PostgreSQL takes 2,700 bytes."""


def provider_of(client: Any) -> str:
    """The name of the system of a client; without one it is Victor."""
    return VICTOR if client is None else str(client.provider)


def refusal(key: str | None, field: str, code: str, message: str) -> InvalidRequest:
    """The error that refuses an argument: `field` is its name, and `code` says why."""
    return InvalidRequest(message, idempotency_key=key, problems=[Problem(field, code, message)])


class EntryState(StrEnum):
    """What is known of an entry."""

    WAITING = "waiting"
    """It was not sent."""
    SENDING = "sending"
    """It is being sent, or may have been sent: a worker takes it up again."""
    SETTLING = "settling"
    """It may have been sent and is not sent again: it is looked up until `settle_for` has passed.
    """
    SENT = "sent"
    """The provider has it."""
    REJECTED = "rejected"
    """The provider rejected it: nothing was created. `error` says why."""
    REFUSED = "refused"
    """Nothing was sent: its time to be sent had passed, or somebody cancelled it. Or nothing was
    done, as somebody says (`resolve`).
    """
    UNCLEAR = "unclear"
    """It may have been sent and is not sent again.

    Whether it was done is uncertain: somebody has to look.
    """


DUE = (EntryState.WAITING, EntryState.SENDING, EntryState.SETTLING)
"""The states of entries that a worker takes up."""
IN_DOUBT = (EntryState.SENDING, EntryState.SETTLING, EntryState.UNCLEAR)
"""The states of entries that may have been sent, and of which it is not known whether they were
done.
"""
NOT_DONE = (EntryState.REJECTED, EntryState.REFUSED)
"""The states of entries of which nothing was done, unless they are `restored`."""
RESTORED = "It may have been sent since its backup was made."
"""A sentence after the error of a restored entry that was rejected or refused."""


@dataclass(frozen=True, slots=True)
class EntryPayment:
    """A payment that an entry asks for: a payout has several.

    Attributes:
        reference: Its reference, as it was sent; None: none.
        amount: In major units, `44.23`.
        currency: ISO 4217.
        id: The provider's id of the payment, if the response to the request has it.
    """

    reference: str | None
    amount: str
    currency: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One write of the outbox, as it is stored.

    Attributes:
        idempotency_key: Its key.
        client_reference_id: Your reference of a payment request; None of any other write.
        reference: The reference by which the write is looked up: that of a payment request, or the
            references of a payout; None: the request has none.
        stored_at: When it was stored, aware, by the clock of the database.
        sent_at: When it was first sent, aware; None: it was not, or it is not known.
        payments: What it asks to be paid, for a comparison of books; a write that asks for no
            payment, such as a refund, has none.
        forgotten: Whether its data was forgotten: key, state, status and id are left.
        restored: Whether it may have been sent since the backup was made that was put back: also if
            it is rejected or refused.
        state: What is known of it.
        request_id: The provider's id of the payment request, or of what the write made or changed;
            None before it is known.
        status: The provider's status; None before it is sent.
        error: Why it was rejected or refused, or why its status is not read; or None.
        operation: What was called: `payouts.instruct`.
        provider: The name of the provider.
        resolved_by: Who has settled it by hand, if somebody has.
        resolved_why: What that person has found.
    """

    idempotency_key: str
    client_reference_id: str | None
    state: EntryState
    request_id: str | None
    status: str | None
    error: str | None
    operation: str = CREATE
    provider: str = VICTOR
    resolved_by: str | None = None
    resolved_why: str | None = None
    reference: str | None = None
    stored_at: datetime | None = None
    sent_at: datetime | None = None
    payments: tuple[EntryPayment, ...] = ()
    forgotten: bool = False
    restored: bool = False


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """A change of an entry.

    Attributes:
        name: Its new state (`sent`, `rejected`, `refused`, `unclear`), or its new status in lower
            case (`completed`). A status whose word is a state of entries is `status:rejected`.
        entry: The entry as it is when the handler is called: of an event that is tried again, it
            may have changed since.
        tries: How often this event was tried, this time included.
    """

    name: str
    entry: Entry
    tries: int = 0


_STATES = frozenset(state.value for state in EntryState)
_STATUS = "status:"
"""The prefix of the name of an event that is a status, whose word is also a state."""


def event_names_of_change(before: Any, after: Any) -> list[str]:
    """The names of the events of a change: a new state, if it is a result, and a new status.

    `before` and `after` are rows of the entry.
    """
    names: list[str] = []
    if after.state != before.state and after.state not in DUE:
        names.append(after.state)
    if after.status and after.status != before.status:
        word = after.status.casefold()
        names.append(f"{_STATUS}{word}" if word in _STATES else word)
    return names


def new_number() -> int:
    """A number that nobody else has; see `outbox_table`."""
    return secrets.randbits(62)


def free_values() -> dict[str, Any]:
    """The column values of an entry that is due, and that no worker has any more."""
    return {"due_at": 0.0, "worker": None, "had_by": new_number()}


def waiting_values() -> dict[str, Any]:
    """The column values of a new entry that are the same for each."""
    values = {"state": EntryState.WAITING, "tries": 0, "ended": False, "restored": False}
    return {**values, **free_values()}


def outbox_table(name: str, *more: SchemaItem, is_key_unique: bool = True) -> sa.Table:
    """The table of entries, which may have more columns. Times are epoch seconds, by the clock of
    the database if nothing else is said.

    - `reference` is the caller's name for what the request makes (one request, or the payments of a
      payout), in the form in which such names are compared; of a long one, its digest. A request
      without such a name has its key there.
    - `more_references` has those of its payments, if there are several, as a list in JSON.
    - `send_before` is the moment that the caller has named.
    - `first_sent_at` is by the provider's clock if `by_provider_clock` is true.
    - `sent_by` is a digest of the credentials.
    - An entry that is `restored` may have been sent since `first_sent_at`, even if its state is
      rejected or refused.
    - `due_at` is when the entry is taken up next: after a pause, after the end of a call that may
      be under way, or for the next read of its status.
    - `worker` is the number of the worker that has the entry now, until `due_at`; and `had_by` that
      of whoever had it last: a worker, a file or a person. Each number is drawn at random: who has
      read the entry before sees by it that it was changed, also in a restored database.
    - `tries` are the tries that have failed, and after which the entry is tried again.
    - A forgotten entry has digests in place of `reference` and `call`.
    """
    _, own_name = split_name(name)
    return table_of(
        name,
        sa.MetaData(),
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(128), nullable=False, unique=is_key_unique),
        sa.Column("reference", sa.Text, nullable=False, index=True),
        sa.Column("more_references", sa.Text),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("look_up_by", sa.Text, nullable=False),
        sa.Column("send_before", sa.Double, index=True),
        sa.Column("settle_until", sa.Double),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("stored_at", sa.Double, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.Column("restored", sa.Boolean, nullable=False),
        sa.Column("due_at", sa.Double, nullable=False),
        sa.Column("worker", sa.BigInteger),
        sa.Column("had_by", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("first_sent_at", sa.Double),
        sa.Column("by_provider_clock", sa.Boolean),
        sa.Column("sent_by", sa.Text),
        sa.Column("request_id", sa.Text, index=True),
        sa.Column("status", sa.Text),
        sa.Column("ended", sa.Boolean, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("resolved_by", sa.Text),
        sa.Column("resolved_why", sa.Text),
        sa.Index(f"ix_{own_name}_state_id", "state", "id"),
        # For `refresh`: of the entries that were sent, few have not ended.
        sa.Index(f"ix_{own_name}_open", "ended", "state", "id"),
        *more,
    )


def is_due_later(columns: Any, now: Any) -> Condition:
    """Holds for entries that wait for the end of a pause, or of a call that a worker may be making.

    The deadline of that worker's client may be longer than ours, so `LAST_CALLS` is the longest
    wait that `is_to_come` believes.
    """
    return is_to_come(columns.due_at, now, LAST_CALLS)


def is_under_call(columns: Any, now: Any) -> Condition:
    """Holds for entries that a worker has: a call of it may be under way."""
    return sa.and_(columns.worker.is_not(None), is_due_later(columns, now))


def is_surely_not_done(columns: Any) -> Condition:
    """Holds for entries of which nothing was done, also since a backup that was restored."""
    return sa.and_(columns.state.in_(NOT_DONE), columns.restored.is_(False))


def stored_reference(reference: str) -> str:
    """A reference in the form in which it is stored: all those of a large payout are a digest."""
    is_long = len(reference) > _LONGEST_REFERENCE
    return reference_digest(reference) if is_long else reference


def more_references(call: PreparedCall, form: Callable[[str], str]) -> str | None:
    """The column of this name of a call that is looked up by its references. `form` is the form in
    which one is stored.
    """
    if call.subject is None:
        return None
    references = {payment.reference for payment in call.payments if payment.reference}
    more = [form(reference_of(reference)) for reference in references - {call.subject}]
    return json.dumps(sorted(more)) if more else None


def references_of(row: Any) -> set[str]:
    """The references of the entry of a row, as they are stored: of two entries with one of them, a
    look-up may show the other one.
    """
    return {row.reference, *json.loads(row.more_references or "[]")}


def subjects_of(row: Any) -> set[str]:
    """The key and the references of the entry of a row: two entries with one of them are not under
    way at once.
    """
    return {row.key, *references_of(row)}


def entry_of(row: Any) -> Entry:
    """The entry of a row (in clear). Of a forgotten one, it has what is left."""
    error = row.error
    if row.restored and row.state in NOT_DONE:
        error = f"{error or ''} {RESTORED}".strip()
    sent_at = None
    if row.first_sent_at is not None and not row.restored:
        sent_at = datetime.fromtimestamp(row.first_sent_at, UTC)
    entry = Entry(
        idempotency_key=row.key,
        client_reference_id=None,
        state=EntryState(row.state),
        request_id=row.request_id,
        status=row.status,
        error=error,
        operation=row.operation,
        provider=row.provider,
        resolved_by=row.resolved_by,
        resolved_why=row.resolved_why,
        stored_at=datetime.fromtimestamp(row.stored_at, UTC),
        sent_at=sent_at,
        restored=row.restored,
    )
    if is_forgotten(row.call):
        return replace(entry, forgotten=True)
    call: PreparedCall = row.prepared
    # Only Victor's requests have a reference of this name.
    body: Any = call.body if row.provider == VICTOR else {}
    payments: list[EntryPayment] = []
    for payment in call.payments:
        id = row.request_id if payment.has_id else None
        payments.append(EntryPayment(payment.reference, payment.amount, payment.currency, id))
    return replace(
        entry,
        reference=call.subject if row.reference != row.key else None,
        client_reference_id=body.get("client_reference_id"),
        payments=tuple(payments),
    )


def sent_of(row: Any) -> SentSince | None:
    """The earliest time at which the entry of a row may have been sent; None: it was not sent.

    `local` is by the clock of the database: an entry is `sending` since it was marked.
    """
    since: float | None = row.first_sent_at
    if since is None:
        return None
    return SentSince(
        since,
        row.sent_by,
        known=bool(row.by_provider_clock),
        looked_up=row.state == EntryState.SETTLING,
        local=row.changed_at if row.state == EntryState.SENDING else None,
    )


def sent_values(sent: SentSince | None) -> dict[str, Any]:
    """The column values of the time of sending, the reverse of `sent_of`."""
    if sent is None:
        return {"first_sent_at": None, "sent_by": None, "by_provider_clock": None}
    return {"first_sent_at": sent.since, "sent_by": sent.by, "by_provider_clock": sent.known}


def write_of(row: Any, ahead: float = 0.0) -> Write:
    """The entry of a row (in clear) as the write that `settle` takes.

    `ahead` are the seconds by which the clock of this machine is ahead of the database's.
    """
    sent = sent_of(row)
    if sent is not None and sent.local is not None:
        sent = sent._replace(local=sent.local + ahead)
    return Write.of(row.prepared, sent, json.loads(row.look_up_by))


def as_status(status: str | None) -> str | None:
    """A status of the provider's, as it is stored: in one line."""
    return None if status is None else one_line(status)


def done_values(done: Done, call: PreparedCall) -> dict[str, Any]:
    """The new column values of an entry whose write was done.

    An entry whose status `refresh` has to follow, but that has no id, has ended with an error.
    """
    is_read_again = call.is_followed and bool(done.id)
    error = None
    if call.is_followed and not done.id:
        error = "The response has no id, so its status is not read."
    return {
        "state": EntryState.SENT,
        "due_at": 0.0,
        "worker": None,
        "request_id": canonical_id(done.id),
        "status": as_status(done.status),
        "ended": done.is_final or not is_read_again,
        "error": error,
    }
