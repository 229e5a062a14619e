"""The control commands of Victor's sandbox."""

import re
import uuid
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Literal

from victor_ext.sandbox.server import (
    JsonObject,
    JsonValue,
    Problem,
    TokenCommands,
    command,
    member,
    nothing,
)
from victor_ext.sandbox.victor._ledger import Ledger
from victor_ext.sandbox.victor._lifecycle import read_date
from victor_ext.sandbox.victor._state import (
    DEMO_PAYEE,
    Account,
    Behaviour,
    Counterparty,
    Network,
    PaymentRequest,
    Status,
    declared,
)

Answer = Literal["Accepted", "Declined"]


class SandboxCommands(TokenCommands):
    """The commands of Victor's sandbox. Each is a call of the control API.

    Misuse is a `ValueError`; a payment request that does not exist is a `LookupError`.
    """

    _state: Ledger

    # Credentials

    @command("POST", "/public-keys", returns=member("api_key", str))
    def add_api_key(self, public_key_pem: str, api_key: str | None = None) -> JsonObject:
        """Accept tokens that match `public_key_pem`; returns the `api_key` (None: a new one is
        made).
        """
        return self._state.add_api_key(public_key_pem, api_key)

    @command(
        "POST", "/api-keys", returns=lambda made: (str(made["api_key"]), str(made["private_key"]))
    )
    def new_api_key(self, api_key: str | None = None) -> JsonObject:
        """Add an API key; returns the `api_key` (None: a new one is made) and its `private_key` as
        PKCS#8 PEM.
        """
        return self._state.add_api_key(None, api_key)

    @command(
        "POST",
        "/oauth-clients",
        returns=lambda made: (str(made["client_id"]), str(made["client_secret"])),
    )
    def add_oauth_client(
        self, client_id: str | None = None, client_secret: str | None = None
    ) -> JsonObject:
        """Let a client ask for tokens; returns its `client_id` and `client_secret`, new ones where
        they are None.
        """
        return self._state.add_oauth_client(client_id, client_secret)

    # Accounts and counterparties

    @command("POST", "/accounts", returns=nothing)
    def add_account(
        self, account_number: str, *, routing_number: str | None = None, name: str | None = None
    ) -> JsonObject:
        """Add an account of the caller; `name` is its owner's.

        `account_number` has 3 to 20 digits, and `routing_number` is what a request to it shows.
        """
        number = _account_number("account_number", account_number)
        shown = _given(routing_number=routing_number, name=name)
        account = Account(account_number=number, **shown)
        # It is shown as the payer of an inbound request.
        _refuse(
            declared("get").response(200).problems({"payment_request": {"payer": asdict(account)}})
        )
        self._state.store.accounts[account.account_number] = account
        return asdict(account)

    @command("POST", "/counterparties", returns=member("id", str))
    def add_counterparty(
        self,
        id: str | None = None,
        *,
        account_number: str | None = None,
        routing_number: str | None = None,
        name: str | None = None,
        network: Network | None = None,
        behaviour: Behaviour | None = None,
    ) -> JsonObject:
        """Add a counterparty; returns its id (None: a new one is made).

        With the `account_number` of an account of the sandbox, each request to it gets an inbound
        twin. Otherwise `behaviour` decides what happens to a request as time passes. `name`,
        `routing_number` and `network` are what a request to it shows.
        """
        if account_number is not None:
            _account_number("account_number", account_number)
        numbers = _given(account_number=account_number, routing_number=routing_number)
        more = _given(name=name, network=network, behaviour=behaviour)
        counterparty = Counterparty(id=id or uuid.uuid4().hex[:10], **numbers, **more)
        if not 1 <= len(counterparty.id) <= 16:
            raise ValueError("id must have 1 to 16 characters")
        self._state.store.counterparties[counterparty.id] = counterparty
        return asdict(counterparty)

    # Requests

    @command("POST", "/payment-requests/inbound", returns=member("id", str))
    def create_inbound(
        self,
        amount: str | int | Decimal = "10.00",
        due_date: str | date | None = None,
        *,
        payer_account: str | None = None,
        payee_account: str | None = None,
        biller_type: str | None = None,
        ultimate_creditor: str | None = None,
        amount_modification_allowed: bool | None = None,
        notes: str | None = None,
        network: Network | None = None,
    ) -> JsonObject:
        """Make an inbound request from outside of the sandbox; returns its id.

        The arguments are those of a create: `amount`, `due_date` (None: tomorrow; it may be any),
        `biller_type`, `ultimate_creditor`, `amount_modification_allowed` and `notes`. What the
        document refuses there is refused here too. `payer_account` is the account that is asked
        (None: the first), `payee_account` the one that asks, and `network` the one that it comes by
        (None: RTP).
        """
        ledger = self._state
        due = ledger.tomorrow() if due_date is None else due_date
        if not isinstance(due, str) or read_date(due) is None:
            raise ValueError("due_date must be YYYY-MM-DD, or a date")
        known = next(iter(ledger.store.accounts), "243884643621")
        payer = _account_number("payer_account", payer_account or known)
        body: JsonObject = {
            "payee": {
                "account_number": payee_account or DEMO_PAYEE,
                **_given(ultimate_creditor=ultimate_creditor),
            },
            "payer": {"victor_counterparty_id": "outside"},
            "payment_details": {
                "amount": str(amount) if type(amount) is int else amount,
                "due_date": due,
                "biller_type": biller_type or "BUSINESS",
                **_given(amount_modification_allowed=amount_modification_allowed, notes=notes),
            },
        }
        _refuse(ledger.create_problems(body, from_outside=True))
        return _record(ledger.create_inbound(body, payer, network or "RTP"))

    @command("GET", "/payment-requests")
    def requests(self) -> list[JsonObject]:
        """Every payment request, oldest first."""
        self._state.tick()
        return [_record(request) for request in self._state.store.requests.values()]

    @command("GET", "/payment-requests/{request_id}")
    def request(self, request_id: str) -> JsonObject:
        """One payment request as the sandbox keeps it."""
        self._state.tick()
        return _record(self._state.get(request_id))

    @command("POST", "/payment-requests/{request_id}/respond", returns=nothing)
    def respond(
        self,
        request_id: str,
        status: Answer,
        notes: str | None = None,
        *,
        modified_amount: str | None = None,
    ) -> JsonObject:
        """Respond as the payer does in their own bank: `Accepted` or `Declined`. A twin moves with
        it.

        `status` is the response, `notes` are the payer's (None: a default), and `modified_amount`
        is what they pay, if the request allows that.
        """
        body = {"status": status, "notes": notes or f"{status} on the sandbox's page"}
        body |= _given(modified_amount=modified_amount)
        _refuse(declared("respond").body.problems(body))
        self._state.respond(request_id, body, as_payer=True)
        return _record(self._state.get(request_id))

    @command("POST", "/payment-requests/{request_id}/expire", returns=nothing)
    def expire(self, request_id: str) -> JsonObject:
        """Let a request without an answer expire now, with its twin."""
        return _record(self._state.expire(request_id))

    @command("POST", "/payment-requests/{request_id}/move", returns=nothing)
    def move(self, request_id: str, status: Status, error_message: str | None = None) -> JsonObject:
        """Put a request into any status. A twin stays as it is.

        `error_message` is the provider's reason, if it gives one.
        """
        return _record(self._state.move(request_id, status, error_message))


def _account_number(name: str, value: JsonValue) -> str:
    if not isinstance(value, str) or not re.fullmatch("[0-9]{3,20}", value):
        raise ValueError(f"{name} must be a text of 3 to 20 digits; leading zeros count")
    return value


def _record(request: PaymentRequest) -> JsonObject:
    return {**request.to_dict(), "tracking_id": request.tracking_id, "rails_id": request.rails_id}


def _refuse(problems: list[Problem]) -> None:
    """Raise `ValueError` when there are problems, each with the argument that is wrong."""
    names = {"account_number": "payee_account"}
    messages = [
        f"{names.get(problem.path[-1], problem.path[-1])} {problem.message}" for problem in problems
    ]
    if messages:
        raise ValueError("; ".join(messages))


def _given(**options: JsonValue) -> JsonObject:
    return {name: value for name, value in options.items() if value is not None}
