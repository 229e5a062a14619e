"""The reference model: what callers observed, and what therefore may, must and must not exist.

It receives what the caller of each call observed, and what this call did according to the sandbox's record.
`complaints` holds all of it against what the sandbox has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from victor_ext import PaymentRequest, VictorError
from victor_ext.sandbox import Received

DONE, PERHAPS, NOTHING = {"success", "accepted"}, {"success", "accepted", "unknown"}, {"rejected", "not_sent"}


@dataclass(frozen=True)
class Call:
    """One call: its arguments, its observed result, and its exchanges."""

    operation: str
    subject: str
    """The key of a create, the id of the request that is answered."""
    meant: Mapping[str, Any]
    observed: PaymentRequest | VictorError
    exchanges: tuple[Received, ...]
    lied_to: bool
    """Whether an intermediary may have said yes in the provider's name."""

    @property
    def word(self) -> str:
        return "success" if isinstance(self.observed, PaymentRequest) else self.observed.outcome.value

    @property
    def work(self) -> int:
        """How often this call did the work."""
        return sum(exchange.work_done and exchange.operation == self.operation for exchange in self.exchanges)

    def complaints(self) -> Iterator[str]:
        """What is wrong with it by itself."""
        if self.work > 1:
            yield f"{self} did the work {self.work} times"
        if self.work and self.word in NOTHING:
            yield f"{self} observed {self.word}, and did the work: {self.observed!r}"
        keys = {exchange.idempotency_key for exchange in self.exchanges if exchange.operation == "create"} - {None}
        if len(keys) > 1 or (self.operation == "create" and keys - {self.subject}):
            yield f"{self} sent the keys {keys}"
        if self.operation == "respond":
            yield from self._complaints_of_repeats()
        elif (
            isinstance(self.observed, VictorError)
            and self.observed.attempts
            and self.observed.idempotency_key != self.subject
        ):
            yield f"{self}: the error carries the key {self.observed.idempotency_key!r}"

    def _complaints_of_repeats(self) -> Iterator[str]:
        sent = [exchange for exchange in self.exchanges if exchange.operation == "respond"]
        for exchange in sent[:-1]:
            if exchange.status not in (401, 429):
                yield f"{self} was sent again after it was answered {exchange.status} ({exchange.fault})"

    def __str__(self) -> str:
        return f"{self.operation} {self.subject} {dict(self.meant)}"


@dataclass
class Truth:
    """Every call so far."""

    creates: defaultdict[str, list[Call]] = field(default_factory=lambda: defaultdict(list))
    answers: defaultdict[str, list[Call]] = field(default_factory=lambda: defaultdict(list))

    def note(self, call: Call) -> None:
        (self.creates if call.operation == "create" else self.answers)[call.subject].append(call)

    def complaints(self, requests: Iterable[Mapping[str, Any]], work_by_key: Mapping[str, int]) -> Iterator[str]:
        """Yield each difference between what exists and what was observed."""
        there = list(requests)
        for calls in (*self.creates.values(), *self.answers.values()):
            for call in calls[-1:]:  # the earlier ones have been looked at
                yield from call.complaints()
        for key, times in work_by_key.items():
            if times > 1:
                yield f"the key {key} made {times} requests"
        made = {request.get("idempotency_key"): request for request in there if request["direction"] == "outbound"}
        for stray in made.keys() - self.creates.keys():
            yield f"{stray} was made, and nobody asked for it"
        for key, calls in self.creates.items():
            yield from _judge_creates(calls, made.get(key))
        by_id = {request["id"]: request for request in there}
        for subject, calls in self.answers.items():
            yield from _judge_answers(calls, by_id[subject])


def _judge_creates(calls: list[Call], made: Mapping[str, Any] | None) -> Iterator[str]:
    words = {call.word for call in calls}
    if made is None:
        for call in calls:
            if call.word == "success" or (call.word == "accepted" and not call.lied_to):
                yield f"{call} observed {call.word}, and there is no request"
        return
    if not words & PERHAPS:
        yield f"{calls[0]} observed {words}, and there is one"
    if sum(call.work for call in calls) > 1:
        yield f"{calls[0]} was done by more than one call"
    for call in calls:
        if isinstance(call.observed, PaymentRequest):
            observed = (call.observed.id, call.observed.client_reference_id, call.observed.amount)
            meant = (made["id"], call.meant["client_reference_id"], Decimal(call.meant["amount"]))
            if observed != meant:
                yield f"{call} observed {observed}, and not {meant}"


def _judge_answers(calls: list[Call], request: Mapping[str, Any]) -> Iterator[str]:
    if sum(call.work for call in calls) > 1:
        yield f"{calls[0].subject} was answered more than once"
    given = request.get("answer")
    there = {"status": given, "notes": request.get("approval_notes"), "amount": _agreed(request)}
    for call in calls:
        if call.word == "success" or (call.word == "accepted" and not call.lied_to):
            meant = {**call.meant, "amount": Decimal(call.meant["amount"] or _asked(request))}
            if given is None or there != meant:
                yield f"{call} observed {call.word}, and the answer is {there}"
    if given is not None and not any(call.word in PERHAPS for call in calls):
        yield f"{calls[0].subject} is answered, and no caller observed it"


def _agreed(request: Mapping[str, Any]) -> Decimal:
    return Decimal(request["amount"])


def _asked(request: Mapping[str, Any]) -> Decimal:
    return Decimal(request.get("original_amount") or request["amount"])
