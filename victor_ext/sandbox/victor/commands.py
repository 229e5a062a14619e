"""The commands of Victor's sandbox as typed Python methods, with one behaviour in this process and over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from victor_ext.sandbox.server.commands import ServerCommands
from victor_ext.sandbox.victor.standin import VictorStandIn

if TYPE_CHECKING:
    from victor_ext.sandbox.server.jsontypes import JsonObject
    from victor_ext.sandbox.server.standin import AnyStandIn
    from victor_ext.sandbox.victor.model import Behaviour, Network, Status


class SandboxCommands(ServerCommands):
    """What can be done to a sandbox. Every method is one command of the control API, described in its page.

    Misuse is a `ValueError`; a payment request that does not exist is a `LookupError`.
    """

    stand_in: ClassVar[type[AnyStandIn]] = VictorStandIn

    def add_api_key(self, public_key_pem: str, api_key: str | None = None) -> str:
        """Let tokens signed by the matching private key in; returns the API key (made up when not given)."""
        found: str = self._run("add_api_key", public_key=public_key_pem, api_key=api_key)["api_key"]
        return found

    def new_api_key(self, api_key: str | None = None) -> tuple[str, str]:
        """Make a key pair: the API key, and the private key as PKCS#8 PEM."""
        made = self._run("add_api_key", api_key=api_key)
        return str(made["api_key"]), str(made["private_key"])

    def add_oauth_client(self, client_id: str | None = None, client_secret: str | None = None) -> tuple[str, str]:
        """Let a client ask for tokens; returns its id and secret (made up when not given)."""
        made = self._run("add_oauth_client", client_id=client_id, client_secret=client_secret)
        return str(made["client_id"]), str(made["client_secret"])

    def tokens_issued(self) -> dict[str, int]:
        """How many tokens each client was given."""
        found: dict[str, int] = self._run("tokens_issued")
        return found

    def revoke_tokens(self, client_id: str | None = None) -> int:
        """Make the issued tokens of one client, or of all, worthless: their next use is a 401."""
        found: int = self._run("revoke_tokens", client_id=client_id)["revoked"]
        return found

    def add_account(self, account_number: str, *, routing_number: str | None = None, name: str | None = None) -> None:
        """Make an account of the caller known."""
        self._run("add_account", account_number=account_number, routing_number=routing_number, name=name)

    def accounts(self) -> list[JsonObject]:
        """Every known account."""
        found: list[JsonObject] = self._run("accounts")
        return found

    def add_counterparty(
        self,
        id: str | None = None,  # noqa: A002 (the provider's word)
        *,
        account_number: str | None = None,
        routing_number: str | None = None,
        name: str | None = None,
        network: Network | None = None,
        behaviour: Behaviour | None = None,
    ) -> str:
        """Make a counterparty known; returns its id.

        With the `account_number` of an account of the sandbox, each request to it gets an inbound twin.
        Otherwise `behaviour` decides what becomes of a request as time passes.
        """
        made = self._run(
            "add_counterparty",
            id=id,
            account_number=account_number,
            routing_number=routing_number,
            name=name,
            network=network,
            behaviour=behaviour,
        )
        found: str = made["id"]
        return found

    def counterparties(self) -> list[JsonObject]:
        """Every known counterparty, those that are built in included."""
        found: list[JsonObject] = self._run("counterparties")
        return found

    def move(self, request_id: str, status: Status, error_message: str | None = None) -> None:
        """Put a request into a status, whatever it was before."""
        self._run("move", request_id=request_id, status=status, error_message=error_message)

    def create_inbound(
        self,
        amount: str = "10.00",
        due_date: str | None = None,
        *,
        payer_account: str | None = None,
        payee_account: str | None = None,
        biller_type: str | None = None,
        ultimate_creditor: str | None = None,
        amount_modification_allowed: bool | None = None,
        notes: str | None = None,
        network: Network | None = None,
    ) -> str:
        """An inbound request from somebody outside, waiting for an answer; returns its id."""
        made = self._run(
            "create_inbound",
            amount=amount,
            due_date=due_date,
            payer_account=payer_account,
            payee_account=payee_account,
            biller_type=biller_type,
            ultimate_creditor=ultimate_creditor,
            amount_modification_allowed=amount_modification_allowed,
            notes=notes,
            network=network,
        )
        found: str = made["id"]
        return found

    def requests(self, offset: int = 0, limit: int | None = None) -> list[JsonObject]:
        """Payment requests as the sandbox keeps them, oldest first."""
        found: list[JsonObject] = self._run("requests", offset=offset, limit=limit)
        return found

    def request(self, request_id: str) -> JsonObject:
        """One payment request as the sandbox keeps it."""
        found: JsonObject = self._run("request", request_id=request_id)
        return found
