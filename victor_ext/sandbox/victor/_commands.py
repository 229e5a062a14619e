"""The control commands of Victor's sandbox."""

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
    require_form,
)
from victor_ext.sandbox.victor._ledger import Ledger
from victor_ext.sandbox.victor._lifecycle import read_date
from victor_ext.sandbox.victor._state import (
    DEMO_PAYEE,
    Account,
    Behaviour,
    Counterparty,
    Network,
    Request,
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
        _require_account("account_number", account_number)
        shown = _given(routing_number=routing_number, name=name)
        account = Account(account_number=account_number, **shown)
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
            _require_account("account_number", account_number)
        given = _given(
            account_number=account_number,
            routing_number=routing_number,
            name=name,
            network=network,
            behaviour=behaviour,
        )
        counterparty = Counterparty(id=id or uuid.uuid4().hex[:10], **given)
        require_form("id", counterparty.id, "(?s:.){1,16}", "a text of 1 to 16 characters")
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
        due = str(due_date or ledger.tomorrow())
        if read_date(due) is None:
            raise ValueError("due_date must be YYYY-MM-DD, or a date")
        payer = payer_account or next(iter(ledger.store.accounts), "243884643621")
        _require_account("payer_account", payer)
        payee = payee_account or DEMO_PAYEE
        body: JsonObject = {
            "payee": _given(account_number=payee, ultimate_creditor=ultimate_creditor),
            "payer": {"victor_counterparty_id": "outside"},
            "payment_details": _given(
                amount=str(amount),
                due_date=due,
                biller_type=biller_type,
                amount_modification_allowed=amount_modification_allowed,
                notes=notes,
            ),
        }
        _refuse(ledger.create_problems(body, from_outside=True))
        return _record(ledger.create_inbound(body, payer, network or "RTP"))

    @command("GET", "/payment-requests")
    def requests(self) -> list[JsonObject]:
        """Every payment request, oldest first."""
        self._provider.tick()
        return [_record(request) for request in self._state.store.requests.values()]

    @command("GET", "/payment-requests/{request_id}")
    def request(self, request_id: str) -> JsonObject:
        """One payment request as the sandbox keeps it."""
        self._provider.tick()
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
        notes = notes or f"{status} on the sandbox's page"
        body = _given(status=status, notes=notes, modified_amount=modified_amount)
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


def _require_account(name: str, value: str) -> None:
    require_form(name, value, "[0-9]{3,20}", "a text of 3 to 20 digits; leading zeros count")


def _record(request: Request) -> JsonObject:
    """A request as the sandbox keeps it, and the parts of its body by names of their own."""
    body, answer = request.body, request.answer or {}
    payee, payer = body["payee"], body.get("payer", {})
    names = (*Request.__slots__, "parent_id", "child_id", "tracking_id", "rails_id")
    parts = {
        "client_reference_id": body.get("client_reference_id"),
        "payee_account": payee["account_number"],
        "ultimate_creditor": payee.get("ultimate_creditor"),
        "counterparty_id": payer.get("victor_counterparty_id"),
        "payer_account": payer.get("account_number"),
        "payer_routing": payer.get("routing_number"),
        "payer_name": payer.get("name"),
        "answer": answer.get("status"),
        "modified_amount": answer.get("modified_amount"),
    }
    kept = {name: getattr(request, name) for name in names}
    return _given(**{**kept, **request.details, **parts})


def _refuse(problems: list[Problem]) -> None:
    """Raise `ValueError` when there are problems, each with the argument that is wrong."""
    names = {"account_number": "payee_account"}
    messages = [
        f"{names.get(problem.path[-1], problem.path[-1])}: {problem.message}"
        for problem in problems
    ]
    if messages:
        raise ValueError("; ".join(messages))


def _given(**options: JsonValue) -> JsonObject:
    return {name: value for name, value in options.items() if value is not None}
