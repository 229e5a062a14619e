"""What becomes of a row of a file, by what is stored of its payment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum, StrEnum, auto

from victor_ext.settlement.flow import PaymentOutcome

from .payments import IN_DOUBT, NEVER_LEFT, TO_BE_SENT, UNREADABLE, RequestedPayment, StoredPayment


class Code(StrEnum):
    """What a notice is about: why a row is not simply sent.

    Attributes:
        LOOKS_LIKE: Another payment, which exists, may or will be sent, asks for the same.
        CREATED_BEFORE: It was created with these values.
        DUE_LATER: It was created with these values, or may have been, and an earlier due date.
        OTHER_VALUES: It was created with other values.
        SETTLED_AS_STORED: It may have been asked for, with other values: those count.
        ONLY_LOOKED_UP: It may have been asked for with another account: it is not sent again.
        REJECTED_BEFORE: The provider rejected it with these values; or the row cannot be sent.
        CORRECTED: The provider rejected it with other values: it is asked under its next key.
        REPLACED: It had not left: this row takes its place.
        OTHER_ACCOUNT: It was created with another account.
        ASKED_SINCE: It may have been asked for since the backup of the state: it is looked up.
    """

    LOOKS_LIKE = auto()
    CREATED_BEFORE = auto()
    DUE_LATER = auto()
    OTHER_VALUES = auto()
    SETTLED_AS_STORED = auto()
    ONLY_LOOKED_UP = auto()
    REJECTED_BEFORE = auto()
    CORRECTED = auto()
    REPLACED = auto()
    OTHER_ACCOUNT = auto()
    ASKED_SINCE = auto()


TO_DECIDE = frozenset(
    {
        Code.LOOKS_LIKE,
        Code.DUE_LATER,
        Code.OTHER_VALUES,
        Code.SETTLED_AS_STORED,
        Code.OTHER_ACCOUNT,
    }
)
"""Codes of rows about which a person has to decide: the exit status says so."""


class Act(Enum):
    """What is done with a row.

    Attributes:
        STORE: Its payment is stored with it, and sent.
        REFUSE: Its payment is stored with it, and not sent.
        KEEP: Its payment stays as it is stored.
        SKIP: The same, and the row counts as wrong: it is not what was asked, and cannot be sent.
    """

    STORE = auto()
    REFUSE = auto()
    KEEP = auto()
    SKIP = auto()


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a row.

    Attributes:
        code: Of the notice; None: there is nothing to say.
        other: The other payment that it looks like.
        again: How many keys the payment had before the one that it is sent under.
        since: The time from which it may have been sent, though the state does not have it; None:
            it was not.
    """

    act: Act
    code: Code | None = None
    other: StoredPayment | None = None
    again: int = 0
    since: str | None = None


_A_DAY = timedelta(days=1)


def decide(
    asked: RequestedPayment,
    stored: StoredPayment | None,
    alike: list[StoredPayment],
    *,
    batch: str,
    account: str,
    key_origin: str,
) -> Decision:
    """Decide about a row: nobody may be asked twice, or for what the latest file does not have.

    Args:
        stored: Its payment, if there is one.
        alike: The payments with its values that exist, may or will be sent.
        batch: The batch that is sent.
        account: The account that it would be sent with.
        key_origin: What its key is made of, beside its value: see `key_origin`.
    """
    decision = _decided(
        asked,
        stored,
        alike,
        batch=batch,
        account=account,
        key_origin=key_origin,
    )
    if stored is None or not stored.restored or decision.act is Act.KEEP:
        return decision
    since = replace(decision, since=stored.stored)
    return replace(since, code=Code.ASKED_SINCE) if decision.act is Act.STORE else since


def _decided(
    asked: RequestedPayment,
    stored: StoredPayment | None,
    alike: list[StoredPayment],
    *,
    batch: str,
    account: str,
    key_origin: str,
) -> Decision:
    if stored is None or stored.state in NEVER_LEFT:
        if not asked.is_valid:
            return Decision(Act.REFUSE, again=_again(stored))
        other = _taken_for(asked, alike, batch, key_origin)
        return _of_unsent(asked, stored, other, batch)
    is_same = asked.values_digest == stored.values_digest
    if stored.state in IN_DOUBT:
        return Decision(Act.KEEP, _of_doubtful(asked, stored, account, is_same=is_same))
    if stored.state == PaymentOutcome.REJECTED:
        other = _taken_for(asked, alike, batch, key_origin)
        return _of_rejected(asked, stored, other, is_same=is_same)
    code = _of_created(asked, stored, account, is_same=is_same)
    if code is Code.CREATED_BEFORE and asked.due_date == UNREADABLE:
        return Decision(Act.SKIP, Code.OTHER_VALUES)  # it may be a new month's
    return Decision(Act.KEEP, code)


