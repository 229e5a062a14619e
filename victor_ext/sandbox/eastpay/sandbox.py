"""The sandbox of EastPay, in this process or over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from victor_ext.sandbox.eastpay.standin import EastPaySettings, EastPayStandIn
from victor_ext.sandbox.server import ServerCommands, ServerInThread, ServerOverHttp

if TYPE_CHECKING:
    from victor_ext.sandbox.server.standin import AnyStandIn


class Merchant(NamedTuple):
    """Who may call."""

    entity_id: str
    token: str


class EastPayCommands(ServerCommands):
    """The commands as typed methods, beside those that every sandbox has."""

    stand_in: ClassVar[type[AnyStandIn]] = EastPayStandIn

    def add_merchant(self, entity_id: str | None = None, token: str | None = None) -> Merchant:
        """Let an entity call with a token; what is not given is made up."""
        made = self._run("add_merchant", entity_id=entity_id, token=token)
        return Merchant(str(made["entity_id"]), str(made["token"]))

    def decide(self, reference: str, code: str = "000.000.000", *, then: str | None = None, after: float = 0.0) -> None:
        """How payments with a `merchantTransactionId` go: answered with `code`, and `then` so many seconds later.

        A payment with the CVV 999 is declined by the bank without any of this.
        """
        self._run("decide", reference=reference, code=code, then=then, after=after)

    def pay_checkout(self, checkout_id: str, code: str = "000.000.000") -> str:
        """Be the shopper who pays a checkout; returns the payment's id."""
        return str(self._run("pay_checkout", checkout_id=checkout_id, code=code)["id"])

    def notification(self, payment_id: str) -> bytes:
        """The body of the notification that would be sent now. The sandbox itself sends none."""
        return str(self._run("notification", payment_id=payment_id)["body"]).encode()

    def payment_ids(self) -> list[str]:
        """The ids of all payments and steps, oldest first."""
        return [str(each) for each in self._run("payment_ids")]


class EastPaySandbox(EastPayCommands, ServerInThread[EastPaySettings]):
    """One bank's gateway in this process: `with EastPaySandbox() as sandbox: sandbox.url + "/eastpay"`."""


class RemoteEastPaySandbox(EastPayCommands, ServerOverHttp):
    """The commands over HTTP, for a sandbox in another process."""
