"""The table by which everything is said and asked (`decide`): what the row of a sheet is beside
what is stored of its payment; and the sentences for an operator (`message_of`).

What a row comes to depends on the state of the payment: it was never sent (`_decide_unsent`), it is
in doubt (`_decide_doubtful`), rejected (`_decide_rejected`) or created (`_decide_created`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import Enum, StrEnum, auto

from victor_ext._settlement.flow import PaymentOutcome
from victor_ext._vault import Vault

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
from ._rows import Arguments, Result, RowContent, RowOutcome, content_of


class Code(StrEnum):
    """What a notice is about: why a row is not simply sent.

    Attributes:
        LOOKS_LIKE: It may be another payment in another spelling: see `LookAlike`.
        WAITS_OTHERWISE: The payment waits with other values, of a newer sheet of another batch.
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

    LOOKS_LIKE = auto()
    WAITS_OTHERWISE = auto()
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
        Code.WAITS_OTHERWISE,
        Code.DUE_LATER,
        Code.OTHER_VALUES,
        Code.SETTLED_AS_STORED,
        Code.OTHER_ACCOUNT,
    }
)
"""Codes of rows about which a person has to decide: the exit status says so."""


class LookAlike(Enum):
    """Why a new row may be a payment that exists under another key.

    Attributes:
        SPELLING: The values of their key columns differ by their spelling alone.
        TWIN: The same, of an earlier row of its sheet.
        PARTY: An earlier sheet of the batch has it, this one lacks it, and both ask one payer.
        COPY: It has all values of the row; this sheet lacks it, and shares rows with its batch, or
            most new rows of this sheet are such copies.
    """

    SPELLING = auto()
    TWIN = auto()
    PARTY = auto()
    COPY = auto()


