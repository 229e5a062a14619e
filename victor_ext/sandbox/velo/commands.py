"""The sandbox as Python objects: in this process, and in another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from victor_ext.sandbox.server import ServerCommands, ServerInThread, ServerOverHttp
from victor_ext.sandbox.velo.settings import VeloSettings
from victor_ext.sandbox.velo.standin import VeloStandIn

if TYPE_CHECKING:
    from victor_ext.sandbox.server.jsontypes import JsonObject
    from victor_ext.sandbox.server.standin import AnyStandIn


class VeloCommands(ServerCommands):
    """What can be done to a Velo sandbox, beside what can be done to any."""

    stand_in: ClassVar[type[AnyStandIn]] = VeloStandIn

    def add_key(self, api_key: str | None = None, api_secret: str | None = None) -> tuple[str, str]:
        """Let a client ask for tokens; returns key and secret (made up when not given)."""
        made = self._run("add_key", api_key=api_key, api_secret=api_secret)
        return str(made["api_key"]), str(made["api_secret"])

    @property
    def payor_id(self) -> str:
        """The one payor there is."""
        return str(self._run("payor")["payor_id"])

    def add_payee(self, remote_id: str) -> str:
        """A payee that can be paid at once; returns Velo's id."""
        return str(self._run("add_payee", remote_id=remote_id)["payeeId"])

    def add_source_account(self, name: str, currency: str, balance: int) -> str:
        """A source account with a balance in minor units; returns its id."""
        return str(self._run("add_source_account", name=name, currency=currency, balance=balance)["id"])

    def add_funding_account(self, name: str, currency: str) -> str:
        """A funding account that can be read at once; returns its id."""
        return str(self._run("add_funding_account", name=name, currency=currency)["id"])

    def balance(self, account_id: str) -> int:
        """The balance of a source account, in minor units."""
        found: int = self._run("balance", account_id=account_id)
        return found

    def notifications(self, after: int = 0) -> list[JsonObject]:
        """What Velo would have posted to a webhook, after that number. The sandbox posts nothing by itself."""
        found: list[JsonObject] = self._run("notifications", after=after)
        return found

    def tokens_issued(self) -> dict[str, int]:
        """How many tokens each key was given."""
        found: dict[str, int] = self._run("tokens_issued")
        return found

    def revoke_tokens(self) -> int:
        """Make every token worthless; returns how many there were."""
        found: int = self._run("revoke_tokens")
        return found


class VeloSandbox(VeloCommands, ServerInThread[VeloSettings]):
    """Velo in this process: `with VeloSandbox() as sandbox: sandbox.url`."""


class RemoteVeloSandbox(VeloCommands, ServerOverHttp):
    """The commands over HTTP, for a sandbox in another process."""
