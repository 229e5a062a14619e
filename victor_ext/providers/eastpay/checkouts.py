"""`eastpay.checkouts`: a page on which the shopper pays, so that no card data passes through the merchant's hands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from eastpay_api import models
from eastpay_api.api.checkouts import get_checkout_payment, prepare_checkout

from victor_ext.money import Money
from victor_ext.runtime.client.resources import Mode, Resource, operation
from victor_ext.runtime.client.runners import OperationFlow, call

from .checks import Validation, check_id
from .records import Checkout, Payment
from .settings import Entity

_LIFE = timedelta(minutes=15)


class Checkouts(Resource[Mode]):
    """Checkouts of one entity. A method raises `InvalidRequest` before anything is sent."""

    context: Entity

    @operation
    def prepare(
        self,
        amount: Money,
        *,
        payment_type: str = "DB",
        merchant_transaction_id: str | None = None,
        merchant_id: str | None = None,
        checkout_type: str | None = None,
        checkout_id: str | None = None,
        notification_url: str | None = None,
        shopper_result_url: str | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> OperationFlow[Checkout]:
        """Prepare a checkout; show its `widget_url` to the shopper within 15 minutes, then ask for its `status`.

        Args:
            amount: What the shopper is to pay.
            payment_type: DB debits, PA pre-authorises.
            merchant_transaction_id: Your own reference. The vendor's list of a checkout's parameters does not have
                it; with None, none is sent.
            merchant_id: Sent as `merchant.id`.
            checkout_type: AUTHORIZE is the only word that was seen; with None, none is sent.
            checkout_id: Sent as `checkoutId`, which the vendor lists and does not explain; with None, none is sent.
            notification_url: Where the gateway posts a notification when the payment changes.
            shopper_result_url: Where the shopper is sent afterwards.
            parameters: Further parameters by their names on the wire, such as `{"paymentBrand": "VISA"}`.

        Raises:
            BadRequest: The gateway rejected the request; `problems` says why.
            VictorError: See `outcome`. No money moves here: if the id was lost, prepare another checkout.

        Examples:
            >>> checkout = eastpay.checkouts.prepare(price, shopper_result_url="https://shop.example/paid")
        """
        validation = Validation()
        reference = merchant_transaction_id
        form = validation.form(
            models.CheckoutForm,
            self.context,
            validation.amount(amount),
            payment_type=validation.printable("payment_type", payment_type, 2, required=True),
            merchant_transaction_id=None if reference is None else validation.own_reference(reference),
            merchant_id=validation.printable("merchant_id", merchant_id, 255),
            checkout_type=validation.printable("checkout_type", checkout_type, 32),
            checkout_id=validation.printable("checkout_id", checkout_id, 255),
            notification_url=validation.url("notification_url", notification_url),
            shopper_result_url=validation.url("shopper_result_url", shopper_result_url),
            parameters=parameters,
        )
        asked_at = self.clock.now()
        raw = yield from call(prepare_checkout, models.Checkout, body=form)
        lapses_at = datetime.fromtimestamp(asked_at, UTC) + _LIFE
        return Checkout(raw, widget_url=self.widget_url(raw.id), lapses_at=lapses_at)

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
        raw = yield from call(get_checkout_payment, models.Payment, id=checkout_id, **self.context.in_query())
        return Payment(raw)

    def widget_url(self, checkout_id: str) -> str:
        """The address of the script that shows the payment form: `<script src="...">`. It holds no secret.

        Examples:
            >>> eastpay.checkouts.widget_url(checkout.id) == checkout.widget_url
            True
        """
        check_id("checkout_id", checkout_id)
        return f"{self.context.gateway}/v3/checkouts/{quote(checkout_id, safe='')}"
