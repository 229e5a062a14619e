"""`eastpay.checkouts`: a page on which the shopper pays, so that no card data passes through the
merchant's hands.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from eastpay_api.api.checkouts import get_checkout_payment, prepare_checkout
from eastpay_api.typed import methods

from victor_ext._runtime.client.resources import Resource
from victor_ext._runtime.client.runners import OperationFlow, call
from victor_ext._runtime.core.validation import Validation
from victor_ext.typed import CheckedCall, Request

from ._records import Checkout, Payment
from ._requests import check_id, checked_form

_LIFETIME = timedelta(minutes=15)
"""How long a checkout can be paid, by the gateway's documentation."""


class _CheckoutFlows(Resource):
    """The flows behind the generated methods."""

    def _prepare(self, request: Request) -> OperationFlow[Checkout]:
        check = Validation()
        payment_type = check.text("payment_type", request.by_hand["payment_type"], 2)
        entity = self._shared.context
        form = checked_form(check, entity, request, ("amount",), paymentType=payment_type)
        asked_at = self._shared.clock.now()
        body = yield from call(prepare_checkout, body=form)
        lapses_at = datetime.fromtimestamp(asked_at, UTC) + _LIFETIME
        return Checkout(body, widget_url=self.widget_url(body["id"]), lapses_at=lapses_at)

    def _status(self, request: CheckedCall) -> OperationFlow[Payment]:
        checkout_id = request.by_hand["checkout_id"]
        check_id("checkout_id", checkout_id)
        query = {**self._shared.context.in_query(), **request.path}
        return Payment((yield from call(get_checkout_payment, id=checkout_id, **query)))

    def widget_url(self, checkout_id: str) -> str:
        """The address of the script that shows the payment form: `<script src="...">`. It holds no
        secret.

        Examples:
            >>> eastpay.checkouts.widget_url(checkout.id) == checkout.widget_url
            True
        """
        check_id("checkout_id", checkout_id)
        return f"{self._shared.context.gateway}/v3/checkouts/{quote(checkout_id, safe='')}"


class Checkouts(methods.Checkouts[Checkout, Payment], _CheckoutFlows):
    """Checkouts of one entity. A method raises `InvalidRequest` before anything is sent."""


class AsyncCheckouts(methods.AsyncCheckouts[Checkout, Payment], _CheckoutFlows):
    """The same operations, awaited."""
