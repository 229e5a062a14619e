"""The table of payments as the reference has it: what a state says of a row, and what follows.

`decide` is the table; nothing in it reads or writes anything. Each mistake that can be made in the
rules has a name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum, auto
from unicodedata import normalize

from tests.histories.bulk_surface import FileRow
from tests.histories.provider import KEPT
from victor_ext import idempotency_key_for

NEVER_LEFT = ("waiting", "left_out", "refused")
MISTAKES = {
    "the key has the name of the file": "asked twice",
    "the key has the account": "asked twice",
    "the same row of another kind is another payment": "asked twice",
    "what looks alike is looked for among the created alone": "asked twice",
    "what looks alike is not looked for in the file itself": "asked twice",
    "a row that looks like another is never allowed": "was to be asked again, and is refused",
    "#N/A is a key": "not in the last file",
    "what was created is a failure": "without a reason",
    "a new month counts as created": "told wrong",
    "a day later is a new month": "due_later has no reason",
    "other values of what was created are not told": "told wrong",
    "a reference is no value": "ends with 0",
    "what is unknown is sent with the file's values": "told wrong",
    "what is in doubt stops nothing": "started beside doubt",
    "a key that is too old is sent again": "asked twice",
    "what another account may have made is sent again": "asked twice",
    "a look-up that has no match says that there is none": "asked twice",
    "a rejected row is not named": "no notice names",
    "a corrected row keeps its key": "its key was spent",
    "what waits keeps its old values": "other values than the last file's",
    "what waits stays with its batch": "lost",
    "what another account was asked counts": "another account's",
    "another storage key starts anew": "does not stop a send",
    "another storage key resumes": "does not stop a resume",
    "another storage key reads a status": "does not stop a status",
    "the provider's secret is in the digests": "other_values has no reason",
    "two operators decide at once": "told wrong",
    "the export is in the order of storing": "not in the order",
    "what was created before has no line": "lines of",
    "what its file lacks is sent": "not in the last file",
    "what is left out is resumed": "not in the last file",
    "what is dropped is resumed": "not in the last file",
    "what may have been sent is dropped": "is left_out, and is",
    "what is pending is asked again": "asked twice",
    "who asks again is not heard": "was to be asked again",
    "a restored state is believed": "told wrong",
    "what is held is not looked up": "asked twice",
    "a restore that is not released is sent": "does not stop a send",
    "what is forgotten is forgotten whole": "asked twice",
    "what may exist is forgotten": "started beside doubt",
    "digests are forgotten": "told wrong",
    "who resolves is not heard": "lost",
    "what is known is resolved": "is resolved, and was created",
    "nothing that has left is unknown": "told wrong",
}
"""Mistakes in the rules, and what is told of one of the histories that show it."""


class Action(Enum):
    """What becomes of a row."""

    SEND = auto()
    """It waits, with the values of this file, in its batch."""
    SEND_UNDER_NEXT_KEY = auto()
    COUNT = auto()
    REFUSE_NEW = auto()
    """It is stored as refused, until `ask_again` allows it."""
    REFUSE = auto()
    """What is stored stays as it is."""
    SETTLE = auto()
    """Repeated with the stored values and the same key."""
    LOOK_UP = auto()


@dataclass(frozen=True)
class Digests:
    """What is kept of a row when all else is forgotten."""

    values: str
    due: date


@dataclass
class Payment:
    """A payment of the state. Its place there is its kind and its key."""

    kind: str
    key_value: str
    batch: str
    account: str
    digests: Digests
    row: FileRow | None
    """With what it is sent; None: forgotten."""
    state: str = "waiting"
    attempt: int = 0
    id: str | None = None
    sent_at: float | None = None
    """By the provider's clock."""
    state_before_hold: str = ""
    """Of what was stored before a backup: what it was then."""
    is_allowed: bool = False
    is_dropped: bool = False
    place: str = ""
    """Empty, but where a mistake puts more into keys."""

    @property
    def key(self) -> str:
        again = ("again", self.attempt) if self.attempt else ()
        facts = (
            (self.place, self.kind, self.key_value) if self.place else (self.kind, self.key_value)
        )
        return idempotency_key_for(*facts, *again)

    def is_too_old(self, now: float) -> bool:
        return self.sent_at is not None and now - self.sent_at > KEPT


