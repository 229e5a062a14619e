"""The commands of FlexFactor's sandbox."""

import base64
import uuid

from victor_ext.sandbox.flexfactor._notifications import EVENTS, content_of, signed
from victor_ext.sandbox.flexfactor._orders import STATE_AFTER
from victor_ext.sandbox.flexfactor._state import TOKEN_LIFE, FlexFactorState
from victor_ext.sandbox.server import (
    JsonObject,
    NotFound,
    NotificationCommands,
    TokenCommands,
    command,
    member,
    nothing,
    require_filled,
    require_form,
    require_least,
    require_one_of,
)

TEST_CARD = "4111111111111111"
"""The number in the provider's example of its vault."""
_HOST = "[A-Za-z0-9._-]+(:[0-9]{1,5})?"
"""A host as the header `Host` has it."""


class FlexFactorCommands(TokenCommands, NotificationCommands):
    """The commands of FlexFactor's sandbox, beside those of every sandbox.

    Order ids are the merchant's own.
    """

    _state: FlexFactorState

    @command(
        "POST",
        "/clients",
        returns=lambda made: (str(made["app_key"]), str(made["app_secret"]), str(made["mid"])),
    )
    def add_client(
        self, app_key: str | None = None, app_secret: str | None = None, mid: str | None = None
    ) -> JsonObject:
        """Let a client ask for tokens; returns its `app_key`, `app_secret` and `mid`.

        `app_key=None`, `app_secret=None`: new ones are made. `mid=None`: the merchant of the first
        client.
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
        return {"token": self._state.tokens.issue(owner, TOKEN_LIFE)[0]}

    @command("POST", "/cards", returns=member("token", str))
    def add_card(self, number: str = TEST_CARD, token: str | None = None) -> JsonObject:
        """A token for a test card with this `number`, as the provider's vault makes one: for
        `Card(token=...)`.

        `token=None`: a new one is made. No other token is accepted. The provider's page: "Real
        financial data cannot be used in the Sandbox. Please use our whitelisted test credit cards."
        So any other number is refused. Of its list only the default is known.
        """
        if number.replace(" ", "") != TEST_CARD:
            raise ValueError(
                f"number must be that of a whitelisted test card, which is {TEST_CARD}"
            )
        token = token or f"tok_{uuid.uuid4().hex}"
        self._state.cards.add(token)
        return {"token": token}

    @command("POST", "/decisions", returns=nothing)
    def decide(self, status: str, order_id: str | None = None) -> None:
        """Set the decision (`status`, such as `DECLINED`) of the next evaluation, of one order
        (None: of any order).

        With a card that has expired it is `DECLINED` all the same.
        """
        require_one_of("status", status, STATE_AFTER)
        self._state.decisions[order_id or ""] = status

    @command("POST", "/orders", returns=member("id", str))
    def add_order(
        self,
        order_id: str,
        cents: int = 4423,
        status: str = "APPROVED",
        provider_id: str | None = None,
    ) -> JsonObject:
        """Make an order of `cents` as if it had been evaluated to `status`, unless it exists.

        Returns the provider's id of it, `provider_id` (None: a new one is made).
        """
        require_filled("order_id", order_id)
        require_least("cents", cents, 1)
        require_one_of("status", status, STATE_AFTER)
        mid = self._state.first_mid
        order = self._state.by_external_id.get((order_id, mid))
        if order is None:
            asked = {
                "orderId": order_id,
                "transaction": {"amount": cents, "currency": "USD"},
                "payer": {"email": "payer@example.com"},
            }
            order = self._state.place_order(mid, asked, status, provider_id)
        return order.to_dict()

    @command("POST", "/orders/{order_id}/settle", returns=nothing)
    def settle(self, order_id: str, status: str) -> JsonObject:
        """Change the decision on an order to `status`, such as `APPROVED`."""
        require_one_of("status", status, STATE_AFTER)
        order = self._state.newest_order(order_id)
        order.decide(status)
        self._state.notified.changed(order)
        return order.to_dict()

    @command("GET", "/orders/{order_id}")
    def order_record(self, order_id: str) -> JsonObject:
        """An order as the sandbox keeps it: `id`, `status`, and `captured` and `refunded` in
        cents.
        """
        order = self._state.newest_order(order_id)
        return {
            "id": order.id,
            "status": order.state,
            "captured": order.captured,
            "refunded": order.refunded,
        }

    @command(
        "POST",
        "/notifications",
        returns=lambda made: (dict(made["headers"]), str(made["body"]).encode()),
    )
    def notification(
        self, order_id: str, event: str, *, host: str, resent: bool = False
    ) -> JsonObject:
        """A signed notification about an order, for a receiver: `headers` and `body`.

        `event` is its name, `host` the receiver's, which is signed, and `resent` whether it was
        sent before.
        """
        require_one_of("event", event, EVENTS)
        require_form("host", host, _HOST, "a host such as hooks.shop.example, or 127.0.0.1:8000")
        order = self._state.newest_order(order_id)
        content = {**content_of(order, event, self._context.clock), "IsResent": resent}
        headers, body = signed(self._state.subscriber_key, content, host, self._context.clock)
        return {"headers": headers, "body": body}

    @command("POST", "/orders/{order_id}/notify", returns=nothing)
    def trigger(self, order_id: str, event: str) -> JsonObject:
        """Post a notification of any `event` about an order, such as
        `payment.chargeback.received`, to the address of `--notify`. The order stays as it is.
        """
        require_one_of("event", event, EVENTS)
        order = self._state.newest_order(order_id)
        self._state.notified.post(order, event)
        return {}

    @command("GET", "/subscriber_key")
    def subscriber_key(self) -> str:
        """The key that signs notifications, in base64."""
        return base64.b64encode(self._state.subscriber_key).decode()
