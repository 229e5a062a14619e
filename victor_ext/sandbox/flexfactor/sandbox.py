"""The sandbox, in this process and over HTTP, with its commands as typed methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from victor_ext.sandbox.flexfactor.settings import FlexFactorSettings
from victor_ext.sandbox.flexfactor.standin import FlexFactorStandIn
from victor_ext.sandbox.server import ServerCommands, ServerInThread, ServerOverHttp

if TYPE_CHECKING:
    from victor_ext.sandbox.server.jsontypes import JsonObject
    from victor_ext.sandbox.server.standin import AnyStandIn


class Credentials(NamedTuple):
    """What a client is made with."""

    app_key: str
    app_secret: str
    mid: str


class FlexFactorCommands(ServerCommands):
    """The commands as typed methods, beside those that every sandbox has. Order ids are the merchant's own."""

    stand_in: ClassVar[type[AnyStandIn]] = FlexFactorStandIn

    def add_client(
        self, app_key: str | None = None, app_secret: str | None = None, mid: str | None = None
    ) -> Credentials:
        """Let a client ask for tokens; what is not given is made up (the merchant is that of the first client)."""
        made = self._run("add_client", app_key=app_key, app_secret=app_secret, mid=mid)
        return Credentials(str(made["app_key"]), str(made["app_secret"]), str(made["mid"]))

    def tokens_issued(self) -> dict[str, int]:
        """How many tokens each AppKey was given."""
        return dict(self._run("tokens_issued"))

    def revoke_tokens(self) -> int:
        """Make every token worthless; returns how many that were."""
        return int(self._run("revoke_tokens"))

    def decide(self, status: str, order_id: str | None = None) -> None:
        """Say what the next evaluation is decided as: of any order, or of this one."""
        self._run("decide", status=status, order_id=order_id)

    def add_order(
        self,
        order_id: str,
        cents: int | None = None,
        status: str | None = None,
        provider_id: str | None = None,
    ) -> str:
        """Make an order as if it had been evaluated, unless it is there; returns the provider's id of it."""
        made = self._run("add_order", order_id=order_id, cents=cents, status=status, provider_id=provider_id)
        return str(made["id"])

    def settle(self, order_id: str, status: str) -> None:
        """Come to another decision on an order."""
        self._run("settle", order_id=order_id, status=status)

    def order_record(self, order_id: str) -> JsonObject:
        """An order as it is here: `id`, `status`, and `captured` and `refunded` in cents."""
        return dict(self._run("order_record", order_id=order_id))

    def notification(
        self, order_id: str, event: str, *, host: str, resent: bool | None = None
    ) -> tuple[dict[str, str], bytes]:
        """A signed notification about an order, to be handed to a receiver: headers and body."""
        made = self._run("notification", order_id=order_id, event=event, host=host, resent=resent)
        return dict(made["headers"]), str(made["body"]).encode()

    def subscriber_key(self) -> str:
        """The key that notifications are signed with, in base64."""
        return str(self._run("subscriber_key"))


class FlexFactorSandbox(FlexFactorCommands, ServerInThread[FlexFactorSettings]):
    """FlexFactor in this process: `with FlexFactorSandbox() as sandbox: sandbox.url`."""


class RemoteFlexFactorSandbox(FlexFactorCommands, ServerOverHttp):
    """The commands over HTTP, for a sandbox in another process."""
