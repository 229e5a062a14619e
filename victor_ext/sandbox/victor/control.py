"""The control commands of Victor's own: credentials, accounts, counterparties, and the requests as they are kept."""

from __future__ import annotations

import re
import uuid
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from victor_ext.sandbox.victor.model import Account, Counterparty, PaymentRequest
from victor_ext.sandbox.victor.rules import real_date

if TYPE_CHECKING:
    from victor_ext.sandbox.server.jsontypes import JsonObject, JsonValue
    from victor_ext.sandbox.victor.core import Core

_AMOUNT = re.compile(r"[0-9]+(\.[0-9]{1,2})?")
_BEHAVIOURS = ("ignore", "accept", "decline", "fail", "review")


class Control:
    """One method per command. `ValueError` and `TypeError` mean misuse, `UnknownId` a missing request."""

    def __init__(self, core: Core) -> None:
        self._core = core

    # Credentials

    def add_api_key(self, public_key: str | None = None, api_key: str | None = None) -> JsonObject:
        """Register a public key; without one, make a pair and hand the private half over, once."""
        name = api_key or str(uuid.uuid4())
        if public_key is not None:
            self._core.directory.add_api_key(name, public_key)
            return {"api_key": name}
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self._core.directory.add_api_key(name, public.decode("ascii"))
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return {"api_key": name, "private_key": pem.decode("ascii")}

    def add_oauth_client(self, client_id: str | None = None, client_secret: str | None = None) -> JsonObject:
        """Register a client; what is not given is made up."""
        name, secret = client_id or str(uuid.uuid4()), client_secret or uuid.uuid4().hex + uuid.uuid4().hex
        self._core.directory.add_client(name, secret)
        return {"client_id": name, "client_secret": secret}

    def tokens_issued(self) -> dict[str, int]:
        """How many tokens each client was given."""
        return {name: self._core.directory.issued.get(name, 0) for name in self._core.directory.clients}

    def revoke_tokens(self, client_id: str | None = None) -> JsonObject:
        """Make the issued tokens of one client, or of all, worthless."""
        return {"revoked": self._core.directory.revoke_tokens(client_id)}

    # Accounts and counterparties

    def add_account(self, account_number: str, **options: JsonValue) -> JsonObject:
        """Make an account of the caller known."""
        account = Account(account_number=_digits("account_number", account_number), **_texts(options))
        self._core.directory.add_account(account)
        return asdict(account)

    def accounts(self) -> list[JsonObject]:
        """Every known account."""
        return [asdict(account) for account in self._core.directory.accounts.values()]

    def add_counterparty(self, id: str | None = None, **options: JsonValue) -> JsonObject:  # noqa: A002 (the provider's word)
        """Make a counterparty known."""
        found = _texts(options)
        behaviour, network = found.get("behaviour", "ignore"), found.get("network", "RTP")
        if behaviour not in _BEHAVIOURS:
            raise ValueError(f"behaviour must be one of {', '.join(_BEHAVIOURS)}")
        if network not in ("RTP", "FedNow"):
            raise ValueError("network must be RTP or FedNow")
        name = id or uuid.uuid4().hex[:10]
        if not 1 <= len(name) <= 16:
            raise ValueError("id must have 1 to 16 characters")
        counterparty = Counterparty(id=name, **found)
        self._core.directory.add_counterparty(counterparty)
        return asdict(counterparty)

    def counterparties(self) -> list[JsonObject]:
        """Every known counterparty."""
        return [asdict(counterparty) for counterparty in self._core.directory.counterparties.values()]

    # Requests

    def move(self, request_id: str, status: str, error_message: str | None = None) -> JsonObject:
        """Put a request into a status by command."""
        return _shown(self._core.ledger.move(request_id, status, error_message))

    def create_inbound(self, amount: str = "10.00", due_date: str | None = None, **options: JsonValue) -> JsonObject:
        """An inbound request from somebody outside of the sandbox."""
        found = _given(options)
        if not _AMOUNT.fullmatch(str(amount)) or Decimal(amount) <= 0:
            raise ValueError("amount must be a text such as '44.23', above zero")
        due = due_date or (self._core.due_dates.earliest() + timedelta(days=1)).isoformat()
        if real_date(due) is None:
            raise ValueError("due_date must be YYYY-MM-DD")
        accounts = self._core.directory.accounts
        found.setdefault("payer_account", next(iter(accounts), "243884643621"))
        found.setdefault("payee_account", "043987673645")
        return _shown(self._core.ledger.create_inbound(amount=amount, due_date=due, **found))

    def requests(self, offset: int = 0, limit: int | None = None) -> list[JsonObject]:
        """Requests as they are kept, oldest first."""
        store = self._core.store
        self._core.ledger.tick()
        end = None if limit is None else offset + limit
        return [_shown(store.requests[request_id]) for request_id in store.order[offset:end]]

    def request(self, request_id: str) -> JsonObject:
        """One request as it is kept."""
        self._core.ledger.tick()
        return _shown(self._core.ledger.get(request_id))


def _shown(request: PaymentRequest) -> JsonObject:
    return {**request.to_dict(), "tracking_id": request.tracking_id, "rails_id": request.rails_id}


def _given(options: JsonObject) -> JsonObject:
    return {name: value for name, value in options.items() if value is not None}


def _texts(options: JsonObject) -> JsonObject:
    found = _given(options)
    for name, value in found.items():
        if not isinstance(value, str):
            raise TypeError(f"{name} must be a text")
    return found


def _digits(name: str, text: JsonValue) -> str:
    if not isinstance(text, str) or not (text.isascii() and text.isdigit() and 3 <= len(text) <= 20):
        raise ValueError(f"{name} must be a text of 3 to 20 digits; leading zeros count")
    return text
