"""Reads that show that a write of Velo's was done, although its response was lost."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from datetime import datetime
from functools import partial
from typing import Any

import httpx

from victor_ext.flows import following
from victor_ext.ids import reference_of
from victor_ext.runtime.core.json_values import list_or_empty, object_of, object_or_empty
from victor_ext.runtime.loop.operations import Done, Finding, Follow, Proof

from .checks import day_around

PAID = frozenset({"COMPLETED", "INCOMPLETE", "CONFIRMED"})


def in_state(resource: str, *done: str) -> Proof:
    """The object that the path names has a status that it keeps, or from which it goes on only."""

    def find(client: Any, call: Any, _since: datetime, _given: Mapping[str, str]) -> Finding:
        record = yield partial(getattr(client, resource).get, call.ids[0])
        return _done(record) if record.status in done else f"It is {record.status}."

    return Proof(find)


def _done(record: Any) -> Done:
    return Done(record.id, record.status, record.raw.to_dict())


def _submitted(client: Any, call: Any, since: datetime, given: Mapping[str, str]) -> Finding:
    """The one payout with payments that were submitted since then, and have references that were sent."""
    sent = _references(object_or_empty(call.body).get("payments"))
    window = client.payments.list(
        given["payor_id"], submitted_from=day_around(since, -1), sort="submittedDateTime:asc", page_size=100
    )
    payouts: set[str] = set()
    for payment in (yield from _items(window)):
        if reference_of(payment.payor_payment_id) not in sent:
            continue
        if payment.submitted_at is None:
            return f"Payment {payment.id} has one of its references, and does not say when it was submitted."
        if payment.submitted_at >= since and payment.payout_id:
            payouts.add(payment.payout_id)
    if len(payouts) != 1:
        return f"{len(payouts) or 'No'} payouts have payments with its references."
    payout = yield partial(client.payouts.get, payouts.pop())
    payments = yield from _items(client.payouts.payments(payout.id))
    seen = {reference_of(payment.payor_payment_id) for payment in (*payout.rejected, *payments)}
    return _done(payout) if seen == sent else f"Payout {payout.id} has other payments, too, or not all of them."


def _items(listed: Any) -> Generator[Callable[[], Any], Any, list[Any]]:
    pages, items = listed.pages(), list[Any]()
    while (page := (yield partial(following, pages))) is not None:
        items += page.items
    return items


def _references(payments: object) -> set[str]:
    return {reference_of(object_or_empty(payment).get("payorPaymentId")) for payment in list_or_empty(payments)} - {""}


def _named(request: httpx.Request) -> str:
    """The references of a payout; empty if a payment has none."""
    payments = object_of(request).get("payments")
    references = sorted(_references(payments))
    return " ".join(references) if len(references) == len(list_or_empty(payments)) else ""


SUBMITTED = Proof(_submitted, needs=("payor_id",), subject=_named)
INSTRUCTED = in_state("payouts", "INSTRUCTED", *PAID)
PAYOUT_WITHDRAWN = in_state("payouts", "WITHDRAWN")
PAYMENT_WITHDRAWN = in_state("payments", "WITHDRAWN")

_FINAL = frozenset({"CONFIRMED", "REJECTED", "WITHDRAWN"})
"""Velo does not say in which order PAID follow each other: the other two may still become another."""
UNTIL_PAID = Follow(lambda velo, _call, id: velo.payouts.get(id), _FINAL)
UNTIL_ACCEPTED = Follow(
    lambda velo, _call, id: velo.payouts.get(id), _FINAL | PAID | {"ACCEPTED", "QUOTED", "INSTRUCTED"}
)
"""A payout that was submitted goes on by another write."""
