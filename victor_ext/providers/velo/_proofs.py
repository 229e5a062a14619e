"""Reads that show that a payout was submitted, although the response was lost (`SUBMITTED`).

A payout has no reference of its own: its payments have them. So the payments of a window are read,
then the payout that they belong to, and each payment is compared with the one that was sent.
"""

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
from velo_api.members import MEMBERS

from victor_ext._flows import following
from victor_ext._runtime.client.records import sent_by
from victor_ext._runtime.core import comparing
from victor_ext._runtime.core.comparing import Likeness
from victor_ext._runtime.core.json_values import list_or_empty, object_of, object_or_empty
from victor_ext._runtime.loop.operations import Done, Finding, Findings, NotDone, Proof
from victor_ext._values.ids import reference_of
from victor_ext.errors import VictorError
from victor_ext.money import Money


def day_around(value: datetime, days: int) -> str:
    """The date in UTC that is some days after a moment.

    In which time zone Velo means its dates is not documented: one day more covers all.
    """
    return (value.astimezone(UTC) + timedelta(days=days)).date().isoformat()


def _find_submitted(
    client: Any, calls: Sequence[tuple[Any, datetime]], given: Mapping[str, str]
) -> Findings:
    """Find the payout that each call has submitted since a moment."""
    window = client.payments.list(
        given["payor_id"],
        submitted_from=day_around(min(since for _, since in calls), -1),
        sort="submittedDateTime:asc",
        page_size=100,
    )
    payments = yield from _items_of(window)
    findings: list[Done | NotDone | str | VictorError] = []
    for call, since in calls:
        try:
            findings.append((yield from _find_in_list(client, call, since, payments)))
        except VictorError as error:
            findings.append(error)
    return findings


def _find_in_list(client: Any, call: Any, since: datetime, listed: Sequence[Any]) -> Finding:
    """Find the payout that a call has submitted: the only one since that moment whose payments have
    exactly the references that were sent. (A payout with one payment more was sent with it.)
    """
    sent = _by_reference(object_or_empty(call.body).get("payments"))
    for payment in listed:
        if reference_of(payment.payor_payment_id) in sent and payment.submitted_at is None:
            return "A payment with one of its references does not say when it was submitted."
    payouts = _payouts_of(listed, sent.keys(), since)
    if len(payouts) != 1:
        return f"{len(payouts) or 'No'} payouts have payments with its references."
    ((payout_id, submitted_at),) = payouts.items()
    payout = yield partial(client.payouts.get, payout_id)
    accepted = yield from _items_of(client.payouts.payments(payout.id))
    payments = {
        reference_of(payment.payor_payment_id): payment for payment in (*payout.rejected, *accepted)
    }
    if payments.keys() != sent.keys():
        return f"Payout {payout.id} has other payments, too, or not all of them."
    asked = object_or_empty(call.body)
    memo = asked.get("payoutMemo")
    compared = _compared("NewPayout", asked, "Payout", sent_by(payout))
    for reference, sent_payment in sent.items():
        payment = payments[reference]
        # Velo chooses what was left out, but for the memo, which nobody fills in. That of a payment
        # counts before that of its payout.
        values = {"paymentMemo": memo, **sent_payment}
        money: Money = payment.amount
        shown = {**sent_by(payment), "amount": money.minor_units, "currency": money.currency}
        comparisons = _compared("NewPayment", values, type(payment).__name__, shown)
        for name, is_like in comparisons.items():
            compared[f"{name} of {reference}"] = is_like
    body = sent_by(payout)
    return Done(payout.id, payout.status, body, created_at=submitted_at, compared=compared)


def _payouts_of(
    payments: Sequence[Any], references: Collection[str], since: datetime
) -> dict[str, datetime]:
    """The payouts with one of these references among their `payments` since a moment, by id, each
    with the moment at which the first of these was submitted.
    """
    submitted: dict[str, datetime] = {}
    for payment in payments:
        payout_id, moment = payment.payout_id, payment.submitted_at
        has_one = reference_of(payment.payor_payment_id) in references
        if has_one and payout_id and moment is not None and moment >= since:
            submitted[payout_id] = min(moment, submitted.get(payout_id, moment))
    return submitted


_NOT_COMPARED = frozenset({"payments", "payorPaymentId"})
"""Members that are compared elsewhere: the payments of a payout one by one, and the reference, by
which each is found.
"""
_NEEDED_VALUES = frozenset({"remoteId", "sourceAccountName", "amount", "currency"})
"""What all payments in a payout have."""
_OWN_KINDS = {"transmissionType": "word"}
"""Members of which the document does not say that they are words."""


def _compared(
    model: str, sent: Mapping[str, Any], record: str, shown: Mapping[str, Any]
) -> dict[str, Likeness]:
    """What the values that a record shows say of those that were sent, by name.

    `model` and `record` are the names of both in the document. What the record does not show is not
    compared: a rejected payment has less than an accepted one, and none has the metadata.
    """
    shown_kinds = MEMBERS[record]
    kinds: dict[str, object] = {}
    for name, kind in MEMBERS[model].items():
        is_shown = name in shown_kinds or name in _NEEDED_VALUES
        if is_shown and name not in _NOT_COMPARED:
            of_both = kind if shown_kinds.get(name, kind) == kind else None
            kinds[name] = _OWN_KINDS.get(name, of_both)
    # A null is compared, too: a payment with a value there is another one.
    values = {name: "" if value is None else value for name, value in sent.items()}
    return comparing.compared(kinds, values, shown, _NEEDED_VALUES)


def _items_of(lazy_list: Any) -> Generator[Callable[[], Any], Any, list[Any]]:
    """Read all items of a lazy list of the client."""
    pages = lazy_list.pages()
    items: list[Any] = []
    while True:
        page = yield partial(following, pages)
        if page is None:
            return items
        items += page.items


def _by_reference(payments: object) -> dict[str, dict[str, Any]]:
    """The payments of a request that have a reference, by the reference."""
    with_reference: dict[str, dict[str, Any]] = {}
    for payment in map(object_or_empty, list_or_empty(payments)):
        reference = reference_of(payment.get("payorPaymentId"))
        if reference:
            with_reference[reference] = payment
    return with_reference


def _references_in(request: httpx.Request) -> str:
    """The references of a payout's payments; empty, if a payment has none or shares its own."""
    payments = list_or_empty(object_of(request).get("payments"))
    references = sorted(_by_reference(payments))
    return " ".join(references) if len(references) == len(payments) else ""


SUBMITTED = Proof.of_list(
    _find_submitted, needs=("payor_id",), subject=_references_in, finds_subject=True
)
