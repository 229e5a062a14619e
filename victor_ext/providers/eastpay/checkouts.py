"""`eastpay.checkouts`: a page on which the shopper pays, so that no card data passes through the
merchant's hands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from eastpay_api.api.checkouts import get_checkout_payment, prepare_checkout

from victor_ext.money import Money
from victor_ext.runtime.client.resources import Mode, Resource, arguments_of, operation
from victor_ext.runtime.client.runners import OperationFlow, call
from victor_ext.runtime.core.validation import Validation

from .records import Checkout, Payment
from .requests import check_id, checked_form

_LIFETIME = timedelta(minutes=15)
"""How long a checkout can be paid, by the gateway's documentation."""


@dataclass(frozen=True, slots=True, repr=False)
class _CheckoutRequest:
    # The arguments of `prepare`.
    amount: Money
    _: KW_ONLY
    payment_type: str = "DB"
    merchant_transaction_id: str | None = None
    merchant_id: str | None = None
    checkout_type: str | None = None
    checkout_id: str | None = None
    notification_url: str | None = None
    shopper_result_url: str | None = None
    parameters: Mapping[str, str] | None = None


class Checkouts(Resource[Mode]):
    """Checkouts of one entity. A method raises `InvalidRequest` before anything is sent."""

    @operation
    @arguments_of(_CheckoutRequest)
    def prepare(self, request: _CheckoutRequest) -> OperationFlow[Checkout]:
        """Prepare a checkout; show its `widget_url` to the shopper within 15 minutes, then ask for
        its `status`.

        The arguments that are not listed here are those of `payments.debit`.

        Args:
            payment_type: DB debits, PA pre-authorises.
            merchant_transaction_id: Your own reference. The vendor's list of a checkout's
                parameters does not have it; with None, none is sent.
            merchant_id: Sent as `merchant.id`.
            checkout_type: AUTHORIZE is the only word that was seen; with None, none is sent.
            checkout_id: Sent as `checkoutId`, which the vendor lists and does not explain; with
                None, none is sent.

        Raises:
            BadRequest: The gateway rejected the request; `problems` says why.
            VictorError: See `outcome`. No money moves here: if the id was lost, prepare another
                checkout.

        Examples:
            >>> checkout = eastpay.checkouts.prepare(
            ...     price, shopper_result_url="https://shop.example/paid"
            ... )
        """
        form = checked_form(Validation(), self._shared.context, request)
        asked_at = self._shared.clock.now()
        body = yield from call(prepare_checkout, body=form)
        lapses_at = datetime.fromtimestamp(asked_at, UTC) + _LIFETIME
        return Checkout(body, widget_url=self.widget_url(body["id"]), lapses_at=lapses_at)

    @operation
    def status(self, checkout_id: str) -> OperationFlow[Payment]:
        """The payment of a checkout: pending until the shopper has paid.

        Raises:
            NotFound: There is no such checkout, or it has lapsed.

        Examples:
            >>> eastpay.checkouts.status(checkout.id).result.kind.value
            'pending'
        """
        check_id("checkout_id", checkout_id)
        entity = self._shared.context
        return Payment((yield from call(get_checkout_payment, id=checkout_id, **entity.in_query())))

    def widget_url(self, checkout_id: str) -> str:
        """The address of the script that shows the payment form: `<script src="...">`. It holds no
        secret.

        Examples:
            >>> eastpay.checkouts.widget_url(checkout.id) == checkout.widget_url
            True
        """
        check_id("checkout_id", checkout_id)
        return f"{self._shared.context.gateway}/v3/checkouts/{quote(checkout_id, safe='')}"
