"""Who and what is known to the sandbox: API keys, OAuth clients, their tokens, accounts, counterparties."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from victor_ext.sandbox.victor.model import BUILT_IN, Account, Counterparty
from victor_ext.sandbox.victor.tokens import digest, read_public_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from victor_ext.sandbox.server.jsontypes import JsonValue
    from victor_ext.sandbox.victor.journal import Journal


class Directory:
    """Lookups by key, each of constant time; every addition is written to the journal first."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.public_keys: dict[str, RSAPublicKey] = {}
        self.clients: dict[str, str] = {}
        self.tokens: dict[str, tuple[str, float]] = {}
        self.issued: dict[str, int] = {}
        """How many tokens each client was given."""
        self.accounts: dict[str, Account] = {}
        self.counterparties: dict[str, Counterparty] = {}
        self.forget()

    def forget(self) -> None:
        """Back to the built-in counterparties alone."""
        for known in (self.public_keys, self.clients, self.tokens, self.issued, self.accounts):
            known.clear()
        self.counterparties = {counterparty.id: counterparty for counterparty in BUILT_IN}

    def restore(self, kind: str, name: str, value: JsonValue) -> None:
        """Take one fact over from the journal."""
        match kind:
            case "api_key":
                self.public_keys[name] = read_public_key(value)
            case "client":
                self.clients[name] = value
            case "token":
                self.tokens[name] = (value[0], value[1])
            case "issued":
                self.issued[name] = value
            case "account":
                self.accounts[name] = Account(**value)
            case "counterparty":
                self.counterparties[name] = Counterparty(**value)
            case _:
                pass

    def add_api_key(self, api_key: str, public_key_pem: str) -> None:
        """Let tokens signed by the matching private key in; `ValueError` for a key that cannot be used."""
        key = read_public_key(public_key_pem)
        self._journal.put("api_key", api_key, public_key_pem)
        self.public_keys[api_key] = key

    def add_client(self, client_id: str, client_secret: str) -> None:
        """Let a client ask for tokens."""
        kept = digest(client_secret)
        self._journal.put("client", client_id, kept)
        self.clients[client_id] = kept

    def add_token(self, token_digest: str, client_id: str, expires: float) -> None:
        """Remember a token that was given out."""
        count = self.issued.get(client_id, 0) + 1
        self._journal.put("token", token_digest, [client_id, expires])
        self._journal.put("issued", client_id, count)
        self.tokens[token_digest] = (client_id, expires)
        self.issued[client_id] = count

    def revoke_tokens(self, client_id: str | None = None) -> int:
        """Make the tokens of one client, or of all, worthless; returns how many there were."""
        gone = [token for token, (owner, _) in self.tokens.items() if client_id in (None, owner)]
        for token in gone:
            self._journal.drop("token", token)
            del self.tokens[token]
        return len(gone)

    def add_account(self, account: Account) -> None:
        """Make an account of the caller known."""
        self._journal.put("account", account.account_number, asdict(account))
        self.accounts[account.account_number] = account

    def add_counterparty(self, counterparty: Counterparty) -> None:
        """Make a counterparty known."""
        self._journal.put("counterparty", counterparty.id, asdict(counterparty))
        self.counterparties[counterparty.id] = counterparty
