"""Workers that submit the payouts of files, and instruct them by a second step.

Each can die at every step.
"""

from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Any

from tests.histories.calls import MERCHANT, client
from tests.histories.provider import NOBODY, Work
from tests.histories.settling import Batch, Batches, Workers
from tests.histories.world import Process
from victor_ext import idempotency_key_for
from victor_ext.bulk.payouts import Payouts
from victor_ext.bulk.row_kind import LaterStep
from victor_ext.bulk.rows import Row, RowOutcome

PAYMENTS = range(4)
OPEN = (RowOutcome.WAITING, RowOutcome.NOT_SENT, RowOutcome.ACCEPTED)


class Pairs(Payouts):
    """Payouts of two payments."""

    together = 2


def _row(batch: str, place: int, number: int, payee: str) -> Row:
    reference = f"PAY-{number}"
    arguments = {
        "remote_id": payee,
        "amount": "44.23",
        "currency": "USD",
        "source_account_name": "USD",
    }
    arguments |= {"payor_payment_id": reference, "payor_id": MERCHANT}
    return Row(
        place + 1, idempotency_key_for(batch, reference), reference, arguments, {}, place=place
    )


def _references(payout: Work) -> set[str]:
    return {each["payorPaymentId"] for each in payout.values["payments"]}


class Payrolls(Batches):
    """Two workers; a file of two payouts, and one that asks for some of their payments once
    more.
    """

    settled = frozenset({"created", "rejected", "unknown"})
    reference, reads_own = "payor_payment_id", False

    def __init__(
        self, again: tuple[int, ...], state: int, rejected: int | None, is_sent: bool, **rest: Any
    ) -> None:
        self.can_be_lost = rest.pop("can_be_lost")
        Workers.__init__(self, **rest)
        self.is_sent, self.rejected, self.batches = is_sent, f"PAY-{rejected}", []
        for where, name, numbers in ((0, "march", PAYMENTS), (state, "april", again)):
            payees = (NOBODY if number == rejected else "p7" for number in numbers)
            rows = [
                _row(name, place, *each)
                for place, each in enumerate(zip(numbers, payees, strict=True))
            ]
            self.batches.append(Batch(where, name, rows, rows))
        self.is_alone = not again
        """Whether nothing else has its references: then what was sent at a known time is found at
        the end.
        """
        self.deliveries = [self._delivery(number) for number in range(len(self.processes))]

    def _client(self, process: Process) -> Any:
        return client("velo", process, deadline=self.deadline)

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        again, state = dice.choice(
            [((), 0), ((), 0), ((0, 1), 0), ((1, 2), 0), ((1,), 1), ((0, 1, 2), 0)]
        )
        flags = {"is_sent": dice.random() < 0.5, "can_be_lost": dice.random() < 0.3}
        drawn = {
            "again": again,
            "state": state,
            "rejected": dice.choice([None, *PAYMENTS]),
            **flags,
        }
        return drawn | Workers.draw(dice) | {"accounts": "AA"}  # a batch is of one account

    def _delivery(self, number: int) -> dict[str, Any]:
        velo = self.clients[number]
        kinds = {"": Pairs(velo), "instruct": LaterStep(velo, "payouts.instruct")}
        return {step: self._made(kind) for step, kind in kinds.items()}

    def _accepted(self, batch: Batch) -> set[str]:
        """The payouts of a batch, by what is told of its rows."""
        results = (batch.result(row)[0] for row in batch.rows)
        return {
            one.unit for one in results if one and one.unit and one.outcome is RowOutcome.CREATED
        }

    def _instruct(self) -> None:
        """Add the second step of each payout that is accepted, as a person does."""
        taken = {row.fingerprint for batch in self.batches if batch.step for row in batch.rows}
        for batch in [each for each in self.batches if not each.step]:
            for unit in sorted(self._accepted(batch) - taken):
                row = Row(1, idempotency_key_for(batch.name, unit), unit, {"id": unit}, {})
                self.batches.append(
                    Batch(0, f"{batch.name}/instruct", [row], [row], step="instruct")
                )

    def start(self, number: int, choice: int) -> None:
        if self.is_sent:
            self.processes[0].at_once(partial(self._send, 0, self.batches[0]))
            self.is_sent = False
        self._instruct()
        super().start(number, choice)

    def meanwhile(self, choice: int) -> None:
        """A list lags, or has caught up."""
        self.world.provider.hidden ^= set(self.world.provider.done[choice % 4 : choice % 4 + 1])

    def end(self) -> None:
        self.world.provider.hidden.clear()
        super().end()
        self._instruct()
        super().end()

    def judge(self) -> Iterator[str]:
        provider = self.world.provider
        payouts = {
            work.id: _references(work) for work in provider.done if "payments" in work.values
        }
        yield from (f"asked twice: {fact}" for fact in provider.repeated)
        told = [
            (batch, row, batch.results.get(row.place))
            for batch in self.batches
            for row in batch.rows
        ]
        of_payout = dict[tuple[str, str], set[str]]()
        for batch, row, one in told:
            if one is not None and one.unit and not batch.step:
                of_payout.setdefault((one.unit, batch.name), set()).add(row.fingerprint)
        for batch, row, one in told:
            if one is None or one.outcome in OPEN:
                yield f"lost: {batch.name} {row}: {one}"
            elif batch.step:
                done = provider.of(f"POST /v3/payouts/{row.fingerprint}")
                if one.outcome is not RowOutcome.UNKNOWN and (
                    one.outcome is RowOutcome.CREATED
                ) != bool(done):
                    yield f"told wrong: {batch.name} {row}: {one}, and there is {done}"
            elif one.unit:
                right = (
                    RowOutcome.REJECTED if row.fingerprint == self.rejected else RowOutcome.CREATED
                )
                is_named = right is RowOutcome.REJECTED or (one.id or "").startswith(f"{one.unit}-")
                if (
                    one.outcome is not right
                    or not is_named
                    or of_payout[one.unit, batch.name] != payouts.get(one.unit)
                ):
                    yield f"told wrong: {batch.name} {row}: {one}, and there is {payouts}"
        if len({unit for unit, _ in of_payout}) < len(of_payout):
            yield f"told wrong: files have the same payout: {of_payout}"
        for reference in {row.fingerprint for batch, row, _ in told if not batch.step}:
            made = sum(reference in references for references in payouts.values())
            asked = [one for _, row, one in told if row.fingerprint == reference]
            if made > len(asked):
                yield (
                    f"asked twice: {reference} is in {made} payouts, and was asked for "
                    f"{len(asked)} times"
                )
            elif made > sum(
                one is None or bool(one.unit) or one.outcome is RowOutcome.UNKNOWN for one in asked
            ):
                yield f"told wrong: {asked}, and {reference} is in {made} payouts"
            elif (
                made and self.is_alone and any(one.sent.known for one in asked if one and one.sent)
            ):
                yield f"lost: {asked}, and {reference} is there"
