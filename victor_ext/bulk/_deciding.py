"""What the row of a sheet is beside what is stored of its payment (`decide`): new, asked before, or
corrected after a rejection. Nothing else is said of a row (`message_of`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum, auto

from victor_ext._event_queue.vault import Vault
from victor_ext._privacy import mask, redact_excerpt
from victor_ext._settlement.flow import PaymentOutcome

from ._payments import (
    EXISTS_OR_MAY,
    TO_BE_SENT,
    UNREADABLE,
    RequestedPayment,
    Sheet,
    StoredPayment,
)
from ._row_digests import differing_columns
from ._row_kind import RowKind
from ._rows import RowContent, RowOutcome, content_of


class Code(StrEnum):
    """What a notice is about: why a row is not simply sent.

    Attributes:
        ASKED_BEFORE: The payment was asked for with other values, or a later due date, or may have
            been. Or the state is a backup: it may have been asked for since.
        NOT_ASKED: Nothing asks for the payment as this sheet has it, for another sheet counts.
        CORRECTED: The provider rejected the payment with other values: it is asked under its next
            key.
    """

    ASKED_BEFORE = auto()
    NOT_ASKED = auto()
    CORRECTED = auto()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a row of a sheet comes to.

    Attributes:
        outcome: What is reported.
        code: Why it is not simply sent; None: it is, or was.
        asks: Whether an entry is to be made for it, in place of one that waits.
        again: How many keys the payment had before the one that it is asked with.
        since: The time since which the payment may have been sent without a trace in a restored
            state, as JSON of a `SentSince`; None: it was not.
        is_invalid: Whether the row counts as invalid.
    """

    outcome: RowOutcome
    code: Code | None = None
    asks: bool = False
    again: int = 0
    since: str | None = None
    is_invalid: bool = False


NEW = Verdict(RowOutcome.WAITING, asks=True)
"""What most rows come to: they are valid, and nothing is stored of them."""
_A_DAY = timedelta(days=1)


def decide(row: RequestedPayment, stored: StoredPayment | None, sheet: Sheet) -> Verdict:
    """Decide about a row of a sheet: nobody may be asked twice, or for what it does not have.

    `stored` is the payment with the key of the row; None: there is none.
    """
    if stored is None:
        return NEW if row.is_valid else Verdict(RowOutcome.REFUSED, is_invalid=True)
    if stored.state in EXISTS_OR_MAY:
        return _decide_asked(row, stored)
    verdict = _decide_unasked(row, stored, sheet)
    if verdict.asks and not sheet.is_being_sent:
        return Verdict(RowOutcome.TO_DECIDE, Code.NOT_ASKED, again=stored.again)
    if verdict.asks and stored.restored:
        return replace(verdict, code=Code.ASKED_BEFORE, since=stored.stored)
    return verdict


def _decide_asked(row: RequestedPayment, stored: StoredPayment) -> Verdict:
    """Decide about a row whose payment was created, or may have been."""
    differs = (
        row.values_digest != stored.values_digest
        or row.due_date == UNREADABLE
        or _is_later(row.due_date, stored.due_date)
    )
    outcome = RowOutcome.UNKNOWN
    if stored.state == PaymentOutcome.ACCEPTED:
        outcome = RowOutcome.ACCEPTED
    elif stored.state == PaymentOutcome.CREATED:
        outcome = RowOutcome.TO_DECIDE if differs else RowOutcome.CREATED
    return Verdict(outcome, Code.ASKED_BEFORE if differs else None)


def _is_later(due_date: str | None, before: str | None) -> bool:
    """Whether a due date is more than a day after another one; not, if one of them is unknown."""
    if due_date is None or before in (None, UNREADABLE):
        return False
    return date.fromisoformat(due_date) - date.fromisoformat(before) > _A_DAY


def _decide_unasked(row: RequestedPayment, stored: StoredPayment, sheet: Sheet) -> Verdict:
    """Decide about a row whose payment was rejected, or was never sent."""
    again, is_rejected = stored.again, stored.state == PaymentOutcome.REJECTED
    has_same_values = row.values_digest == stored.values_digest
    is_same = has_same_values and row.due_date == stored.due_date
    # The row that was rejected may have become invalid since, because its due date has passed.
    if is_rejected and (is_same or (has_same_values and row.due_date is None)):
        return Verdict(RowOutcome.REJECTED, again=again)
    if not row.is_valid:
        return Verdict(RowOutcome.REFUSED, again=again, is_invalid=True)
    if is_rejected:
        return Verdict(RowOutcome.WAITING, Code.CORRECTED, asks=True, again=again + 1)
    return _decide_unsent(stored, sheet, is_same=is_same)


def _decide_unsent(stored: StoredPayment, sheet: Sheet, *, is_same: bool) -> Verdict:
    """Decide about a valid row whose payment was never sent. `is_same`: it has the same values."""
    again, state = stored.again, stored.state
    is_of_other = stored.batch != sheet.batch
    if state is not None and state in TO_BE_SENT:
        if is_same:
            is_moved = is_of_other and sheet.is_being_sent
            return Verdict(RowOutcome(state), asks=is_moved, again=again)
        if is_of_other and sheet.id is not None and sheet.id < stored.sheet:
            return Verdict(RowOutcome.TO_DECIDE, Code.NOT_ASKED, again=again)
    if state == PaymentOutcome.REFUSED and is_same and not sheet.is_being_sent:
        return Verdict(RowOutcome.REFUSED, again=again)
    return Verdict(RowOutcome.WAITING, asks=True, again=again)


def message_of(
    code: Code,
    row: RowContent,
    stored: StoredPayment,
    vault: Vault,
    kind: RowKind,
) -> str:
    """Return the sentence of a notice about a row that has a payment.

    Args:
        row: What the row asks for.
        stored: The payment of the row.
    """
    is_created = stored.state == PaymentOutcome.CREATED
    return _MESSAGES[code].format(
        value=row.value,
        asked="was asked" if is_created else "may have been asked",
        day=day_text(stored.stored_at),
        batch=stored.batch,
        values=_asked_values(row, stored, vault, kind),
    )


_MESSAGES = {
    Code.ASKED_BEFORE: (
        "{value} {asked} on {day} ({batch}), with {values}. Not asked again. Write back what was "
        "asked. What has ended unpaid is asked once more in a row with a number and a reference of "
        "its own, such as {value}B, and {value} in its column instead_of."
    ),
    Code.NOT_ASKED: (
        "Nothing asks for {value} as this sheet has it: another sheet has it otherwise or left it "
        "out, or it was rejected. If this one is right, correct the other, and send this one again."
    ),
    Code.CORRECTED: "{value}, rejected on {day}, is asked as corrected.",
}


def day_text(moment: float) -> str:
    """Return the day of an epoch time, in UTC, such as `4 March 2026`."""
    day = datetime.fromtimestamp(moment, UTC)
    return f"{day.day} {day:%B %Y}"


def _asked_values(row: RowContent, stored: StoredPayment, vault: Vault, kind: RowKind) -> str:
    """Return with which values a payment was asked that the row has otherwise, such as `amount
    12.00, no notes`. Of an account number, at most the last four digits are shown.
    """
    asked = content_of(vault, stored.row).arguments
    if asked is None:
        return "values that are forgotten"
    texts: list[str] = []
    for name in differing_columns(kind, asked, row.arguments or {}):
        is_account = name in kind.long_numbers and name != kind.reference
        shown = mask if is_account else redact_excerpt
        texts.append(f"{name} {shown(str(asked[name]))}" if name in asked else f"no {name}")
    return ", ".join(texts) or "these values"
