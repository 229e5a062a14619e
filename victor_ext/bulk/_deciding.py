"""The table by which everything is said and asked (`decide`): what the row of a sheet is beside
what is stored of its payment; and the sentences for an operator (`message_of`).

What a row comes to depends on the state of the payment: it was never sent (`_decide_unsent`), it is
in doubt (`_decide_doubtful`), rejected (`_decide_rejected`) or created (`_decide_created`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum, auto

from victor_ext._event_queue.vault import Vault
from victor_ext._settlement.flow import PaymentOutcome

from ._payments import (
    IN_DOUBT,
    NEVER_LEFT,
    TO_BE_SENT,
    UNREADABLE,
    RequestedPayment,
    Sheet,
    StoredPayment,
)
from ._row_digests import differing_columns
from ._row_kind import RowKind
from ._rows import Arguments, RowContent, RowOutcome, content_of


class Code(StrEnum):
    """What a notice is about: why a row is not simply sent.

    Attributes:
        WAITS_OTHERWISE: The payment waits with other values, of a newer sheet of another batch.
        NOT_ASKED: Nothing asks for the payment as this stored sheet has it: what another sheet has
            replaced, or was rejected or pulled back, is asked for by a sheet that is sent.
        CREATED_BEFORE: The payment was created with these values.
        DUE_LATER: The payment was created with these values and an earlier due date, or may have
            been.
        OTHER_VALUES: The payment was created with other values.
        SETTLED_AS_STORED: The payment may have been asked for with other values, which count.
        ONLY_LOOKED_UP: The payment may have been asked for with another account, and is not sent
            again.
        REJECTED_BEFORE: The provider rejected the payment with these values; or it was rejected,
            and the row is not valid.
        CORRECTED: The provider rejected the payment with other values: it is asked under its next
            key.
        REPLACED: The payment was never sent: this row takes the place of its row.
        OTHER_ACCOUNT: The payment was created with another account.
        ASKED_SINCE: The payment may have been asked for since the backup of the state, and is
            looked up.
    """

    WAITS_OTHERWISE = auto()
    NOT_ASKED = auto()
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
        Code.WAITS_OTHERWISE,
        Code.NOT_ASKED,
        Code.DUE_LATER,
        Code.OTHER_VALUES,
        Code.SETTLED_AS_STORED,
        Code.OTHER_ACCOUNT,
    }
)
"""Codes of rows about which a person has to decide: the exit status says so."""


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
        waits: Whether it waits, and was asked for this row.
        is_invalid: Whether the row counts as invalid.
    """

    outcome: RowOutcome
    code: Code | None = None
    asks: bool = False
    again: int = 0
    since: str | None = None
    waits: bool = False
    is_invalid: bool = False


NEW = Verdict(RowOutcome.WAITING, asks=True)
"""What most rows come to: they are valid, and nothing is stored of them."""
_A_DAY = timedelta(days=1)
_CREATED_BEFORE = Verdict(RowOutcome.CREATED, Code.CREATED_BEFORE)


def decide(row: RequestedPayment, stored: StoredPayment | None, sheet: Sheet) -> Verdict:
    """Decide about a row of a sheet: nobody may be asked twice, or for what it does not have.

    `stored` is the payment with the key of the row; None: there is none.
    """
    if stored is None:
        return NEW if row.is_valid else Verdict(RowOutcome.REFUSED, is_invalid=True)
    if stored.state is None or stored.state in NEVER_LEFT:
        verdict = _decide_unsent(row, stored, sheet)
    elif stored.state in IN_DOUBT:
        verdict = _decide_doubtful(row, stored, sheet)
    elif stored.state == PaymentOutcome.REJECTED:
        verdict = _decide_rejected(row, stored)
    else:
        verdict = _decide_created(row, stored, sheet)
    if verdict.asks and not sheet.is_being_sent:
        return Verdict(RowOutcome.TO_DECIDE, Code.NOT_ASKED, again=stored.again)
    if verdict.asks and stored.restored:
        return replace(verdict, code=Code.ASKED_SINCE, since=stored.stored)
    return verdict


