"""The control commands as typed Python methods, in this process or over HTTP, with one behaviour."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import quote, urlencode, urlsplit

from victor_ext.sandbox.received import Received
from victor_ext.sandbox.routes import COMMANDS

if TYPE_CHECKING:
    from victor_ext.sandbox.faults import How, Kind, RetryAfterFormat
    from victor_ext.sandbox.jsontypes import JsonObject, JsonValue
    from victor_ext.sandbox.model import Behaviour, Network, Status


class SandboxCommands(ABC):
    """What can be done to a sandbox. Every method is one command of the control API, described in its page.

    Misuse is a `ValueError`; a payment request that does not exist is a `LookupError`.
    """

    @abstractmethod
    def _run(self, name: str, /, **parameters: JsonValue) -> JsonValue:
        """Run one command and return its JSON value."""

    def info(self) -> JsonObject:
        """What this sandbox is: its settings and clocks."""
        found: JsonObject = self._run("info")
        return found

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

    def clock(self) -> JsonObject:
        """Both clocks in epoch seconds: `now` of the business, `wall` of the server."""
        found: JsonObject = self._run("clock")
        return found

    def advance(self, seconds: float) -> int:
        """Set the business clock forward; returns how many moves that made."""
        found: int = self._run("advance", seconds=seconds)["moved"]
        return found

    def set_clock_skew(self, seconds: float) -> None:
        """Put the server's clock (tokens, `Date`) ahead of this machine's, or behind it when negative."""
        self._run("set_clock_skew", seconds=seconds)

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

    def received(self, after: int = 0) -> list[Received]:
        """What was received, oldest first; `after` is the number of an exchange that is known already."""
        return [Received(**exchange) for exchange in self._run("received", after=after)]

    def attempts_by_key(self) -> dict[str, int]:
        """How often each idempotency key was seen."""
        found: dict[str, int] = self._run("attempts_by_key")
        return found

    def work_done_by_key(self) -> dict[str, int]:
        """How many payment requests each idempotency key made. Anything above 1 is a duplicate."""
        found: dict[str, int] = self._run("work_done_by_key")
        return found

    def inject(
        self,
        kind: Kind,
        *,
        times: int | Literal["default"] | None = "default",
        probability: float | None = None,
        seed: int | None = None,
        skip: int | None = None,
        method: str | None = None,
        path: str | None = None,
        operation: str | None = None,
        after: int | None = None,
        how: How | None = None,
        delay: float | None = None,
        status: int | None = None,
        retry_after: float | None = None,
        retry_after_format: RetryAfterFormat | None = None,
        body: str | None = None,
        headers: dict[str, str] | None = None,
        work: bool | None = None,
    ) -> int:
        """Let the next matching calls fail; returns the fault's number. See `Fault` for every option.

        `times=None` means until it is cleared; by default once, or without end when there is a probability.
        """
        options = {
            "probability": probability,
            "seed": seed,
            "skip": skip,
            "method": method,
            "path": path,
            "operation": operation,
            "after": after,
            "how": how,
            "delay": delay,
            "status": status,
            "retry_after": retry_after,
            "retry_after_format": retry_after_format,
            "body": body,
            "headers": headers,
            "work": work,
        }
        given: JsonObject = {name: value for name, value in options.items() if value is not None}
        if times != "default":
            given["times"] = times
        found: int = self._run("inject", kind=kind, **given)["id"]
        return found

    def faults(self) -> list[JsonObject]:
        """Faults that some call may still meet."""
        found: list[JsonObject] = self._run("faults")
        return found

    def clear_faults(self) -> int:
        """Forget all faults; returns how many there were."""
        found: int = self._run("clear_faults")["cleared"]
        return found

    def down(self, seconds: float | None = None) -> None:
        """Close the listener and all connections: new ones are refused, until `up()` or for some seconds."""
        self._run("down", seconds=seconds)

    def up(self) -> None:
        """Listen again."""
        self._run("up")

    def reset(self) -> None:
        """Forget everything, credentials and accounts included."""
        self._run("reset")


class RemoteSandbox(SandboxCommands):
    """The commands over HTTP, for a sandbox in another process: at its URL or that of its control port."""

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"url must be http://host:port of a sandbox, not {url!r}")
        self.url = url.rstrip("/")
        self._host, self._port, self._timeout = parts.hostname, parts.port or 80, timeout

    def _run(self, name: str, /, **parameters: JsonValue) -> JsonValue:
        command = next(command for command in COMMANDS if command.name == name)
        given = without_none(parameters)
        path = command.path
        if "{request_id}" in path:
            path = path.replace("{request_id}", quote(given.pop("request_id"), safe=""))
        body = None
        if command.method == "GET":
            path += "?" + urlencode(given) if given else ""
        else:
            body = json.dumps(given)
        connection = HTTPConnection(self._host, self._port, timeout=self._timeout)
        try:
            connection.request(command.method, path, body, {"content-type": "application/json"})
            response = connection.getresponse()
            found = json.loads(response.read())
        finally:
            connection.close()
        if response.status == 404:
            raise LookupError(_message(found))
        if response.status >= 400:
            raise ValueError(_message(found))
        return found


def without_none(parameters: JsonObject) -> JsonObject:
    """What was really given. Only `times` has a meaning for None: no end."""
    return {name: value for name, value in parameters.items() if value is not None or name == "times"}


def _message(found: object) -> str:
    return str(cast("JsonObject", found).get("message", found)) if isinstance(found, dict) else str(found)
