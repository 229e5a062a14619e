"""The control commands of Velo's sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from victor_ext.sandbox.server import (
    JsonObject,
    NotificationCommands,
    TokenCommands,
    command,
    find,
    member,
    nothing,
    require_filled,
    require_least,
    require_new,
    require_one_of,
)
from victor_ext.sandbox.velo import _accounts, _payees, _payouts
from victor_ext.sandbox.velo._notifications import (
    EVENTS,
    notify,
    notify_without_cause,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from victor_ext.sandbox.velo._state import VeloState


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
        if _payees.by_remote_id(self._state, remote_id):
            require_new("remote_id", remote_id, [remote_id])
        given = {"remoteId": remote_id, "email": "payee@example.com"}
        return _payees.add_payee(self._state, given)

    @command("POST", "/payees/{payee_id}/onboard")
    def onboard_payee(self, payee_id: str) -> None:
        """Have a payee accept its invitation and onboard: then it can be deleted, and its details
        cannot be changed.
        """
        _payees.onboard(self._state, payee_id)

    @command("POST", "/sourceAccounts", returns=member("id", str))
    def add_source_account(self, name: str, currency: str, balance: int) -> JsonObject:
        """Add a source account with a `name`, a `currency` and a `balance` in minor units; returns
        its id.
        """
        _check_account(self._state.sources, name, currency)
        require_least("balance", balance, 0)
        return _accounts.add_source(self._state, name, currency, balance)

    @command("POST", "/fundingAccounts", returns=member("id", str))
    def add_funding_account(self, name: str, currency: str) -> JsonObject:
        """Add a funding account with a `name` and a `currency`; returns its id."""
        _check_account(self._state.banks, name, currency)
        return _accounts.add_bank(self._state, name, currency)

    @command("GET", "/sourceAccounts/{account_id}/balance")
    def balance(self, account_id: str) -> int:
        """The balance of a source account, in minor units."""
        return int(find(self._state.sources, account_id, "source account")["balance"])

    @command("POST", "/payments/{payment_id}/return", returns=nothing)
    def return_payment(self, payment_id: str) -> JsonObject:
        """Have the bank of a payee return a payment that is `CONFIRMED`: it is `RETURNED` then, its
        source account has the money again, and the notification is posted.
        """
        _payouts.return_payment(self._state, payment_id)
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
        or a payee. What it is about stays as it is.

        An id that the sandbox does not have is posted, too: no payout needs to be made.
        """
        require_one_of("event", event, EVENTS)
        state = self._state
        if event == "ping":
            notify(state, "system", event, {"sourceType": event})
        else:
            notify_without_cause(state, _payouts.known(state, about), event, about)
        return {}


def _check_account(known: Mapping[str, JsonObject], name: str, currency: str) -> None:
    """Raise `ValueError` for the name or the currency that a new account cannot have."""
    require_filled("name", name)
    require_new("name", name, [account["name"] for account in known.values()])
    if currency not in _CURRENCIES.split():
        raise ValueError(
            "currency must be a currency in three capital letters (ISO 4217), such as USD, "
            f"not {currency!r}"
        )


_CURRENCIES = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD
CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD
KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO
NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE
SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND
VUV WST XAD XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
"""The currencies of accounts: those of ISO 4217, by which Velo's document names them."""
