"""Workers that submit the payouts of files, and instruct them by a second step.

Each can die at every step.
"""

from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Any

from tests.histories.calls import MERCHANT, client
from tests.histories.provider import NOBODY, PAID_AFTER, Work
from tests.histories.settling import SETTLE_FOR, Batch, Batches, Workers
from tests.histories.world import Process
from victor_ext import idempotency_key_for
from victor_ext.bulk.payouts import Payouts
from victor_ext.bulk.row_kind import LaterStep
from victor_ext.bulk.rows import Result, Row, RowOutcome

PAYMENTS = range(4)
LAG = 300.0
"""Seconds after which the state of a payout shows what was done to it."""
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

    settled = frozenset({"created", "rejected", "refused", "unknown"})
    reference, reads_own = "payor_payment_id", False

    def __init__(
        self,
        again: tuple[int, ...],
        state: int,
        rejected: int | None,
        is_sent: bool,
        steps: dict[str, Any],
        **rest: Any,
    ) -> None:
        self.can_be_lost = rest.pop("can_be_lost")
        Workers.__init__(self, **rest)
        provider = self.world.provider
        provider.lag, provider.withdraws_instructed = steps["lag"], steps["withdraws_instructed"]
        self.decided = dict[str, list[float]]()
        """When steps of a payout began to be taken, by the provider's clock."""
        self.too_late = set[str]()
        """The payouts whose withdrawal begins after they were instructed."""
        self.is_about_steps: bool = steps["is_about_steps"]
        self.sent_before = 2 if self.is_about_steps else (1 if is_sent else 0)
        """How many of the files were sent before it begins."""
        self.lists_lag: bool = steps["lists_lag"]
        self.withdraws, self.are_elsewhere = steps["withdraws"], steps["are_elsewhere"]
        self.rejected, self.batches = f"PAY-{rejected}", []
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

    def _delivery(self, number: int) -> dict[str, Any]:
        velo = self.clients[number]
        kinds = {
            "": Pairs(velo),
            **{name: LaterStep(velo, write) for name, write in Payouts.steps.items()},
        }
        return {step: self._made(kind) for step, kind in kinds.items()}

    def _accepted(self, batch: Batch) -> set[str]:
        """The payouts of a batch, by what is told of its rows."""
        results = (batch.result(row)[0] for row in batch.rows)
        return {
            one.unit for one in results if one and one.unit and one.outcome is RowOutcome.CREATED
        }

    def _take_steps(self) -> None:
        """Add the steps of each payout that is accepted, as a person does: all are instructed, and
        one may be withdrawn.
        """
        for batch in [each for each in self.batches if not each.step]:
            for number, unit in enumerate(sorted(self._accepted(batch))):
                self._add_step("instruct", batch.name, unit)
                if number == self.withdraws:
                    self._add_step("withdraw", batch.name, unit)

    def _add_step(self, step: str, batch: str, unit: str) -> None:
        row = Row(1, idempotency_key_for(batch, unit), unit, {"id": unit}, {})
        if not any(each.step == step and each.rows == [row] for each in self.batches):
            self.batches.append(Batch(0, f"{batch}/{step}", [row], [row], step=step))

    def start(self, number: int, choice: int) -> None:
        provider = self.world.provider
        provider.hides_new = self.lists_lag
        for batch in self.batches[: self.sent_before]:
            self.processes[0].at_once(partial(self._send, 0, batch))
        provider.hides_new = False
        self.sent_before = 0
        self._take_steps()
        left = [place for place, batch in enumerate(self.batches) if batch.left]
        if self.is_about_steps and left:
            choice = left[choice % len(left)]
        super().start(number, choice)

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
        stepped = {row.fingerprint for batch in self.batches if batch.step for row in batch.rows}
        withdrawn = {
            row.fingerprint
            for batch in self.batches
            if batch.step == "withdraw"
            for row in batch.rows
        }
        for unit in sorted(stepped - withdrawn):
            if provider.payout_status(unit, provider.lag) in ("INSTRUCTED", "CONFIRMED"):
                self.too_late.add(unit)
                self._add_step("withdraw", "late", unit)
        super().end()

    def judge(self) -> Iterator[str]:
        provider = self.world.provider
        payouts = {
            work.id: _references(work) for work in provider.done if "payments" in work.values
        }
        yield from (
            f"asked twice: {fact}" for fact in provider.repeated if not self._slept_before(fact)
        )
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
                yield from self._judged_step(batch, row, one)
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

    def _send(self, number: int, batch: Batch) -> None:
        if batch.step:
            self.decided.setdefault(batch.rows[0].fingerprint, []).append(
                self.world.provider.clock()
            )
        super()._send(number, batch)

    def _slept_before(self, fact: str) -> bool:
        """Whether a machine slept between its decision to take a step and its request.

        Whoever looks it up then counts from the decision. Velo answers a second one with a
        conflict.
        """
        (work,) = self.world.provider.of(fact)
        last = max(at for at in self.decided[work.id] if at <= work.at)
        return work.at - last >= SETTLE_FOR

    def _judged_step(self, batch: Batch, row: Row, one: Result) -> Iterator[str]:
        provider = self.world.provider
        method, other = ("POST", "DELETE") if batch.step == "instruct" else ("DELETE", "POST")
        facts = [
            f"{method} /v3/payouts/{row.fingerprint}",
            f"{other} /v3/payouts/{row.fingerprint}",
        ]
        own, opposite = provider.of(facts[0]), provider.of(facts[1])
        elsewhere = {work.fact for work in provider.others}
        is_done = bool(own) or facts[0] in elsewhere
        if one.outcome is RowOutcome.UNKNOWN:
            if one.sent is not None and one.sent.known:
                yield f"lost: {batch.name} {row}: {one} never ends"
            return
        is_told_done = one.outcome is RowOutcome.CREATED
        if (
            row.fingerprint in self.too_late
            and method == "DELETE"
            and one.outcome is not RowOutcome.REFUSED
        ):
            yield f"told wrong: {batch.name} {row} is too late: {one}"
        # What is withdrawn after its instruction is not paid.
        is_undone = batch.step == "instruct" and (bool(opposite) or facts[1] in elsewhere)
        if (is_told_done and not is_done) or (not is_told_done and own and not is_undone):
            yield f"told wrong: {batch.name} {row}: {one}, and there is {own}"