def _has_same_values(row: RequestedPayment, stored: StoredPayment) -> bool:
    """Whether a payment has the values of a row; its due date may be another one."""
    return row.values_digest == stored.values_digest


def _decide_unsent(row: RequestedPayment, stored: StoredPayment, sheet: Sheet) -> Verdict:
    """Decide about a row whose payment was never sent."""
    again, state = stored.again, stored.state
    if not row.is_valid:
        return Verdict(RowOutcome.REFUSED, again=again, is_invalid=True)
    waits = state in TO_BE_SENT
    has_same_row = _has_same_values(row, stored) and row.due_date == stored.due_date
    if state is not None and waits and has_same_row:
        is_of_other = stored.batch != sheet.batch
        is_moved = is_of_other and sheet.is_being_sent
        code = Code.REPLACED if is_of_other else None
        return Verdict(RowOutcome(state), code, asks=is_moved, again=again, waits=True)
    if waits and _is_older(sheet, stored):
        return Verdict(RowOutcome.TO_DECIDE, Code.WAITS_OTHERWISE, again=again)
    if state == PaymentOutcome.REFUSED and has_same_row and not sheet.is_being_sent:
        return Verdict(RowOutcome.REFUSED, again=again)
    code = Code.REPLACED if waits else None
    return Verdict(RowOutcome.WAITING, code, asks=True, again=again)


def _is_older(sheet: Sheet, stored: StoredPayment) -> bool:
    """Whether a payment is asked for by a newer sheet of another batch."""
    return sheet.id is not None and stored.batch != sheet.batch and sheet.id < stored.sheet


def _decide_doubtful(row: RequestedPayment, stored: StoredPayment, sheet: Sheet) -> Verdict:
    """Decide about a row whose payment is in doubt."""
    code = None
    if stored.account != sheet.account:
        code = Code.ONLY_LOOKED_UP
    elif not _has_same_values(row, stored) or row.due_date == UNREADABLE:
        code = Code.SETTLED_AS_STORED
    elif _is_later(row.due_date, stored.due_date):
        code = Code.DUE_LATER
    was_accepted = stored.state == PaymentOutcome.ACCEPTED
    return Verdict(RowOutcome.ACCEPTED if was_accepted else RowOutcome.UNKNOWN, code)


def _decide_rejected(row: RequestedPayment, stored: StoredPayment) -> Verdict:
    """Decide about a row whose payment was rejected: corrected, it is asked under its next key."""
    again = stored.again
    # The row that was rejected may have become invalid since, because its due date has passed.
    is_rejected_row = _has_same_values(row, stored) and row.due_date in (None, stored.due_date)
    if is_rejected_row or not row.is_valid:
        is_wrong = not is_rejected_row
        return Verdict(RowOutcome.REJECTED, Code.REJECTED_BEFORE, again=again, is_invalid=is_wrong)
    return Verdict(RowOutcome.WAITING, Code.CORRECTED, asks=True, again=again + 1)


def _decide_created(row: RequestedPayment, stored: StoredPayment, sheet: Sheet) -> Verdict:
    """Decide about a row whose payment was created."""
    if stored.account != sheet.account:
        return Verdict(RowOutcome.TO_DECIDE, Code.OTHER_ACCOUNT)
    if not _has_same_values(row, stored):
        return Verdict(RowOutcome.TO_DECIDE, Code.OTHER_VALUES)
    if _is_later(row.due_date, stored.due_date):
        return Verdict(RowOutcome.TO_DECIDE, Code.DUE_LATER)
    if row.due_date == UNREADABLE:
        # The row may be for a new month: nobody can tell, because its due date is no date.
        return Verdict(RowOutcome.TO_DECIDE, Code.OTHER_VALUES, is_invalid=True)
    return _CREATED_BEFORE