@dataclass(frozen=True)
class NewRow:
    """A row of a file that is decided about."""

    key_value: str
    kind: str
    batch: str
    account: str
    digests: Digests


def values_text(row: FileRow) -> str:
    return f"{row.payer}|{float(row.amount):.2f}|{row.reference}"


def plain_key(text: str) -> str:
    """A key without what a spreadsheet changes in it."""
    folded = normalize("NFKC", text).strip().casefold()
    number = folded.removesuffix(".0")
    return number.lstrip("0") if number.isdecimal() else folded


class Table:
    """The rules, with a mistake in them or none."""

    def __init__(self, mistake: str = "") -> None:
        assert not mistake or mistake in MISTAKES
        self._mistake = mistake

    def has(self, mistake: str) -> bool:
        assert mistake in MISTAKES
        return self._mistake == mistake

    def decide(
        self, stored: Payment | None, new: NewRow, others: Iterable[Payment], now: float
    ) -> tuple[Action, str]:
        """What becomes of a row, and what is told of it. `others` are all other payments."""
        if stored is None or stored.state in NEVER_LEFT:
            return self._of_new(stored, new, others)
        if stored.state == "unknown":
            return self._of_unknown(stored, new, now)
        if stored.state == "rejected":
            return self._of_rejected(stored, new)
        return self._of_created(stored, new)

    def _of_new(
        self, stored: Payment | None, new: NewRow, others: Iterable[Payment]
    ) -> tuple[Action, str]:
        is_allowed = stored is not None and stored.is_allowed
        if not is_allowed and any(self.looks_like(new, other) for other in others):
            return Action.REFUSE_NEW, "looks_like"
        if stored is None:
            return Action.SEND, ""
        is_same = stored.digests == new.digests and stored.batch == new.batch
        return Action.SEND, "" if is_same else "replaced"

    def _of_unknown(self, stored: Payment, new: NewRow, now: float) -> tuple[Action, str]:
        is_others = stored.account != new.account
        if is_others or stored.is_too_old(now) or stored.state_before_hold:
            return Action.LOOK_UP, "only_looked_up"
        return Action.SETTLE, "settled_as_stored"

    def _of_rejected(self, stored: Payment, new: NewRow) -> tuple[Action, str]:
        if stored.digests.values == new.digests.values:
            is_named = not self.has("a rejected row is not named")
            return Action.COUNT, "rejected_before" if is_named else ""
        return Action.SEND_UNDER_NEXT_KEY, "corrected"

    def _of_created(self, stored: Payment, new: NewRow) -> tuple[Action, str]:
        if stored.account != new.account:
            if self.has("what another account was asked counts"):
                return Action.COUNT, "created_before"
            return Action.REFUSE, "other_account"
        if stored.digests.values != new.digests.values:
            is_told = not self.has("other values of what was created are not told")
            return Action.REFUSE, "other_values" if is_told else "created_before"
        longest = 0 if self.has("a day later is a new month") else 1
        is_later = new.digests.due - stored.digests.due > timedelta(days=longest)
        if is_later and not self.has("a new month counts as created"):
            return Action.COUNT, "due_later"
        return Action.COUNT, "created_before"

    def looks_like(self, new: NewRow, other: Payment) -> bool:
        """Whether a row asks what another payment asks, under a key that was made otherwise."""
        if not self._may_be_asked(new, other):
            return False
        is_respelled = plain_key(new.key_value) == plain_key(other.key_value)
        if is_respelled and new.kind == other.kind:
            return True
        if other.digests.values != new.digests.values:
            return False
        days_apart = abs((new.digests.due - other.digests.due).days)
        if new.kind != other.kind:
            is_told = not self.has("the same row of another kind is another payment")
            return days_apart <= 1 and is_told
        return days_apart == 0

    def _may_be_asked(self, new: NewRow, other: Payment) -> bool:
        """Whether another payment may exist, or another batch may send it."""
        if other.state == "created" or self._mistake.startswith("the key has the "):
            return other.state == "created" and not self._mistake.startswith("the key has the ")
        if self.has("what looks alike is looked for among the created alone"):
            return False
        if other.state == "unknown":
            return True
        return other.state == "waiting" and other.batch != new.batch
