"""Workers that submit the payouts of files, and instruct them by a second step.

Each can die at every step.
"""

from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Any

from tests.histories.calls import MERCHANT, client
from tests.histories.provider import NOBODY, PAID_AFTER, Work
from tests.histories.settling import AT_ONCE, SETTLE_FOR, Batch, Batches, Workers
from tests.histories.states import Payment
from tests.histories.world import Process
from victor_ext.bulk.payments import IN_DOUBT
from victor_ext.bulk.payouts import Payouts
from victor_ext.bulk.rows import Result, RowOutcome
from victor_ext.bulk.steps import add_step, units_of

PAYMENTS = range(4)
LAG = 300.0
"""Seconds after which the state of a payout shows what was done to it."""
OPEN = (RowOutcome.WAITING, RowOutcome.NOT_SENT, RowOutcome.ACCEPTED)


class Pairs(Payouts):
    """Payouts of two payments."""

    rows_per_call = 2


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

    settled = frozenset({"created", "rejected", "refused", "unknown"})
    key_column = None

    def __init__(
        self,
        again: tuple[int, ...],
        state: int,
        rejected: int | None,
        is_sent: bool,
        steps: dict[str, Any],
        **rest: Any,
    ) -> None:
        can_be_lost, self.at_once = rest.pop("can_be_lost"), rest.pop("at_once")
        Workers.__init__(self, **rest)
        self.began_ahead = [process.ahead for process in self.processes]
        self._begin(can_be_lost, states=1 + state)
        provider = self.world.provider
        provider.lag, provider.withdraws_instructed = steps["lag"], steps["withdraws_instructed"]
        self.too_late = set[str]()
        """The payouts whose withdrawal begins after they were instructed."""
        self.is_about_steps: bool = steps["is_about_steps"]
        self.is_sent = is_sent or self.is_about_steps
        """Whether a file was sent before it begins; where it is about steps, both were."""
        self.lists_lag: bool = steps["lists_lag"]
        self.withdraws, self.are_elsewhere = steps["withdraws"], steps["are_elsewhere"]
        self.rejected = f"PAY-{rejected}"
        march, april = (
            [_row(number, NOBODY if number == rejected else "p7") for number in numbers]
            for numbers in (PAYMENTS, again)
        )
        with self.world.clocks():
            self.send_file(0, "march", march)
            if again and state:
                self.send_file(state, "april", april)
        if again and not state:
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
        flags["at_once"] = dice.choice(AT_ONCE)
        drawn = {
            "again": again,
            "state": state,
            "rejected": dice.choice([None, *PAYMENTS]),
            **flags,
        }
        drawn |= Workers.draw(dice) | {"accounts": "AA"}  # a batch is of one account
        own = Random(repr(drawn))
        steps = {
            "is_about_steps": own.random() < 0.5,
            "withdraws": own.choice([None, None, 0, 1]),
            "are_elsewhere": own.random() < 0.3,
            "lag": own.choice([0.0, 0.0, LAG]),
            "withdraws_instructed": own.random() < 0.5,
            "lists_lag": own.random() < 0.2,
        }
        return drawn | {"steps": steps}

    def kind_of(self, client: Any) -> Payouts:
        return Pairs(client)

    def _accepted(self, batch: Batch) -> list[str]:
        """The payouts of a batch, by what is told of its rows."""
        return sorted(units_of(self.store(batch), self.context(batch.state).kind))

    def _take_steps(self) -> None:
        """Add the steps of each payout that is accepted, as a person does: all are instructed, and
        one may be withdrawn.
        """
        for batch in [each for each in self.batches if not each.step]:
            for number, unit in enumerate(self._accepted(batch)):
                self._add_step("instruct", batch, unit)
                if number == self.withdraws:
                    self._add_step("withdraw", batch, unit)

    def _add_step(self, name: str, batch: Batch, unit: str) -> None:
        record, step = self.store(batch).record(), Batch(batch.state, f"{batch.name}/{name}")
        assert record is not None
        add_step(self.context(batch.state), self.store(batch), record, [unit], name)
        known = [(each.state, each.name) for each in self.batches]
        if (step.state, step.name) not in known:
            self.batches.append(step)

    def start(self, number: int, choice: int) -> None:
        if self.is_sent:
            self.is_sent = False
            self._send_first()
        self._take_steps()
        if self.is_about_steps:
            unsettled = [state.unsettled() for state in self.states]
            left = [
                place
                for place, batch in enumerate(self.batches)
                if batch.name in unsettled[batch.state]
            ]
            choice = left[choice % len(left)] if left else choice
        super().start(number, choice)

    def _send_first(self) -> None:
        """Send the first file; where it is about steps, both."""
        provider = self.world.provider
        provider.hides_new = self.lists_lag
        if self.is_about_steps:
            self.processes[0].at_once(self._send_later)
        for batch in self.batches if self.is_about_steps else self.batches[:1]:
            self.processes[0].at_once(partial(self._send, 0, batch))
        provider.hides_new = False

    def meanwhile(self, choice: int) -> None:
        """A list lags, or has caught up; or another program takes a step of one of our payouts."""
        provider = self.world.provider
        payouts = [work.id for work in provider.done if "payments" in work.values]
        if self.are_elsewhere and choice % 3 == 0 and payouts:
            unit = payouts[choice % len(payouts)]
            if provider.payout_status(unit, 0.0) == "ACCEPTED":
                method = ("POST", "DELETE")[choice % 2]
                fact = f"{method} /v3/payouts/{unit}"
                provider.others.append(Work(fact, {}, unit, "A", provider.clock()))
            return
        provider.hidden ^= set(provider.done[choice % 4 : choice % 4 + 1])

    def end(self) -> None:
        provider = self.world.provider
        provider.hidden.clear()
        super().end()
        self._take_steps()
        super().end()
        # What is lost ends once nothing of it can be under way, or the payout has come to its end.
        self.world.now += PAID_AFTER + SETTLE_FOR
        super().end()
        # Who withdraws what is instructed is told that it is too late.
        for batch in [each for each in self.batches if not each.step]:
            for unit in self._accepted(batch):
                if self._is_too_late(unit):
                    self.too_late.add(unit)
                    self._add_step("withdraw", batch, unit)
        super().end()

    def _is_too_late(self, unit: str) -> bool:
        """Whether a payout is instructed, and nobody has withdrawn it."""
        withdrawn = {
            payment.row.value
            for _, payment in self.all_payments()
            if payment.batch.endswith("/withdraw")
        }
        status = self.world.provider.payout_status(unit, self.world.provider.lag)
        return unit not in withdrawn and status in ("INSTRUCTED", "CONFIRMED")

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
                yield from self._judged_step(payment, payment.result)
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
        elif made and self.is_alone and self._should_be_known(asked):
            yield f"lost: {asked}, and {reference} is there"

    def _should_be_known(self, asked: list[Payment]) -> bool:
        """Whether one of these payments is in doubt, and all clocks say when it was sent.

        After a clock was set, a payment that was made at that time may be another program's: a
        person looks at it.
        """
        is_set = [process.ahead for process in self.processes] != self.began_ahead
        dated = [payment for payment in asked if payment.is_dated and payment.state in IN_DOUBT]
        return bool(dated) and not is_set

    def _judged_step(self, payment: Payment, result: Result) -> Iterator[str]:
        provider, unit = self.world.provider, payment.row.value
        is_instruction = payment.batch.endswith("/instruct")
        method, other = ("POST", "DELETE") if is_instruction else ("DELETE", "POST")
        fact, other_fact = f"{method} /v3/payouts/{unit}", f"{other} /v3/payouts/{unit}"
        own, opposite = provider.of(fact), provider.of(other_fact)
        elsewhere = {work.fact for work in provider.others}
        is_done = bool(own) or fact in elsewhere
        if result.outcome is RowOutcome.UNKNOWN:
            if payment.is_dated:
                yield f"lost: {payment} never ends"
            return
        is_told_done = result.outcome is RowOutcome.CREATED
        is_refused = result.outcome is RowOutcome.REFUSED
        # The provider was well in the end, and each step was taken once more.
        if not is_told_done and provider.payout_status(unit or "", provider.lag) == "ACCEPTED":
            yield f"lost: {payment}, and nothing rules it out"
        if unit in self.too_late and not is_instruction and not is_refused:
            yield f"told wrong: {payment} is too late"
        # What is withdrawn after its instruction is not paid.
        is_undone = is_instruction and (bool(opposite) or other_fact in elsewhere)
        if (is_told_done and not is_done) or (not is_told_done and own and not is_undone):
            yield f"told wrong: {payment}, and there is {own}"