def _is_later(due_date: str | None, before: str | None) -> bool:
    """Whether a due date is more than a day after another one; not, if one of them is unknown."""
    if due_date in (None, UNREADABLE) or before in (None, UNREADABLE):
        return False
    return date.fromisoformat(due_date) - date.fromisoformat(before) > _A_DAY


# The sentences of notices: why a row is not simply sent


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
    arguments = row.arguments
    template = _MESSAGES[code]
    if code is Code.DUE_LATER and stored.state in IN_DOUBT:
        template = _DOUBTFUL_DUE_LATER
    columns = reason = ""
    if code is Code.REJECTED_BEFORE:
        reason = _rejection_text(stored, vault)
    elif code is Code.OTHER_VALUES and arguments is not None:
        columns = _other_values_text(arguments, stored, vault, kind)
    elif code is Code.OTHER_VALUES:
        template = _UNREADABLE
    return template.format(
        value=row.value,
        day=day_text(stored.stored_at),
        batch=stored.batch,
        due=stored.due_date,
        account=stored.account,
        columns=columns,
        reason=reason,
    )


_ASK_AGAIN = (
    "If it has ended unpaid, ask for it in a row with a number of its own, such as {value}-2."
)
_MESSAGES = {
    Code.WAITS_OTHERWISE: (
        "{value} waits with other values, of {batch}, whose sheet is newer. Not sent with these. "
        "Correct the sheet that is wrong, and send that one again."
    ),
    Code.NOT_ASKED: (
        "Nothing asks for {value} as this sheet has it. If it is right, send the sheet again."
    ),
    Code.CREATED_BEFORE: "{value} was created before ({batch}, {day}). Not sent again.",
    Code.DUE_LATER: f"{{value}} was asked for {{due}}. Not sent. {_ASK_AGAIN}",
    Code.OTHER_VALUES: (
        "{value} was asked on {day} with {columns}. Not sent. Write back what was asked. An "
        f"instalment or remainder needs a number of its own. {_ASK_AGAIN}"
    ),
    Code.SETTLED_AS_STORED: (
        "{value} may have been asked on {day}. It is settled with the values of then."
    ),
    Code.ONLY_LOOKED_UP: (
        "{value} may have been asked on {day} with another account. It is only looked up. If the "
        "provider confirms that it has none: resolve it as not-done."
    ),
    Code.REJECTED_BEFORE: "the provider rejected {value} on {day}: {reason}",
    Code.CORRECTED: "{value}, rejected on {day}, is asked as corrected.",
    Code.REPLACED: "{value} had not left: its row was replaced.",
    Code.ASKED_SINCE: (
        "{value} may have been asked since the backup of the state. It is only looked up. If the "
        "provider confirms that it has none: resolve it as not-done."
    ),
    Code.OTHER_ACCOUNT: "{value} was asked with the account {account}. Not sent.",
}
_UNREADABLE = (
    "{value} was asked on {day}, and this row has a value that is not valid. Not sent. Correct the "
    "row."
)
_DOUBTFUL_DUE_LATER = (
    f"{{value}} may have been asked for {{due}}. It is settled as it was asked. {_ASK_AGAIN}"
)


def day_text(moment: float) -> str:
    """Return the day of an epoch time, in UTC, such as `4 March 2026`."""
    day = datetime.fromtimestamp(moment, UTC)
    return f"{day.day} {day:%B %Y}"


def _other_values_text(
    arguments: Arguments, stored: StoredPayment, vault: Vault, kind: RowKind
) -> str:
    """Return the names of the columns whose values differ, such as `another amount and notes`.

    The values are not named: a value may be an account number.
    """
    if stored.row is None:  # there is nothing to compare
        return "other values"
    stored_arguments = content_of(vault, stored.row).arguments or {}
    return f"another {' and '.join(differing_columns(kind, stored_arguments, arguments))}"


def _rejection_text(stored: StoredPayment, vault: Vault) -> str:
    """Return why the provider rejected a payment."""
    if stored.row is None:
        return "why is forgotten."
    return "it did not say why." if stored.error is None else vault.opened_text(stored.error)
