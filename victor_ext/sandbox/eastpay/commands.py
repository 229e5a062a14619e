"""The control commands of EastPay's sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from victor_ext.sandbox.eastpay.state import SUCCEEDED, Ending
from victor_ext.sandbox.server import JsonObject, NotFound, ServerCommands, command, member, nothing

if TYPE_CHECKING:
    from victor_ext.sandbox.eastpay.provider import EastPayProvider


class Merchant(NamedTuple):
    """An entity that may call, and its access token."""

    entity_id: str
    token: str


class EastPayCommands(ServerCommands):
    """The commands of EastPay's sandbox, beside those of every sandbox."""

    _provider: EastPayProvider

    @command("POST", "/merchants", returns=lambda made: Merchant(str(made["entity_id"]), str(made["token"])))
    def add_merchant(self, entity_id: str | None = None, token: str | None = None) -> JsonObject:
        """Let an entity call with a token; returns both (None: new ones are made)."""
        return self._provider.add_merchant(entity_id, token)

    @command("POST", "/decisions", returns=nothing)
    def decide(self, reference: str, code: str = SUCCEEDED, *, then: str | None = None, after: float = 0.0) -> None:
        """Set the result `code` of payments with a `reference`, and the one `then`, `after` seconds later.

        `reference` is the merchant's own, `merchantTransactionId`.

        A payment with the CVV 999 is declined by the bank without a decision.
        """
        self._provider.state.endings[reference] = Ending(code, then, after)

    @command("POST", "/checkouts/{checkout_id}/pay", returns=member("id", str))
    def pay_checkout(self, checkout_id: str, code: str = SUCCEEDED) -> JsonObject:
        """Pay a checkout as the shopper, with the result `code`; returns the id of the payment."""
        return {"id": self._provider.pay_checkout(checkout_id, Ending(code)).id}

    @command("GET", "/payments/{payment_id}/notification", returns=lambda found: str(found["body"]).encode())
    def notification(self, payment_id: str) -> JsonObject:
        """The body of the notification that the gateway would send about a payment now. The sandbox sends none."""
        entry = self._provider.state.entries.get(payment_id)
        if entry is None:
            raise NotFound("There is no such payment.")
        return {"body": self._provider.payment_response(entry).body.decode()}

    @command("GET", "/payments")
    def payment_ids(self) -> list[str]:
        """The ids of all payments and steps, oldest first."""
        return list(self._provider.state.entries)
