"""What the judge of sheets knows: its own book of what each sheet asked, and the provider's record.

It knows a payer by a name that no program respells, and reads nothing of how bulk sending joins
sheets and payments.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from tests.histories.provider import Provider, Work
from victor_ext import ConfigurationError

SKELETON_KEPT = ("{}", "{}.0", "0{}")
"""What programs make of a key, and a rule about spellings knows."""
SKELETON_LOST = ("Nov {}", "{{{}}}", "x{}x")
"""What no rule about spellings knows."""
TWIN = 100
"""What the number of a payer's second row is more than that of its first one."""

Asked = tuple[str, str]
"""The key of a row, and its amount."""
Sheet = dict[int, Asked]
"""The rows of a sheet, by the numbers of their payers."""


def key_of(payer: int) -> str:
    """The key of a payer's row, as it is written first."""
    return f"{payer}00"


def payer_of(row: int) -> int:
    return row % TWIN


def keys_of(sheet: Sheet) -> set[str]:
    return {key for key, _ in sheet.values()}


def is_plain(payer: int, key: str) -> bool:
    """Whether a key is one that a rule about spellings knows."""
    return key in {spelling.format(key_of(payer)) for spelling in SKELETON_KEPT}


@dataclass
class Step:
    """A step that a person has taken with the payouts of a batch.

    Attributes:
        number: The number of the person's process.
        begun: How much the provider had done when it began.
        sheets: Those that were the latest of the batch until it was stored, or may have been.
        ended: How much the provider had done when it was stored; None: it is not yet.
    """

    number: int
    batch: str
    begun: int
    sheets: list[Sheet]
    ended: int | None = None


