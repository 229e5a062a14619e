"""Victor as the server machinery sees it."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, ClassVar

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from victor_ext.sandbox.server.keys import HeaderKey
from victor_ext.sandbox.server.routes import Command
from victor_ext.sandbox.server.standin import StandIn
from victor_ext.sandbox.victor.control import Control
from victor_ext.sandbox.victor.core import Core
from victor_ext.sandbox.victor.demo import add_demo_data
from victor_ext.sandbox.victor.operations import KEY_NAME, OPERATIONS, Operations
from victor_ext.sandbox.victor.options import victor_parser
from victor_ext.sandbox.victor.settings import SandboxSettings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from victor_ext.sandbox.server.answer import Answer
    from victor_ext.sandbox.server.call import Call
    from victor_ext.sandbox.server.jsontypes import JsonObject
    from victor_ext.sandbox.server.settings import ServerSettings
    from victor_ext.sandbox.server.stage import SandboxContext


class VictorStandIn(StandIn[SandboxSettings]):
    """Requests for payment, from end to end."""

    name = "victor"
    title = "Victor"
    operations = OPERATIONS
    key = HeaderKey(KEY_NAME)
    settings_type: ClassVar[type[ServerSettings]] = SandboxSettings
    commands = (
        Command("add_api_key", "POST", "/_sandbox/api-keys"),
        Command("add_oauth_client", "POST", "/_sandbox/oauth-clients"),
        Command("tokens_issued", "GET", "/_sandbox/oauth-clients"),
        Command("revoke_tokens", "POST", "/_sandbox/tokens/revoke"),
        Command("add_account", "POST", "/_sandbox/accounts"),
        Command("accounts", "GET", "/_sandbox/accounts"),
        Command("add_counterparty", "POST", "/_sandbox/counterparties"),
        Command("counterparties", "GET", "/_sandbox/counterparties"),
        Command("create_inbound", "POST", "/_sandbox/payment-requests/inbound"),
        Command("requests", "GET", "/_sandbox/payment-requests"),
        Command("request", "GET", "/_sandbox/payment-requests/{request_id}"),
        Command("move", "POST", "/_sandbox/payment-requests/{request_id}/move"),
    )

    def __init__(self, stage: SandboxContext, settings: SandboxSettings) -> None:
        super().__init__(stage, settings)
        self._core = Core(stage, settings)
        self._operations = Operations(self._core)
        self._control = Control(self._core)
        self._begin_world()

    def answer(self, operation: str, call: Call) -> Answer:
        """Let the caller in, do the work, and hold the answer against the document."""
        return self._operations.answer(operation, call)

    def reset(self) -> None:
        """Back to the state of a sandbox that has just been made, keys and accounts included."""
        self._core.reset()
        self._begin_world()

    def advance(self, seconds: float) -> int:
        """Let requests go through what is due by then."""
        return self._core.advance(seconds)

    def work_by_key(self) -> Mapping[str, int]:
        """How many requests are there of each key: counted where they are kept, over a restart, too."""
        return self._core.store.work_by_key

    def info(self) -> JsonObject:
        """How many requests there are."""
        return {"requests": len(self._core.store.order)}

    def client_settings(self, url: str) -> str:
        """Both kinds of credentials; a client takes one."""
        key = self._control.add_api_key()
        client = self._control.add_oauth_client()
        private = load_pem_private_key(key["private_key"].encode("ascii"), password=None)
        # One line without quotes suits every reader of such files; PEM has line breaks.
        der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return (
            f"VICTOR_ENVIRONMENT={self.settings.environment}\n"
            f"VICTOR_BASE_URL={url}\n"
            f"VICTOR_CLIENT_ID={client['client_id']}\n"
            f"VICTOR_CLIENT_SECRET={client['client_secret']}\n"
            # The other kind is here for whoever wants it.
            f"# VICTOR_API_KEY={key['api_key']}\n"
            f"# VICTOR_PRIVATE_KEY={b64encode(der).decode('ascii')}\n"
        )

    def close(self) -> None:
        """Let go of the state file."""
        self._core.close()

    @property
    def control(self) -> object:
        """The commands of Victor's own."""
        return self._control

    @property
    def heading(self) -> str:
        """With the environment, which decides how long tokens may live."""
        return f"{self.title} sandbox ({self.settings.environment})"

    @classmethod
    def parser(cls, prog: str) -> argparse.ArgumentParser:
        """The command line."""
        return victor_parser(prog)

    def _begin_world(self) -> None:
        if self.settings.demo_data:
            add_demo_data(self._core, self._control)
