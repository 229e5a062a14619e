"""The control commands of Velo's sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from victor_ext.sandbox.server import JsonObject, NotFound, ServerCommands, command, member

if TYPE_CHECKING:
    from victor_ext.sandbox.velo.provider import VeloProvider


class VeloCommands(ServerCommands):
    """The commands of Velo's sandbox, beside those of every sandbox."""

    _provider: VeloProvider

    @command("POST", "/keys", returns=lambda made: (str(made["api_key"]), str(made["api_secret"])))
    def add_key(self, api_key: str | None = None, api_secret: str | None = None) -> JsonObject:
        """Let a client ask for tokens; returns its `api_key` and `api_secret` (None: new ones are made)."""
        return self._provider.add_key(api_key, api_secret)

    @property
    def payor_id(self) -> str:
        """The id of the only payor."""
        return str(self._payor()["payor_id"])

    @command("GET", "/payor")
    def _payor(self) -> JsonObject:
        """The only payor."""
        return {"payor_id": self._provider.payor_id}

    @command("POST", "/payees", returns=member("payeeId", str))
    def add_payee(self, remote_id: str) -> JsonObject:
        """Add a payee that can be paid at once, by its `remote_id`; returns Velo's id."""
        given = {"remoteId": remote_id, "email": "payee@example.com"}
        return self._provider.payees.add(self._provider.payor_id, given)

    @command("POST", "/payees/{payee_id}/onboard")
    def onboard_payee(self, payee_id: str) -> None:
        """Have a payee accept its invitation and onboard: then it can be deleted, and its details cannot be changed."""
        if payee_id not in self._provider.payees.all:
            raise NotFound("There is no such payee.")
        self._provider.payees.onboard(payee_id)

    @command("POST", "/sourceAccounts", returns=member("id", str))
    def add_source_account(self, name: str, currency: str, balance: int) -> JsonObject:
        """Add a source account with a `name`, a `currency` and a `balance` in minor units; returns its id."""
        return self._provider.accounts.add_source(self._provider.payor_id, name, currency, balance)

    @command("POST", "/fundingAccounts", returns=member("id", str))
    def add_funding_account(self, name: str, currency: str) -> JsonObject:
        """Add a funding account with a `name` and a `currency` that can be read at once; returns its id."""
        return self._provider.accounts.add_bank(self._provider.payor_id, name, currency)

    @command("GET", "/sourceAccounts/{account_id}/balance")
    def balance(self, account_id: str) -> int:
        """The balance of a source account, in minor units."""
        account = self._provider.accounts.sources.get(account_id)
        if account is None:
            raise NotFound("There is no such source account.")
        return int(account["balance"])

    @command("GET", "/notifications")
    def notifications(self, after: int = 0) -> list[JsonObject]:
        """The webhook notifications with a sequence number above `after`. The sandbox itself posts none."""
        return [each for each in self._provider.notifications if each["sequenceNumber"] > after]

    @command("GET", "/tokens")
    def tokens_issued(self) -> dict[str, int]:
        """How many tokens were issued to each key."""
        return dict(self._provider.tokens.issued)

    @command("POST", "/tokens/revoke")
    def revoke_tokens(self) -> int:
        """Revoke every token; returns their number."""
        return self._provider.tokens.revoke()
