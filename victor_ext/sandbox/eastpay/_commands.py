"""The commands of EastPay's sandbox."""

from typing import NamedTuple

from victor_ext.sandbox.eastpay._payments import SUCCEEDED, Ending, PaymentEntry, is_declined
from victor_ext.sandbox.eastpay._state import EastPayState
from victor_ext.sandbox.server import (
    FARTHEST,
    JsonObject,
    NotificationCommands,
    command,
    find,
    member,
    nothing,
    require_filled,
    require_form,
    require_least,
)


class Merchant(NamedTuple):
    """An entity that may call, and its access token."""

    entity_id: str
    token: str


class EastPayCommands(NotificationCommands):
    """The commands of EastPay's sandbox, beside those of every sandbox."""

    _state: EastPayState

    @command(
        "POST",
        "/merchants",
        returns=lambda made: Merchant(str(made["entity_id"]), str(made["token"])),
    )
    def add_merchant(self, entity_id: str | None = None, token: str | None = None) -> JsonObject:
        """Let an entity call with a token; returns both (None: new ones are made)."""
        return self._state.add_merchant(entity_id, token)

    @command("POST", "/decisions", returns=nothing)
    def decide(
        self, reference: str, code: str = SUCCEEDED, *, then: str | None = None, after: float = 0.0
    ) -> None:
        """Set the result `code` of payments with a `reference`, and the one `then`, `after` seconds
        later.

        `reference` is the merchant's own, `merchantTransactionId`.

        A payment with the CVV 999, or with a card that has expired, is declined by the bank without
        a decision.
        """
        require_filled("reference", reference)
        _require_code("code", code)
        if then is not None:
            _require_code("then", then)
        require_least("after", after, 0, FARTHEST)
        self._state.endings[reference] = Ending(code, then, after)

    @command("POST", "/checkouts/{checkout_id}/pay", returns=member("id", str))
    def pay_checkout(self, checkout_id: str, code: str = SUCCEEDED) -> JsonObject:
        """Pay a checkout as the shopper, with the result `code`; returns the id of the payment.

        It lives until it is paid: only after a payment that was declined it is paid again.
        """
        _require_code("code", code)
        checkout = self._state.checkout(checkout_id)
        if checkout.paid and not is_declined(checkout.paid.ending.final):
            raise ValueError("the checkout is paid: prepare another one")
        checkout.paid = self._state.new_entry(checkout.owner, checkout.form)
        checkout.paid.ending = Ending(code)
        self._state.notify(checkout.paid)
        return {"id": checkout.paid.id}

    @command(
        "GET",
        "/payments/{payment_id}/notification",
        returns=lambda made: str(made["body"]).encode(),
    )
    def notification(self, payment_id: str) -> JsonObject:
        """The body of the notification that the gateway would send about a payment now."""
        return {"body": str(self._provider.message(self._entry(payment_id)), "utf-8")}

    @command("POST", "/payments/{payment_id}/notify", returns=nothing)
    def trigger(self, payment_id: str) -> JsonObject:
        """Post a notification about a payment as it is now, to its `notificationUrl` or to the
        address of `--notify`.
        """
        entry = self._entry(payment_id)
        self._state.notify(entry)
        return {}

    @command("GET", "/payments")
    def payment_ids(self) -> list[str]:
        """The ids of all payments and steps, oldest first."""
        return list(self._state.entries)

    def _entry(self, payment_id: str) -> PaymentEntry:
        return find(self._state.entries, payment_id, "payment")


def _require_code(name: str, value: str) -> None:
    require_form(name, value, r"[0-9]{3}\.[0-9]{3}\.[0-9]{2,3}", f"a code such as {SUCCEEDED}")
