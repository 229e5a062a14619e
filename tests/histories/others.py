"""Workers beside another program of the same company, which uses the same references: it pays less,
or it has paid the same earlier. None of that is ours.
"""

from random import Random
from typing import Any

import sqlalchemy as sa

from tests.histories.payrolls import Payrolls
from tests.histories.provider import Work, flat
from tests.histories.settling import (
    WRITES,
    Batches,
    Outboxes,
    Workers,
    Writes,
    expected,
    sent_by_create,
)
from tests.histories.states import Payment
from victor_ext import PreparedCall

EARLIER = 60.0
"""Seconds before the beginning of a history at which the other program has paid the same."""


class BesideOthers(Workers):
    """The move: another program pays, less than we or earlier, under a reference of ours."""

    is_alone = True
    """Whether no other program has paid with our references: what was made minutes before ours
    may be ours, too.
    """

    def __init__(self, **setup: Any) -> None:
        super().__init__(**setup)
        self.began = self.world.provider.clock()
        self.our_payments = list(self._payments())

    def _payments(self) -> list[tuple[str, str, Any]]:
        """Our payments: what the provider knows each by, the path that it is sent to, and its
        body.
        """
        raise NotImplementedError

    def meanwhile(self, choice: int) -> None:
        if choice % 4 == 0:  # a list lags, or has caught up
            super().meanwhile(choice)
            return
        provider = self.world.provider
        fact, path, body = self.our_payments[choice % len(self.our_payments)]
        is_earlier = choice % 4 == 1
        at = self.began - EARLIER if is_earlier else provider.clock()
        values = body if is_earlier else less(body)
        work = Work(fact, flat(values), f"X{len(provider.others):05}x7", "A", at)
        provider.add_of_others(path, values, work)
        self.is_alone = False


def less(body: Any) -> Any:
    """The same payment of a smaller amount."""
    if isinstance(body, list):
        return [less(each) for each in body]
    if not isinstance(body, dict):
        return body
    smaller: dict[str, Any] = {}
    for name, value in body.items():
        if name.rpartition(".")[2] == "amount":
            smaller[name] = 100 if isinstance(value, int) else "1.00"
        else:
            smaller[name] = less(value)
    return smaller


class WritesBesideOthers(BesideOthers, Writes):
    """The writes that a look-up finds by a reference."""

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        of_system = {"velo": ("submit", "submit two"), "eastpay": ("debit", "refund")}
        own = dice.choice([*of_system.values(), ("pay out",)])
        writes = tuple(dice.choice(own) for _ in range(3))
        return {**Writes.draw(dice), "writes": writes}

    def _payments(self) -> list[tuple[str, str, Any]]:
        with self.outbox._engine.begin() as connection:
            rows = connection.execute(sa.select(self.outbox.table.c.call)).scalars().all()
        calls = [PreparedCall.from_text(text) for text in rows]
        facts = list(self.facts.values())
        assert {WRITES[write][0] for write in self.writes} == {self.system}
        return [(fact, call.url, call.values) for fact, call in zip(facts, calls, strict=True)]


class OutboxesBesideOthers(BesideOthers, Outboxes):
    def _payments(self) -> list[tuple[str, str, Any]]:
        bodies = [expected(form, reference, key) for key, (form, reference) in self.entries.items()]
        return [
            ("another key", "/v2/payment-requests/request-payment", body) for body in bodies if body
        ]


class BatchesBesideOthers(BesideOthers, Batches):
    def _payments(self) -> list[tuple[str, str, Any]]:
        rows = [payment.row for _, payment in self.all_payments()]
        bodies = [
            sent_by_create({**(row.arguments or {}), "idempotency_key": row.key}) for row in rows
        ]
        return [
            ("another key", "/v2/payment-requests/request-payment", body) for body in bodies if body
        ]

    def _wrong(self, payment: Payment, works: list[Work], *, is_alone: bool) -> str | None:
        """After a 409, the key may have been used for as long as keys are kept: what another
        program has paid since then, with the same reference and values, may be the row's.
        """
        wrong = super()._wrong(payment, works, is_alone=is_alone)
        result = payment.result
        if result is None or wrong != "told wrong, created" or "409" not in (result.error or ""):
            return wrong
        found = [work for work in self.world.provider.others if work.id == result.id]
        return None if self._has_values(found, payment.row) else wrong


class PayrollsBesideOthers(BesideOthers, Payrolls):
    """It is about the payouts, and not their steps."""

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        drawn = Payrolls.draw(dice)
        steps = {"is_about_steps": False, "are_elsewhere": False, "withdraws": None}
        return {**drawn, "steps": drawn["steps"] | steps}

    def _payments(self) -> list[tuple[str, str, Any]]:
        rows = [payment.row for payment in self.payments(0)]
        rows.sort(key=lambda row: row.value or "")
        pairs = [rows[:2], rows[2:]]
        kind = self.kind_of(self.clients[0])
        bodies: list[Any] = []
        for pair in pairs:
            arguments = [kind.checked_arguments(row.arguments or {}) for row in pair]
            bodies.append(kind.call_for(arguments, "").body)
        return [
            (f"payout of another {number}", "/v3/payouts", body)
            for number, body in enumerate(bodies)
        ]
