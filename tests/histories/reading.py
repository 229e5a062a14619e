"""Readers of Victor's requests, while the list changes and answers go wrong: `get`, `list`, `find`,
`reconcile`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from unicodedata import normalize

from tests.histories.calls import client
from tests.histories.provider import Rules, Work
from tests.histories.world import Process, World
from victor_ext import VictorError
from victor_ext.reconciliation import reconcile

HOUR = timedelta(hours=1)


class Readings:
    """One reader. Others ask for money and pay meanwhile."""

    settled = frozenset({"read", "BadRequest"})
    """What comes after a last page that was full may be an error."""

    def __init__(self, what: str, count: int, page_size: int | None, rules: Rules) -> None:
        self.world, self.what, self.page_size = World(rules), what, page_size
        self.provider = self.world.provider
        self.processes = [Process(self.world)]
        self.kill(0)
        self.readings: list[tuple[list[Work], Any]] = []
        self.began = datetime.fromtimestamp(self.provider.clock(), UTC)
        for number in range(count):
            self._ask(f"Mü-{number % 12}")

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        what, rules = (
            dice.choice(["list", "list", "leaving", "find", "get", "reconcile"]),
            Rules.draw(dice),
        )
        if what == "reconcile" and dice.random() < 0.3:
            rules = replace(rules, order="shuffled")
        return {
            "what": what,
            "count": dice.randrange(18),
            "page_size": dice.choice([None, 2, 3]),
            "rules": rules,
        }

    def _ask(self, reference: str) -> None:
        payment = {"payer.victor_counterparty_id": "c1", "payment_details.amount": "44.23"}
        self.provider.record("", {"client_reference_id": reference, **payment}, status="pending")

    def meanwhile(self, choice: int) -> None:
        """A request comes, or is paid and leaves the list of those that are pending, or is not
        shown.
        """
        work = self.provider.done[choice % len(self.provider.done)] if self.provider.done else None
        if work is None or choice % 2:
            self._ask(f"NEW-{choice}")
        elif self.what == "leaving":
            work.status = "completed"
        else:
            self.provider.hidden.add(work)

    def start(self, number: int, choice: int) -> None:
        self.processes[number].start(self._read)

    def kill(self, number: int) -> None:
        self.victor = client("victor", self.processes[number])
        self.requests = self.victor.payment_requests

    def end(self) -> None:
        self._read()

    def _read(self) -> None:
        there = list(self.provider.done)
        try:
            is_report = self.what == "reconcile"
            found: Any = (
                [*self._reconcile()] if is_report else [each.id for each in self._requests()]
            )
        except VictorError as error:
            found = error
        self.readings.append((there, found))

    def _requests(self) -> Iterable[Any]:
        if self.what == "find":
            return self.requests.find(normalize("NFD", "Mü-3"), start_datetime=self.began - HOUR)
        if self.what == "get":
            return (
                self.requests.get(work.id)
                for work in list(self.provider.done)
                if self._is_meant(work)
            )
        which: Any = {"status": "pending"} if self.what == "leaving" else {"direction": "outbound"}
        return self.requests.list(**which, page_size=self.page_size)

    def _reconcile(self) -> Iterator[tuple[str, str]]:
        ours = [
            {"reference": f"Mü-{number}", "amount": "44.23", "currency": "USD"}
            for number in range(12)
        ]
        window = {"start": self.began - HOUR, "end": self.began + HOUR}
        with reconcile(self.victor, ours, page_size=self.page_size, **window) as report:
            yield from (
                (row.kind.value, row.ours.reference) for row in report if row.ours is not None
            )

    def words(self) -> Iterator[str]:
        return (
            type(found).__name__ if isinstance(found, VictorError) else "read"
            for _, found in self.readings
        )

    def _is_meant(self, work: Work) -> bool:
        """Whether it has been in the list to the end."""
        if self.what == "leaving":
            return work.status == "pending"
        return self.what == "list" or work.reference == "Mü-3"

    def judge(self) -> Iterator[str]:
        for there, found in self.readings:
            if isinstance(found, VictorError):
                continue
            shown = [work for work in there if work not in self.provider.hidden]
            if self.what == "reconcile":
                for kind, reference in found:
                    if kind == "missing" and reference in [work.reference for work in shown]:
                        yield f"false missing: {reference} is there"
                    elif kind == "matched" and reference not in [work.reference for work in there]:
                        yield f"told wrong: {reference} is not there, and is matched"
                continue
            lost = [work.id for work in shown if self._is_meant(work) and work.id not in found]
            if lost:
                yield f"ends early: {self.what} without {lost} of {len(shown)}"
            if len(set(found)) < len(found):
                yield f"told wrong: {self.what} has repeats: {found}"
