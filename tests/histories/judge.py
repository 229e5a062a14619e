"""What has to be so at the end of a history: nobody was asked twice, nothing is lost, and what is
told of a payment is so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Any, NamedTuple

from tests.histories.provider import Work


class Word(Enum):
    """What is told of a payment."""

    DONE = "done"
    NOT_DONE = "not done"
    UNKNOWN = "unknown"
    OPEN = "open"
    """It has not ended, though it should have."""


class Told(NamedTuple):
    """A payment at the end: by what the provider knows it, what is told of it, and of which id.

    `amount` is what it asks for, if that is to be compared. `words` name it in a complaint.
    """

    fact: str
    word: Word
    id: str | None
    words: Any
    amount: str | None = None

    def is_of(self, work: Work) -> bool:
        """Whether it names this work, and asks for its amount."""
        amount = work.values.get("payment_details.amount")
        return self.id in (None, work.id) and self.amount in (None, amount)


def judge(payments: Iterable[Told], works_of: Callable[[str], list[Work]]) -> Iterator[str]:
    """Compare what is told of payments with what the provider has done for them."""
    by_fact = dict[str, list[Told]]()
    for payment in payments:
        by_fact.setdefault(payment.fact, []).append(payment)
    for fact, told in by_fact.items():
        works = works_of(fact)
        there = f"{[each.words for each in told]}, and there is {[work.id for work in works]}"
        done = [each for each in told if each.word is Word.DONE]
        may_be_made = [each for each in told if each.word is not Word.NOT_DONE]
        named = [each.id for each in done if each.id is not None]
        if len(works) > len(told):
            yield f"asked twice: {fact} was done {len(works)} times, of {there}"
        elif len(works) > len(may_be_made):
            yield f"told wrong: not done are {there}"
        if not all(any(map(each.is_of, works)) for each in done):
            yield f"told wrong: done are {there}"
        if len(set(named)) < len(named):
            yield f"told wrong: one are {there}"
        if any(each.word is Word.OPEN for each in told):
            yield f"lost: never settled are {there}"
