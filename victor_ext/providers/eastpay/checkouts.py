"""`eastpay.checkouts`: a page on which the shopper pays, so that no card data passes through the
merchant's hands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import quote

from eastpay_api import models
from eastpay_api.api.checkouts import get_checkout_payment, prepare_checkout

from victor_ext.money import Money
from victor_ext.runtime.client.resources import Mode, Resource, arguments_of, operation
from victor_ext.runtime.client.runners import OperationFlow, call
from victor_ext.runtime.core.validation import COMPARED, rule

from .checks import LONGEST_REFERENCE, Validation, check_id
from .records import Checkout, Payment

_LIFETIME = timedelta(minutes=15)
"""How long a checkout can be paid, by the gateway's documentation."""


@dataclass(frozen=True, slots=True, repr=False)
class _CheckoutRequest:
    # The arguments of `prepare`.
    amount: Annotated[Money, rule(Validation.amount)]
    _: KW_ONLY
    payment_type: Annotated[str, rule(Validation.printable, 2)] = "DB"
    merchant_transaction_id: Annotated[
        str | None, COMPARED, rule(Validation.reference, LONGEST_REFERENCE)
    ] = None
    merchant_id: Annotated[str | None, rule(Validation.printable, 255)] = None
    checkout_type: Annotated[str | None, rule(Validation.printable, 32)] = None
    checkout_id: Annotated[str | None, rule(Validation.printable, 255)] = None
    notification_url: Annotated[str | None, rule(Validation.url)] = None
    shopper_result_url: Annotated[str | None, rule(Validation.url)] = None
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
        form = Validation().form(models.CheckoutForm, self._shared.context, request)
        asked_at = self._shared.clock.now()
        raw = yield from call(prepare_checkout, models.Checkout, body=form)
        lapses_at = datetime.fromtimestamp(asked_at, UTC) + _LIFETIME
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
        raw = yield from call(
            get_checkout_payment, models.Payment, id=checkout_id, **self._shared.context.in_query()
        )
        return Payment(raw)

    def widget_url(self, checkout_id: str) -> str:
        """The address of the script that shows the payment form: `<script src="...">`. It holds no
        secret.

        Examples:
            >>> eastpay.checkouts.widget_url(checkout.id) == checkout.widget_url
            True
        """
        check_id("checkout_id", checkout_id)
        return f"{self._shared.context.gateway}/v3/checkouts/{quote(checkout_id, safe='')}"
