"""Decide what becomes of a row of a file, by what is stored of its payment (`RowCase.decide`), and
say why, in a sentence for an operator (`message_of`).

What is decided depends on the state of the payment: it was never sent (`_decide_unsent`), it is in
doubt (`_code_of_doubtful`), rejected (`_decide_rejected`) or created (`_code_of_created`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import Enum, StrEnum, auto

from victor_ext.settlement.flow import PaymentOutcome

from .payments import (
    IN_DOUBT,
    NEVER_LEFT,
    TO_BE_SENT,
    UNREADABLE,
    KeyOrigin,
    RequestedPayment,
    StoredPayment,
)
from .row_digests import differing_columns
from .row_kind import RowKind
from .rows import Arguments, Result, RowContent, RowOutcome
from .vault import RowVault


class Code(StrEnum):
    """What a notice is about: why a row is not simply sent.

    Attributes:
        LOOKS_LIKE: Another payment has the same skeleton, or asks for the same; and it exists, may
            exist or will be sent.
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
        STORE: The payment of the row is stored as the row has it, and sent.
        REFUSE: The payment of the row is stored as the row has it, and not sent.
        KEEP: The payment of the row stays as it is stored.
        SKIP: As KEEP; and the row counts as invalid, because it asks for something else than the
            payment and cannot be sent.
    """

    STORE = auto()
    REFUSE = auto()
    KEEP = auto()
    SKIP = auto()


@dataclass(frozen=True, slots=True)
class RowDecision:
    """What becomes of a row.

    Attributes:
        code: The code of the notice about the row; None: there is no notice.
        other: The other payment that the row looks like; None: an earlier row of its file.
        again: How many keys the payment had before the one that it is sent with.
        since: The time since which the payment may have been sent without a trace in a restored
            state, as JSON of a `SentSince`; None: it was not.
    """

    act: Act
    code: Code | None = None
    other: StoredPayment | None = None
    again: int = 0
    since: str | None = None


_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RowCase:
    """A row of a file, and all by which it is decided about.

    Attributes:
        asked: The row.
        stored: The payment with the key of the row; None: there is none.
        alike: The payments with the skeleton or the values of the row that exist, may exist or will
            be sent.
        has_twin: Whether an earlier row of its file has its skeleton.
        batch: The batch that is sent.
        account: The account that the row would be sent with.
        origin: What the key of the row is made of, beside its value.
    """

    asked: RequestedPayment
    stored: StoredPayment | None
    alike: Sequence[StoredPayment]
    has_twin: bool
    batch: str
    account: str
    origin: KeyOrigin

    def decide(self) -> RowDecision:
        """Decide about the row: nobody may be asked twice, or for what the latest file does not
        have.
        """
        stored = self.stored
        decision = self._decide_unless_restored()
        if decision.act is Act.STORE and self.has_twin and not self._is_allowed:
            decision = self._decide_beside_twin()
        if stored is None or not stored.restored or decision.act is Act.KEEP:
            return decision
        restored = replace(decision, since=stored.stored)
        if decision.act is Act.STORE:
            return replace(restored, code=Code.ASKED_SINCE)
        return restored

    @property
    def _has_same_values(self) -> bool:
        """Whether the payment has the values of the row; its due date may be another one."""
        return self.stored is not None and self.stored.values_digest == self.asked.values_digest

    @property
    def _is_allowed(self) -> bool:
        """Whether a person has allowed a payment with these values."""
        return self.stored is not None and self.stored.allowed and self._has_same_values

    def _decide_beside_twin(self) -> RowDecision:
        """Decide about a row that would be sent, and whose twin comes first in its file."""
        if self.stored is None:
            return RowDecision(Act.REFUSE, Code.LOOKS_LIKE)
        act = Act.KEEP if self.stored.state == PaymentOutcome.REJECTED else Act.REFUSE
        return RowDecision(act, Code.LOOKS_LIKE, again=self.stored.again)

    def _decide_unless_restored(self) -> RowDecision:
        """Decide about the row by a state that has all that was sent."""
        stored = self.stored
        if stored is None or stored.state in NEVER_LEFT:
            return self._decide_unsent()
        if stored.state in IN_DOUBT:
            return RowDecision(Act.KEEP, self._code_of_doubtful(stored))
        if stored.state == PaymentOutcome.REJECTED:
            return self._decide_rejected(stored)
        code = self._code_of_created(stored)
        if code is Code.CREATED_BEFORE and self.asked.due_date == UNREADABLE:
            # The row may be for a new month: nobody can tell, because its due date is no date.
            return RowDecision(Act.SKIP, Code.OTHER_VALUES)
        return RowDecision(Act.KEEP, code)

    def _decide_unsent(self) -> RowDecision:
        """Decide about a row whose payment was never sent, or is new."""
        stored = self.stored
        again = 0 if stored is None else stored.again
        if not self.asked.is_valid:
            return RowDecision(Act.REFUSE, again=again)
        # A person has allowed these values, or they were not refused when they were stored.
        is_waiting = stored is not None and stored.state in TO_BE_SENT
        is_accepted = self._is_allowed or (is_waiting and self._has_same_values)
        look_alike = self._look_alike()
        if look_alike is not None and not is_accepted:
            return RowDecision(Act.REFUSE, Code.LOOKS_LIKE, look_alike, again)
        if stored is None:
            return RowDecision(Act.STORE)
        has_same_row = self._has_same_values and self.asked.due_date == stored.due_date
        is_replaced = stored.batch != self.batch or not has_same_row
        return RowDecision(Act.STORE, Code.REPLACED if is_replaced else None, again=again)

    def _code_of_doubtful(self, stored: StoredPayment) -> Code | None:
        """Return the code of the notice about a row whose payment is in doubt; None: no notice."""
        if stored.account != self.account:
            return Code.ONLY_LOOKED_UP
        if not self._has_same_values or self.asked.due_date == UNREADABLE:
            return Code.SETTLED_AS_STORED
        if _is_later(self.asked.due_date, stored.due_date):
            return Code.DUE_LATER
        return None

    def _decide_rejected(self, stored: StoredPayment) -> RowDecision:
        """Decide about a row whose payment was rejected."""
        # The row that was rejected may have become invalid since, because its due date has passed.
        is_rejected_row = self._has_same_values and self.asked.due_date in (None, stored.due_date)
        if not self.asked.is_valid and not is_rejected_row:
            return RowDecision(Act.SKIP, Code.REJECTED_BEFORE, again=stored.again)
        # Another due date alone does not count: `today` is another date each day.
        if self._has_same_values:
            return RowDecision(Act.KEEP, Code.REJECTED_BEFORE, again=stored.again)
        look_alike = self._look_alike()
        if look_alike is not None:
            return RowDecision(Act.KEEP, Code.LOOKS_LIKE, look_alike, stored.again)
        return RowDecision(Act.STORE, Code.CORRECTED, again=stored.again + 1)

    def _code_of_created(self, stored: StoredPayment) -> Code:
        """Return the code of the notice about a row whose payment was created."""
        if stored.account != self.account:
            return Code.OTHER_ACCOUNT
        if not self._has_same_values:
            return Code.OTHER_VALUES
        if _is_later(self.asked.due_date, stored.due_date):
            return Code.DUE_LATER
        return Code.CREATED_BEFORE

    def _look_alike(self) -> StoredPayment | None:
        """Return a payment that may be the same as the row, and has another key."""
        for other in self.alike:
            # This file has both rows on purpose; or it leaves the other one out.
            is_of_file = (
                other.batch == self.batch and other.state in NEVER_LEFT and not other.restored
            )
            if other.key != self.asked.key and not is_of_file and self._is_look_alike(other):
                return other
        return None

    def _is_look_alike(self, other: StoredPayment) -> bool:
        """Whether a payment with the skeleton or the values of the row, and another key, is for the
        same purpose.
        """
        asked = self.asked
        if other.skeleton_digest == asked.skeleton_digest:
            return True
        other_kind, _, other_column = other.kind.partition("\n")
        if self.origin.column != other_column:
            return True
        if self.origin.kind != other_kind:
            # Another month has a key kind of its own; its due date is more than a day away.
            is_near = not _is_later(asked.due_date, other.due_date)
            return is_near and not _is_later(other.due_date, asked.due_date)
        return other.due_date == asked.due_date


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
    vault: RowVault,
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
    Code.CREATED_BEFORE: "{value} was created before ({batch}, {day}). Not sent again.",
    Code.DUE_LATER: f"{{value}} was asked for {{due}}. Not sent. {_ASK_AGAIN}",
    Code.OTHER_VALUES: (
        "{value} was asked on {day} with {columns}. Not sent. An instalment or remainder "
        "needs a key of its own, such as {value}-2."
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


def look_alike_message(
    value: str,
    other: str,
    place: str,
    *,
    is_respelled: bool,
) -> str:
    """Return the sentence of a notice about a row that looks like another payment.

    Args:
        value: The value of the row in the key column.
        other: That of the other payment.
        place: Where the other payment is: its batch and day, or its line in the same file.
        is_respelled: Whether the values differ by their spelling alone.
    """
    if not is_respelled:
        return (
            f"{value} asks what {other} asked ({place}). Not sent. If both are to be paid: "
            "ask-again."
        )
    return (
        f"{value} is {other} ({place}) in another spelling. Not sent. If they are one payment, "
        f"keep {other}. If both are to be paid: ask-again."
    )


def day_text(moment: float) -> str:
    """Return the day of an epoch time, in UTC, such as `4 March 2026`."""
    day = datetime.fromtimestamp(moment, UTC)
    return f"{day.day} {day:%B %Y}"


def _other_values_text(
    arguments: Arguments, stored: StoredPayment, vault: RowVault, kind: RowKind
) -> str:
    """Return the names of the columns whose values differ, such as `another amount and notes`.

    The values are not named: a value may be an account number.
    """
    if stored.forgotten:  # there is nothing to compare
        return "other values"
    stored_arguments = RowContent.of_stored(vault, stored.row).arguments or {}
    return f"another {' and '.join(differing_columns(kind, stored_arguments, arguments))}"


def _rejection_text(arguments: Arguments | None, stored: StoredPayment, vault: RowVault) -> str:
    """Return why the provider rejected a payment; and what a row with another due date needs.

    A valid row differs by that alone: a row with other values has another notice.
    """
    reason = "it did not say why."
    if stored.forgotten:
        reason = "why is forgotten."
    elif stored.result is not None:
        result = Result(RowOutcome.REJECTED, *vault.deserialize(stored.result))
        reason = result.error or reason
    else:
        reason = vault.opened_error(stored.error) or reason
    if arguments is not None and stored.due_date not in (None, arguments.get("due_date")):
        return f"{reason} Not sent: with another due date alone, it needs ask-again."
    return reason
