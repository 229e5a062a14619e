"""Readers of Victor's list, while it changes and answers go wrong: `list`, `find`, `reconcile`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.histories.calls import client
from tests.histories.provider import Rules, Work
from tests.histories.world import Machine, Process, World
from victor_ext import VictorError
from victor_ext.reconciliation import reconcile

HOUR = timedelta(hours=1)


class Readings:
    """One reader. Others ask for money meanwhile."""

    def __init__(self, what: str, count: int, page_size: int | None, rules: Rules) -> None:
        self.world = World(rules)
        self.what, self.page_size = what, page_size
        self.processes = [Process(self.world, Machine())]
        self.victor = client("victor", self.processes[0])
        self.readings: list[tuple[list[Work], list[Any] | VictorError]] = []
        self.began = datetime.fromtimestamp(self.world.provider.clock(), UTC)
        for number in range(count):
            self._ask(f"INV-{number % 12}")

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        what, rules = dice.choice(["list", "list", "find", "reconcile"]), Rules.draw(dice)
        if what == "reconcile" and dice.random() < 0.3:
            rules = replace(rules, order="shuffled")
        return {"what": what, "count": dice.randrange(18), "page_size": dice.choice([None, 2, 3]), "rules": rules}

    def _ask(self, reference: str) -> None:
        """Another program asks for money."""
        provider = self.world.provider
        values = {"client_reference_id": reference, "payer.victor_counterparty_id": "c1", "payment_details.amount": "44.23"}
        provider.done.append(Work("", values, f"R{len(provider.done):05}x7", "A", provider.clock(), 0))

    def start(self, number: int, choice: int) -> None:
        self.processes[number].start(self._read)

    def meanwhile(self, choice: int) -> None:
        """Something happens to the list."""
        if choice % 2:
            self._ask(f"NEW-{choice}")
        else:
            self.world.provider.hide(choice)

    def kill(self, number: int) -> None:
        self.processes[number].kill()
        self.victor = client("victor", self.processes[number])

    def _read(self) -> None:
        there = list(self.world.provider.done)
        try:
            found: Any = getattr(self, f"_{self.what}")()
        except VictorError as error:
            found = error
        self.readings.append((there, found))

    def _list(self) -> list[str]:
        return [each.id for each in self.victor.payment_requests.list(direction="outbound", page_size=self.page_size)]

    def _find(self) -> list[str]:
        return [each.id for each in self.victor.payment_requests.find("INV-3", start_datetime=self.began - HOUR)]

    def _reconcile(self) -> list[tuple[str, str]]:
        ours = [{"reference": f"INV-{number}", "amount": "44.23", "currency": "USD"} for number in range(12)]
        window = {"start": self.began - HOUR, "end": self.began + HOUR}
        with reconcile(self.victor, ours, page_size=self.page_size, **window) as report:
            return [(row.kind.value, row.ours.reference) for row in report if row.ours is not None]

    def end(self) -> None:
        self._read()

    settled = frozenset({"read"})

    def words(self) -> Iterator[str]:
        return (type(found).__name__ if isinstance(found, VictorError) else "read" for _, found in self.readings)

    def judge(self) -> Iterator[str]:
        provider = self.world.provider
        for there, found in self.readings:
            if isinstance(found, VictorError):
                continue
            shown = [work for work in there if provider.is_shown(work)]
            if self.what == "reconcile":
                references = {work.values["client_reference_id"] for work in shown}
                for kind, reference in found:
                    if kind == "missing" and reference in references:
                        yield f"false missing: {reference} is told to be missing"
                    elif kind == "matched" and reference not in {each.values["client_reference_id"] for each in there}:
                        yield f"told wrong: {reference} is told to be matched"
                continue
            expected = [work.id for work in shown if self.what == "list" or work.values["client_reference_id"] == "INV-3"]
            lost = [name for name in expected if name not in found]
            if lost:
                yield f"the {self.what} ends early: {len(found)} of {len(shown)} without {lost}"
            if len(set(found)) < len(found):
                yield f"the {self.what} has repeats: {found}"
