"""The control commands of Velo's sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from victor_ext.sandbox.server import JsonObject, TokenCommands, command, member, nothing
from victor_ext.sandbox.server.accepted import (
    require_filled,
    require_least,
    require_new,
    require_one_of,
)
from victor_ext.sandbox.server.notifying import NotificationCommands
from victor_ext.sandbox.velo.currencies import require_currency
from victor_ext.sandbox.velo.notifications import EVENTS, notify_without_cause

if TYPE_CHECKING:
    from victor_ext.sandbox.velo.state import VeloState


class VeloCommands(TokenCommands, NotificationCommands):
    """The commands of Velo's sandbox, beside those of every sandbox."""

    _state: VeloState

    @command("POST", "/keys", returns=lambda made: (str(made["api_key"]), str(made["api_secret"])))
    def add_key(self, api_key: str | None = None, api_secret: str | None = None) -> JsonObject:
        """Let a client ask for tokens; returns its `api_key` and `api_secret` (None: new ones are
        made).
        """
        return self._state.add_key(api_key, api_secret)

    @property
    def payor_id(self) -> str:
        """The id of the only payor, which `info` has."""
        return str(self.info()["payor_id"])

    @command("POST", "/payees", returns=member("payeeId", str))
    def add_payee(self, remote_id: str) -> JsonObject:
        """Add a payee that can be paid at once, by its `remote_id`; returns Velo's id."""
        require_filled("remote_id", remote_id)
        require_new("remote_id", remote_id, self._state.payees.remote_ids())
        return self._state.payees.add({"remoteId": remote_id, "email": "payee@example.com"})

    @command("POST", "/payees/{payee_id}/onboard")
    def onboard_payee(self, payee_id: str) -> None:
        """Have a payee accept its invitation and onboard: then it can be deleted, and its details
        cannot be changed.
        """
        self._state.payees.onboard(payee_id)

    @command("POST", "/sourceAccounts", returns=member("id", str))
    def add_source_account(self, name: str, currency: str, balance: int) -> JsonObject:
        """Add a source account with a `name`, a `currency` and a `balance` in minor units; returns
        its id.
        """
        sources = self._state.accounts.sources.values()
        require_filled("name", name)
        require_new("name", name, [source["name"] for source in sources])
        require_currency("currency", currency)
        require_least("balance", balance, 0)
        return self._state.accounts.add_source(name, currency, balance)

    @command("POST", "/fundingAccounts", returns=member("id", str))
    def add_funding_account(self, name: str, currency: str) -> JsonObject:
        """Add a funding account with a `name` and a `currency` that can be read at once; returns
        its id.
        """
        banks = self._state.accounts.banks.values()
        require_filled("name", name)
        require_new("name", name, [bank["name"] for bank in banks])
        require_currency("currency", currency)
        return self._state.accounts.add_bank(name, currency)

    @command("GET", "/sourceAccounts/{account_id}/balance")
    def balance(self, account_id: str) -> int:
        """The balance of a source account, in minor units."""
        return int(self._state.accounts.source(account_id)["balance"])

    @command("POST", "/payments/{payment_id}/return", returns=nothing)
    def return_payment(self, payment_id: str) -> JsonObject:
        """Have the bank of a payee return a payment that is `CONFIRMED`: it is `RETURNED` then, its
        source account has the money again, and the notification is posted.
        """
        self._state.payouts.return_payment(payment_id)
        return {}

    @command("GET", "/notifications")
    def notifications(self, after: int = 0) -> list[JsonObject]:
        """The webhook notifications with a sequence number above `after`, whether they were posted
        or not.
        """
        return [one for one in self._state.notifications if one["sequenceNumber"] > after]

    @command("GET", "/authorization_header")
    def authorization_header(self) -> str:
        """The `Authorization` header of what is posted to `--notify`."""
        return self._state.authorization

    @command("POST", "/trigger", returns=nothing)
    def trigger(self, about: str, event: str) -> JsonObject:
        """Post a notification of any `event`, such as `payment.returned`, about the id of a payment
        or a payee (`ping`: of a webhook). What it is about stays as it is.

        An id that the sandbox does not have is posted, too: no payout needs to be made.
        """
        require_one_of("event", event, EVENTS)
        webhooks = self._state.webhooks
        if not webhooks:
            self._notifications.require_address(event)
        if event == "ping":
            webhook_id = about if about in webhooks else None
            self._state.notify("system", event, {"sourceType": event}, webhook_id)
            return {}
        self._state.require_receiver(event)
        payment = self._state.payouts.known(about)
        notify_without_cause(self._state, payment, event, about)
        return {}