def _of_doubtful(
    asked: RequestedPayment,
    stored: StoredPayment,
    account: str,
    *,
    is_same: bool,
) -> Code | None:
    if stored.account != account:
        return Code.ONLY_LOOKED_UP
    if not is_same or asked.due_date == UNREADABLE:
        return Code.SETTLED_AS_STORED
    return Code.DUE_LATER if _is_later(asked.due_date, stored.due_date) else None


def _of_rejected(
    asked: RequestedPayment,
    stored: StoredPayment,
    other: StoredPayment | None,
    *,
    is_same: bool,
) -> Decision:
    is_old = is_same and asked.due_date in (None, stored.due_date)  # which may have passed
    if not asked.is_valid and not is_old:
        return Decision(Act.SKIP, Code.REJECTED_BEFORE, again=stored.again)
    if is_same:  # whatever its due date: `today` is another day each day
        return Decision(Act.KEEP, Code.REJECTED_BEFORE, again=stored.again)
    if other is not None:
        return Decision(Act.KEEP, Code.LOOKS_LIKE, other, stored.again)
    return Decision(Act.STORE, Code.CORRECTED, again=stored.again + 1)


def _again(stored: StoredPayment | None) -> int:
    return 0 if stored is None else stored.again


def _of_unsent(
    asked: RequestedPayment,
    stored: StoredPayment | None,
    other: StoredPayment | None,
    batch: str,
) -> Decision:
    if stored is None:
        if other is not None:
            return Decision(Act.REFUSE, Code.LOOKS_LIKE, other)
        return Decision(Act.STORE)
    is_same = stored.values_digest == asked.values_digest
    is_known = is_same and (stored.allowed or stored.state in TO_BE_SENT)
    if other is not None and not is_known:
        return Decision(Act.REFUSE, Code.LOOKS_LIKE, other, stored.again)
    is_replaced = stored.batch != batch or not is_same
    return Decision(Act.STORE, Code.REPLACED if is_replaced else None, again=stored.again)


def key_origin(key_kind: str, key_column: str) -> str:
    """Return what keys are made of, beside their values, as it is stored."""
    return f"{key_kind}\n{key_column}"


def _taken_for(
    asked: RequestedPayment,
    alike: list[StoredPayment],
    batch: str,
    key_origin: str,
) -> StoredPayment | None:
    """Return the payment that a row asks for, though it has another key."""
    for other in alike:
        if other.key == asked.key:
            continue
        if other.batch == batch and other.state in NEVER_LEFT:
            continue  # it is in this file, too, on purpose; or this file leaves it out
        if _is_taken_for(asked, other, key_origin):
            return other
    return None


def _is_taken_for(
    asked: RequestedPayment,
    other: StoredPayment,
    key_origin: str,
) -> bool:
    kind, _, column = key_origin.partition("\n")
    other_kind, _, other_column = other.kind.partition("\n")
    if column != other_column:
        return True
    if kind != other_kind:  # a new month has a kind of its own, and its own due date
        is_near = not _is_later(asked.due_date, other.due_date)
        return is_near and not _is_later(other.due_date, asked.due_date)
    # Payouts have no due date: a payee may get the same amount each month.
    has_due_date = asked.due_date is not None and other.due_date == asked.due_date
    return has_due_date or other.spelling_digest == asked.spelling_digest


def _of_created(
    asked: RequestedPayment,
    stored: StoredPayment,
    account: str,
    *,
    is_same: bool,
) -> Code:
    if stored.account != account:
        return Code.OTHER_ACCOUNT
    if not is_same:
        return Code.OTHER_VALUES
    return Code.DUE_LATER if _is_later(asked.due_date, stored.due_date) else Code.CREATED_BEFORE


def _is_later(due_date: str | None, before: str | None) -> bool:
    """Whether a due date is more than a day after another one."""
    if due_date in (None, UNREADABLE) or before in (None, UNREADABLE):
        return False
    return date.fromisoformat(due_date) - date.fromisoformat(before) > _A_DAY
