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
from tests.histories.states import Payment
from tests.histories.world import Process
from victor_ext.bulk.payouts import Payouts
from victor_ext.bulk.rows import RowOutcome
from victor_ext.bulk.steps import add_step, units_of

PAYMENTS = range(4)
OPEN = (RowOutcome.WAITING, RowOutcome.NOT_SENT, RowOutcome.ACCEPTED)
STEP = "instruct"


class Pairs(Payouts):
    """Payouts of two payments."""

    together = 2


def _row(number: int, payee: str) -> dict[str, Any]:
    return {
        "remote_id": payee,
        "amount": "44.23",
        "currency": "USD",
        "source_account_name": "USD",
        "payor_payment_id": f"PAY-{number}",
        "payor_id": MERCHANT,
    }


def _references(payout: Work) -> set[str]:
    return {each["payorPaymentId"] for each in payout.values["payments"]}


class Payrolls(Batches):
    """Two workers; a file of two payouts, and one that has some of their payments, too: it comes
    while they are submitted, or is of another state.
    """

    settled = frozenset({"created", "rejected", "unknown"})
    key_column = None

    def __init__(
        self, again: tuple[int, ...], state: int, rejected: int | None, is_sent: bool, **rest: Any
    ) -> None:
        can_be_lost = rest.pop("can_be_lost")
        Workers.__init__(self, **rest)
        self._begin(can_be_lost, states=1 + state)
        self.is_sent, self.rejected = is_sent, f"PAY-{rejected}"
        march, april = (
            [_row(number, NOBODY if number == rejected else "p7") for number in numbers]
            for numbers in (PAYMENTS, again)
        )
        self.send_file(0, "march", march)
        if again and state:
            self.send_file(state, "april", april)
        elif again:
            self.later.append(("april", april))
        self.is_alone = not again
        """Whether nothing else has its references: then what was sent at a known time is found at
        the end.
        """

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

    def kind_of(self, number: int) -> Payouts:
        return Pairs(self.clients[number])

    def _instruct(self) -> None:
        """Add the second step of each payout that is accepted, as a person does."""
        for batch in [each for each in self.batches if "/" not in each.name]:
            context, store = self.context(0, batch.state), self.store(0, batch)
            record, units = store.record(), units_of(store, context.kind)
            assert record is not None
            step = Batch(batch.state, f"{batch.name}/{STEP}")
            if add_step(context, self.store(0, step), record, units, STEP) is None:
                continue
            if (step.state, step.name) not in [(each.state, each.name) for each in self.batches]:
                self.batches.append(step)

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
        told = self.all_payments()
        submitted = [(state, payment) for state, payment in told if "/" not in payment.batch]
        of_payout = dict[tuple[str, int], set[str]]()
        for state, payment in submitted:
            if payment.result is not None and payment.result.unit:
                unit = payment.result.unit, state
                of_payout.setdefault(unit, set()).add(payment.row.value or "")
        for state, payment in told:
            if payment.result is None or payment.result.outcome in OPEN:
                yield f"lost: {payment}"
            elif "/" in payment.batch:
                done = provider.of(f"POST /v3/payouts/{payment.row.value}")
                outcome = payment.result.outcome
                is_done = outcome is RowOutcome.CREATED
                if outcome is not RowOutcome.UNKNOWN and is_done != bool(done):
                    yield f"told wrong: {payment}, and there is {done}"
            elif payment.result.unit:
                references = payouts.get(payment.result.unit)
                if self._is_wrong(payment) or of_payout[payment.result.unit, state] != references:
                    yield f"told wrong: {payment}, and there is {payouts}"
        if len({unit for unit, _ in of_payout}) < len(of_payout):
            yield f"told wrong: states have the same payout: {of_payout}"
        for reference in {payment.row.value for _, payment in submitted}:
            asked = [payment for _, payment in submitted if payment.row.value == reference]
            made = sum(reference in references for references in payouts.values())
            yield from self._judge_reference(reference, asked, made)

    def _is_wrong(self, payment: Payment) -> bool:
        """Whether what is told of a payment in a payout is not so."""
        result = payment.result
        assert result is not None
        if payment.row.value == self.rejected:
            return result.outcome is not RowOutcome.REJECTED
        is_named = (result.id or "").startswith(f"{result.unit}-")
        return result.outcome is not RowOutcome.CREATED or not is_named

    def _judge_reference(
        self, reference: str | None, asked: list[Payment], made: int
    ) -> Iterator[str]:
        """Judge what was made of a payment, which each state may ask for once."""
        results = [payment.result for payment in asked]
        may_be_made = [
            one is None or bool(one.unit) or one.outcome is RowOutcome.UNKNOWN for one in results
        ]
        if made > len(asked):
            yield (
                f"asked twice: {reference} is in {made} payouts, and was asked for "
                f"{len(asked)} times"
            )
        elif made > sum(may_be_made):
            yield f"told wrong: {asked}, and {reference} is in {made} payouts"
        elif made and self.is_alone and any(one.sent.known for one in results if one and one.sent):
            yield f"lost: {asked}, and {reference} is there"
