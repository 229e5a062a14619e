"""`velo.payments`: the payments of a payor, over all payouts."""

from __future__ import annotations

from datetime import datetime

from velo_api.api.payments import get_payment, list_payments
from velo_api.typed import methods
from velo_api.typed.arguments import PACKAGE
from velo_api.typed.records import Payment

from victor_ext._runtime.client.paging import PageReader
from victor_ext._runtime.client.resources import Resource
from victor_ext._runtime.client.runners import OperationFlow
from victor_ext._values.ids import reference_of
from victor_ext.typed import Query, Request

from ._operations import PAYMENT_WITHDRAWAL
from ._proofs import day_around
from ._reading import lists, reads, walk, write

_TIE = "paymentId"


class _PaymentFlows(Resource):
    """The flows behind the generated methods."""

    _list = lists(Payment, tie=_TIE)
    _get = reads(Payment)

    def _withdraw(self, request: Request) -> OperationFlow[None]:
        return write(request, get_payment, Payment, PAYMENT_WITHDRAWAL.done)

    def _find(
        self, payor_payment_id: str, *, payor_id: str, since: datetime, until: datetime | None
    ) -> OperationFlow[list[Payment]]:
        with Query("The search") as check:
            check.reference("payor_payment_id", payor_payment_id, 40)
            check.text("payor_id", payor_id, form=PACKAGE.forms["id"])
            check.second("since", since)
            if until is not None:
                check.second("until", until)
            check.range("since", since, "until", until)
        first, last = day_around(since, -1), None if until is None else day_around(until, 1)
        window = PACKAGE.list(
            list_payments,
            payor_id=payor_id,
            page_size=100,
            sort="submittedDateTime:asc",
            submitted_from=first,
            submitted_to=last,
        )
        listed = walk(window, Payment, tie=_TIE)
        reader: PageReader[Payment] = listed.begin()
        matches: list[Payment] = []
        wanted = reference_of(payor_payment_id)
        while (page := (yield from listed.next_page(reader))) is not None:
            matches += [
                payment
                for payment in page.items
                if reference_of(payment.payor_payment_id) == wanted
            ]
        return matches


class Payments(methods.Payments, _PaymentFlows):
    """Payments of a payor, over all payouts. Errors and filters are those of `Payees`."""


class AsyncPayments(methods.AsyncPayments, _PaymentFlows):
    """The same operations, awaited."""