@dataclass(frozen=True, slots=True)
class Question:
    """A payment, or an earlier row of the sheet, that a new row may be.

    Attributes:
        key: The key of the other one.
        place: Where it is, for a message: its batch and day, or its row in the same sheet.
        row: What it asks for, encrypted; None: forgotten.
    """

    likeness: LookAlike
    key: str
    place: str
    row: str | None


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
        is_new: Whether it is asked for unless it is another payment in another spelling.
        waits: Whether it waits unless it is an earlier row of its sheet in another spelling.
        is_invalid: Whether the row counts as invalid.
        question: With `LOOKS_LIKE`: which payment it may be.
    """

    outcome: RowOutcome
    code: Code | None = None
    asks: bool = False
    again: int = 0
    since: str | None = None
    is_new: bool = False
    waits: bool = False
    is_invalid: bool = False
    question: Question | None = None


_NEW = Verdict(RowOutcome.WAITING, asks=True, is_new=True)
"""What most rows come to: they are valid, and nothing is stored of them."""
_A_DAY = timedelta(days=1)
_CREATED_BEFORE = Verdict(RowOutcome.CREATED, Code.CREATED_BEFORE)


def decide(
    row: RequestedPayment,
    stored: StoredPayment | None,
    sheet: Sheet,
    *,
    question: Question | None = None,
    decided: int | None = None,
) -> Verdict:
    """Decide about a row of a sheet: nobody may be asked twice, or for what it does not have.

    Args:
        stored: The payment with the key of the row; None: there is none.
        question: Which other payment the row may be.
        decided: A person has decided that this payment is asked for with these values, when it had
            had so many keys; None: nobody has.
    """
    if stored is None and question is None and row.is_valid:
        return _NEW
    if stored is None or stored.state is None or stored.state in NEVER_LEFT:
        verdict = _decide_unsent(row, stored, sheet, question, decided)
    elif stored.state in IN_DOUBT:
        verdict = _decide_doubtful(row, stored, sheet)
    elif not row.is_valid or decided is None or decided <= stored.again:
        is_rejected = stored.state == PaymentOutcome.REJECTED
        verdict = (
            _decide_rejected(row, stored, question)
            if is_rejected
            else _decide_created(row, stored, sheet)
        )
    else:  # a person has decided that it is asked for once more
        verdict = Verdict(RowOutcome.WAITING, asks=True, again=decided)
    if verdict.asks and stored is not None and stored.restored:
        return replace(verdict, code=Code.ASKED_SINCE, since=stored.stored)
    return verdict


def _has_same_values(row: RequestedPayment, stored: StoredPayment) -> bool:
    """Whether a payment has the values of a row; its due date may be another one."""
    return row.values_digest == stored.values_digest


def _decide_unsent(
    row: RequestedPayment,
    stored: StoredPayment | None,
    sheet: Sheet,
    question: Question | None,
    decided: int | None,
) -> Verdict:
    """Decide about a row whose payment was never sent, or is new."""
    again = 0 if stored is None else stored.again
    if not row.is_valid:
        return Verdict(RowOutcome.REFUSED, again=again, is_invalid=True)
    state = None if stored is None else stored.state
    waits = state in TO_BE_SENT
    has_same_row = False
    if stored is not None:
        has_same_row = _has_same_values(row, stored) and row.due_date == stored.due_date
    if question is not None and decided is None and _is_open(question, row, stored):
        return Verdict(RowOutcome.TO_DECIDE, Code.LOOKS_LIKE, again=again, question=question)
    if stored is not None and state is not None and waits and has_same_row:
        is_moved = stored.batch != sheet.batch
        code = Code.REPLACED if is_moved else None
        return Verdict(RowOutcome(state), code, asks=is_moved, again=again, waits=True)
    if stored is not None and waits and _is_older(sheet, stored):
        return Verdict(RowOutcome.TO_DECIDE, Code.WAITS_OTHERWISE, again=again)
    is_refused = state == PaymentOutcome.REFUSED
    if is_refused and has_same_row and not sheet.is_being_sent and decided is None:
        return Verdict(RowOutcome.REFUSED, again=again)
    code = Code.REPLACED if waits else None
    return Verdict(RowOutcome.WAITING, code, asks=True, again=again, is_new=True)


def _is_open(question: Question, row: RequestedPayment, stored: StoredPayment | None) -> bool:
    """Whether a question about a row was not answered when its payment was stored, which waits."""
    if question.likeness is LookAlike.TWIN or stored is None or stored.state not in TO_BE_SENT:
        return True
    return question.likeness is not LookAlike.PARTY and not _has_same_values(row, stored)


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


def _decide_rejected(
    row: RequestedPayment, stored: StoredPayment, question: Question | None
) -> Verdict:
    """Decide about a row whose payment was rejected."""
    again = stored.again
    same = _has_same_values(row, stored)
    # The row that was rejected may have become invalid since, because its due date has passed.
    is_rejected_row = same and row.due_date in (None, stored.due_date)
    if not row.is_valid and not is_rejected_row:
        return Verdict(RowOutcome.REJECTED, Code.REJECTED_BEFORE, again=again, is_invalid=True)
    # Another due date alone does not count: `today` is another date each day.
    if same:
        return Verdict(RowOutcome.REJECTED, Code.REJECTED_BEFORE, again=again)
    if question is not None:
        return Verdict(RowOutcome.TO_DECIDE, Code.LOOKS_LIKE, again=again, question=question)
    return Verdict(RowOutcome.WAITING, Code.CORRECTED, asks=True, again=again + 1, is_new=True)


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


def is_near(due_date: str | None, other: str | None) -> bool:
    """Whether two due dates are at most a day apart, or one of them is unknown."""
    return not _is_later(due_date, other) and not _is_later(other, due_date)


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
        reason = _rejection_text(arguments, stored, vault)
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
    "What is unpaid needs ask-again. Another key kind would ask for an invoice again: it is only "
    "for the next month of keys that name payers."
)
_MESSAGES = {
    Code.WAITS_OTHERWISE: (
        "{value} waits with other values, of {batch}, whose sheet is newer. Not sent with these. "
        "Correct the sheet that is wrong, and send that one again."
    ),
    Code.CREATED_BEFORE: "{value} was created before ({batch}, {day}). Not sent again.",
    Code.DUE_LATER: f"{{value}} was asked for {{due}}. Not sent. {_ASK_AGAIN}",
    Code.OTHER_VALUES: (
        "{value} was asked on {day} with {columns}. Not sent. Write back what was asked. Or, once "
        "{value} has ended unpaid: ask-again. An instalment or remainder needs a number of its "
        "own, such as {value}-2."
    ),
    Code.SETTLED_AS_STORED: (
        "{value} may have been asked on {day}. It is settled with the values of then."
    ),
    Code.ONLY_LOOKED_UP: (
        "{value} may have been asked on {day} with another account. It is only looked up. If the "
        "provider confirms that it has none: resolve it as not-created."
    ),
    Code.REJECTED_BEFORE: "the provider rejected {value} on {day}: {reason}",
    Code.CORRECTED: "{value}, rejected on {day}, is asked as corrected.",
    Code.REPLACED: "{value} had not left: its row was replaced.",
    Code.ASKED_SINCE: (
        "{value} may have been asked since the backup of the state. It is only looked up. If the "
        "provider confirms that it has none: resolve it as not-created."
    ),
    Code.OTHER_ACCOUNT: "{value} was asked with the account {account}. Not sent.",
}


_UNREADABLE = (
    "{value} was asked on {day}, and this row has a value that is not valid. Not sent. Correct the "
    "row, or leave it out."
)
_DOUBTFUL_DUE_LATER = (
    f"{{value}} may have been asked for {{due}}. It is settled as it was asked. {_ASK_AGAIN}"
)


_OF_LIKENESS = {
    LookAlike.SPELLING: (
        "{value} is {other} ({place}) in another spelling. Not sent. If they are one payment, keep "
        "{other}. If both are to be paid: ask-again."
    ),
    LookAlike.PARTY: (
        "{value} has the payer or payee of {other} ({place}), which this sheet lacks: is it that "
        "payment in another spelling? Not sent. If it is, write {other} again. If both are to be "
        "paid: ask-again."
    ),
    LookAlike.COPY: (
        "{value} asks what {other} asked ({place}): is it that payment in another spelling? Not "
        "sent. If it is, write {other} again. If both are to be paid: ask-again."
    ),
}
_OF_LIKENESS[LookAlike.TWIN] = _OF_LIKENESS[LookAlike.SPELLING]


def question_message(value: str, question: Question, vault: Vault) -> str:
    """Return the sentence about a row that may be another payment in another spelling.

    Args:
        value: The value of the row in the key column.
    """
    other = content_of(vault, question.row).value or f"the payment {question.key}"
    template = _OF_LIKENESS[question.likeness]
    return template.format(value=value, other=other, place=question.place)


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


def _rejection_text(arguments: Arguments | None, stored: StoredPayment, vault: Vault) -> str:
    """Return why the provider rejected a payment; and what a row with another due date needs.

    A valid row differs by that alone: a row with other values has another notice.
    """
    reason = "it did not say why."
    if stored.row is None:
        reason = "why is forgotten."
    elif stored.result is not None:
        result = Result(RowOutcome.REJECTED, *vault.opened(stored.result))
        reason = result.error or reason
    else:
        reason = vault.opened_error(stored.error) or reason
    if arguments is not None and stored.due_date not in (None, arguments.get("due_date")):
        return f"{reason} Not sent: with another due date alone, it needs ask-again."
    return reason
