"""The control commands of FlexFactor's sandbox."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from email.utils import formatdate
from typing import NamedTuple

from victor_ext.sandbox.flexfactor.state import STATE_AFTER, State
from victor_ext.sandbox.server import JsonObject, NotFound, TokenCommands, command, member, nothing

TEST_CARD = "4111111111111111"
"""The number in the provider's example of its vault."""


class Credentials(NamedTuple):
    """The credentials of a client."""

    app_key: str
    app_secret: str
    mid: str


class FlexFactorCommands(TokenCommands):
    """The commands of FlexFactor's sandbox, beside those of every sandbox. Order ids are the merchant's own."""

    _state: State

    @command("POST", "/clients", returns=lambda made: Credentials(**made))
    def add_client(
        self, app_key: str | None = None, app_secret: str | None = None, mid: str | None = None
    ) -> JsonObject:
        """Let a client ask for tokens; returns its credentials.

        `app_key=None`, `app_secret=None`: new ones are made. `mid=None`: the merchant of the first client.
        """
        return self._state.add_client(app_key, app_secret, mid)

    @command("POST", "/tokens", returns=member("token", str))
    def add_token(self, app_key: str | None = None) -> JsonObject:
        """A token that is ready, of the client with this `app_key` (None: the first).

        It lives as long as those that clients ask for.
        """
        owner = app_key or next(iter(self._state.clients), "")
        if owner not in self._state.clients:
            raise NotFound("There is no such client: add_client makes one.")
        return {"token": self._state.tokens.issue(owner, self._state.settings.token_life)[0]}

    @command("POST", "/cards", returns=member("token", str))
    def add_card(self, number: str = TEST_CARD, token: str | None = None) -> JsonObject:
        """A token for a test card with this `number`, as the provider's vault makes one: for `Card(token=...)`.

        `token=None`: a new one is made. No other token is accepted. The provider's page: "Real financial data cannot be
        used in the Sandbox. Please use our whitelisted test credit cards." So any other number is refused. Of its list
        only the default is known.
        """
        if number.replace(" ", "") != TEST_CARD:
            raise ValueError(f"number must be that of a whitelisted test card, which is {TEST_CARD}")
        token = token or f"tok_{uuid.uuid4().hex}"
        self._state.cards.add(token)
        return {"token": token}

    @command("POST", "/decisions", returns=nothing)
    def decide(self, status: str, order_id: str | None = None) -> None:
        """Set the decision (`status`, such as `DECLINED`) of the next evaluation, of one order (None: of any order)."""
        self._state.decisions[order_id or ""] = status

    @command("POST", "/orders", returns=member("id", str))
    def add_order(
        self, order_id: str, cents: int | None = None, status: str | None = None, provider_id: str | None = None
    ) -> JsonObject:
        """Make an order as if it had been evaluated, unless it exists; returns the provider's id of it.

        `cents=None`: 4423. `status=None`: APPROVED. `provider_id=None`: a new one is made.
        """
        mid, price = self._state.first_mid, (4423 if cents is None else cents, "USD")
        order = self._state.by_external_id.get((order_id, mid)) or self._state.place_order(
            order_id, mid, price, "payer@example.com", status or "APPROVED", provider_id
        )
        return order.to_dict()

    @command("POST", "/orders/{order_id}/settle", returns=nothing)
    def settle(self, order_id: str, status: str) -> JsonObject:
        """Change the decision on an order to `status`, such as `APPROVED`."""
        if status not in STATE_AFTER:
            raise ValueError(f"status must be one of {', '.join(STATE_AFTER)}")
        order = self._state.order(order_id)
        order.decide(status)
        return order.to_dict()

    @command("GET", "/orders/{order_id}")
    def order_record(self, order_id: str) -> JsonObject:
        """An order as the sandbox keeps it: `id`, `status`, and `captured` and `refunded` in cents."""
        order = self._state.order(order_id)
        return {"id": order.id, "status": order.state, "captured": order.captured, "refunded": order.refunded}

    @command("POST", "/notifications", returns=lambda made: (dict(made["headers"]), str(made["body"]).encode()))
    def notification(self, order_id: str, event: str, *, host: str, resent: bool | None = None) -> JsonObject:
        """A signed notification about an order, for a receiver: `headers` and `body`.

        `event` is its name, `host` the receiver's, which is signed. `resent=None`: False.
        """
        order = self._state.order(order_id)
        content = {
            "Event": event, "TimeStamp": self._state.timestamp(), "EventData": None,
            "ExternalOrderId": order.external_id, "OrderId": order.id, "ConfirmationId": order.id[:8].upper(),
            "IsTestMode": True, "IsResent": bool(resent),
        }  # fmt: skip
        body = json.dumps(content, separators=(",", ":"))
        return _signed(body, key=self._state.subscriber_key, host=host, wall=self._context.clock.wall())

    @command("GET", "/subscriber_key")
    def subscriber_key(self) -> str:
        """The key that signs notifications, in base64."""
        return base64.b64encode(self._state.subscriber_key).decode()


def _signed(body: str, *, key: bytes, host: str, wall: float) -> JsonObject:
    """The headers and the body of a webhook request, signed as by the provider's sample client."""
    nonce, date = uuid.uuid4().hex, formatdate(wall, usegmt=True)
    digest = base64.b64encode(hashlib.sha512(body.encode()).digest()).decode()
    signature = _signature(key, f"POST\n{nonce};{date};{host};{digest}")
    headers = {
        "Content-Type": "text/plain; charset=utf-8", "Host": host, "x-fc-nonce": nonce, "x-fc-date": date,
        "x-fc-content-sha512": digest,
        "x-fc-authorization": "HMAC-SHA512 SignedHeaders=x-fc-nonce;x-fc-date;host;x-fc-content-sha512"
        f"&Signature={signature}",
        "x-fc-signature": _signature(key, body),
    }  # fmt: skip
    return {"headers": headers, "body": body}


def _signature(key: bytes, text: str) -> str:
    return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha512).digest()).decode()
