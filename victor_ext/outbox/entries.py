"""What is stored in the outbox: entries, and the table that has them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from victor_ext import PaymentRequest
from victor_ext.settlement.key_age import Sent


class EntryState(StrEnum):
    """What is known of an entry."""

    WAITING = "waiting"
    """Nothing of it was sent."""
    SENDING = "sending"
    """It is being sent, or may have been: it is taken up again."""
    SENT = "sent"
    """The provider has it."""
    REJECTED = "rejected"
    """The provider rejected it: nothing was created. `error` says why."""
    REFUSED = "refused"
    """The check before it refused it: nothing was sent. `error` says why."""
    UNCLEAR = "unclear"
    """It may have been sent and is not sent again. Its request is uncertain: somebody has to look."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One payment request of the outbox, as it is stored.

    Attributes:
        idempotency_key: Its key.
        client_reference_id: Your reference.
        state: What is known of it.
        request_id: The provider's id of the payment request; None before it is known.
        status: The provider's status; None before it is sent.
        error: Why it was rejected or refused, or None.
    """

    idempotency_key: str
    client_reference_id: str
    state: EntryState
    request_id: str | None
    status: str | None
    error: str | None


def outbox_table(name: str) -> sa.Table:
    """The table. Times are epoch seconds, `leased_until` by the clock of the worker.

    `reference` is as references are compared; `arguments` has it as it is sent. `first_sent_at` is by the provider's
    clock if `by_provider_clock`, else by the worker's; `sent_by` is a digest of the credentials.
    """
    return sa.Table(
        name,
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(128), nullable=False, unique=True),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("arguments", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("leased_until", sa.Double, nullable=False),
        sa.Column("first_sent_at", sa.Double),
        sa.Column("by_provider_clock", sa.Boolean),
        sa.Column("sent_by", sa.Text),
        sa.Column("request_id", sa.Text),
        sa.Column("status", sa.Text),
        sa.Column("ended", sa.Boolean, nullable=False),
        sa.Column("error", sa.Text),
    )


def entry_of(row: Any) -> Entry:
    reference = json.loads(row.arguments)["client_reference_id"]
    return Entry(row.key, reference, EntryState(row.state), row.request_id, row.status, row.error)


def sent_of(row: Any) -> Sent | None:
    """The earliest time at which an entry may have been sent, or None."""
    since: float | None = row.first_sent_at
    return None if since is None else Sent(since, row.sent_by, known=bool(row.by_provider_clock))


def sent_values(sent: Sent | None) -> dict[str, Any]:
    since, by, known = (None, None, None) if sent is None else (sent.since, sent.by, sent.known)
    return {"first_sent_at": since, "sent_by": by, "by_provider_clock": known}


def values_of(request: PaymentRequest) -> dict[str, Any]:
    """What the table stores of a request that the provider has."""
    return {
        "state": EntryState.SENT.value,
        "request_id": request.id,
        "status": request.status,
        "ended": request.is_terminal,
        "error": request.error_message,
    }