@dataclass
class Book:
    """What was sent under the name of each batch.

    Attributes:
        sent: The latest sheets: several, if it is not known which of them was stored last.
        listed: The keys of its sheets that surely were stored.
        may_be_listed: The keys of all its sheets.
        first_senders: Who surely has sent its first sheet.
        series: How many lists may have begun under its name.
        begun: How many sheets were begun to be sent.
        under_way: How many are under way: also of who was killed.
        steps: The steps of payouts that were taken.
        also: What a person has decided to pay though the sheet differs.
    """

    sent: dict[str, list[Sheet]] = field(default_factory=dict[str, list[Sheet]])
    listed: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    may_be_listed: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    first_senders: dict[str, str] = field(default_factory=dict[str, str])
    series: Counter[str] = field(default_factory=Counter[str])
    begun: Counter[str] = field(default_factory=Counter[str])
    under_way: Counter[str] = field(default_factory=Counter[str])
    steps: list[Step] = field(default_factory=list["Step"])
    also: set[Asked] = field(default_factory=set[Asked])

    def copy(self) -> Book:
        """As it is now. What cannot be put back, such as what was paid, is noted in both."""
        return replace(
            self,
            sent={name: [*each] for name, each in self.sent.items()},
            listed={name: {*each} for name, each in self.listed.items()},
            first_senders={**self.first_senders},
        )

    @contextmanager
    def sending(self, batch: str, sheet: Sheet, person: str) -> Generator[None]:
        """Note a sheet, which may be stored. Which is the latest one is known where no other one
        was sent meanwhile, and nobody was killed.
        """
        before = self.sent.get(batch, [])
        self.series[batch] += self._may_begin_series(batch, sheet)
        self.sent[batch] = [*before, sheet]
        self.may_be_listed.setdefault(batch, set()).update(keys_of(sheet))
        self.under_way[batch] += 1
        self.begun[batch] += 1
        begun, were_others = self.begun[batch], self.under_way[batch] > 1
        for step in self.steps:
            if step.batch == batch and step.ended is None:
                step.sheets.append(sheet)
        try:
            yield
        except ConfigurationError:  # nothing was stored: it may be another list, or all is held
            with suppress(ValueError):  # a newer sheet was surely stored meanwhile
                self.sent[batch].remove(sheet)
            self.under_way[batch] -= 1
            raise
        self.under_way[batch] -= 1
        self.listed.setdefault(batch, set()).update(keys_of(sheet))
        if self.begun[batch] == begun and not were_others:
            self.sent[batch] = [sheet]
            if begun == 1:
                self.first_senders[batch] = person

    def begin_step(self, number: int, batch: str, done: int) -> None:
        self.steps.append(Step(number, batch, done, [*self.sent.get(batch, [])]))

    def end_step(self, number: int, done: int) -> None:
        """Note that a process has stored its step, or was killed."""
        for step in self.steps:
            if step.number == number and step.ended is None:
                step.ended = done

    def payable(self, made: int, paid: int) -> Iterator[Sheet]:
        """The sheets by which a payout may be paid: their places in the provider's record."""
        for step in self.steps:
            if step.begun <= paid and (step.ended is None or step.ended > made):
                yield from step.sheets

    def _may_begin_series(self, batch: str, sheet: Sheet) -> bool:
        """Whether a sheet may share no row with the one before it."""
        before = [each for each in self.sent.get(batch, []) if each]
        return bool(sheet) and any(not keys_of(sheet) & keys_of(each) for each in before)

    def can_be_told(self, batch: str, sheet: Sheet, made: dict[int, list[Asked]]) -> bool:
        """Whether the rules can tell that rows of a sheet are respelled: a spelling that has
        another skeleton is told where the payment exists, and a sheet of the batch has had it; or
        where nothing but the key differs, in a copy of another list. A sheet with a key twice is
        refused.
        """
        if len(keys_of(sheet)) < len(sheet):
            return False
        begins_series = self.series[batch] > 0 or self._may_begin_series(batch, sheet)
        others = {
            row: asked for row, asked in sheet.items() if not is_plain(payer_of(row), asked[0])
        }
        copies: dict[int, str] = {}
        for row, (_, amount) in others.items():
            payer = payer_of(row)
            works = made.get(payer, [])
            if len(works) != 1 or payer + TWIN * (row < TWIN) in sheet:
                return False
            ((key, asked),) = works
            if begins_series or key not in self.listed.get(batch, ()):
                copies[row] = key
                if asked != amount:
                    return False
        # Where the two share rows, each of them is told; else only if most new rows are copies.
        apart = dict[int, set[str]]()
        for row, key in copies.items():
            listers = self.listers(key)
            if not all(self._shares(batch, sheet, name) for name in listers):
                apart[row] = listers
        lists = {name for names in apart.values() for name in names}
        return not apart or (len(lists) == 1 and 2 * len(apart) >= len(sheet))

    def listers(self, key: str) -> set[str]:
        """The batches whose sheets may have had a key."""
        return {name for name, keys in self.may_be_listed.items() if key in keys}

    def _shares(self, batch: str, sheet: Sheet, name: str) -> bool:
        """Whether a sheet has a row that another batch has had."""
        return name != batch and bool(keys_of(sheet) & self.listed.get(name, set()))


def made_by(provider: Provider) -> dict[int, list[Asked]]:
    """What the provider has made for each payer."""
    made: dict[int, list[Asked]] = {}
    for work in provider.done:
        for payer, asked in asked_by(work):
            made.setdefault(payer, []).append(asked)
    return made


def asked_by(work: Work) -> Iterator[tuple[int, Asked]]:
    """The payers that something was made for, and what it asks of each."""
    values = work.values
    for each in values.get("payments", ()):
        amount = f"{each['amount'] / 100:.2f}"
        yield _number(each["remoteId"]), (each["payorPaymentId"], amount)
    if "payer.victor_counterparty_id" in values:
        amount = values["payment_details.amount"]
        yield _number(values["payer.victor_counterparty_id"]), (str(work.reference), amount)


def _number(payer: str) -> int:
    return int(payer.removeprefix("payer-"))
