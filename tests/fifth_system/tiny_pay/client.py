"""`Tiny` and `AsyncTiny`, what each operation is, and by hand the little of a generated package
that they need.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, ClassVar, Self, Unpack

import httpx

from victor_ext.runtime.auth.tokens import FixedToken
from victor_ext.runtime.client.base import AwaitedClient, BaseClient, BlockingClient
from victor_ext.runtime.client.config import (
    ClientOptions,
    HttpxClient,
    Transport,
    take,
    with_client_options,
)
from victor_ext.runtime.client.paging import PageReader
from victor_ext.runtime.client.ping import Pings
from victor_ext.runtime.client.resources import (
    Awaited,
    Blocking,
    Mode,
    Resource,
    Walk,
    listing,
    operation,
)
from victor_ext.runtime.client.runners import OperationFlow, call, call_without_body
from victor_ext.runtime.client.settings import provider_variables, require_variables
from victor_ext.runtime.core.json_values import is_list, object_of
from victor_ext.runtime.http.options import checked_base_url
from victor_ext.runtime.loop.behaviour import Behaviour
from victor_ext.runtime.loop.evidence import Members
from victor_ext.runtime.loop.idempotency_keys import TAKEN, BodyKey
from victor_ext.runtime.loop.operations import Effect, Operation, RepeatsId
from victor_ext.runtime.loop.table import Operations
from victor_ext.systems import System

from .system import SYSTEM


class Client:
    """As in a generated package."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def set_httpx_client(self, client: Any) -> None:
        self.http = client

    set_async_httpx_client = set_httpx_client


class _Operation:
    """In place of the module of a generated operation."""

    def __init__(self, method: str, path: str) -> None:
        self.method, self.path = method, path

    def sync_detailed(self, *, client: Any, json: Any = None, **ids: str) -> Any:
        return self._read(
            client, client.http.request(self.method, self.path.format(**ids), json=json)
        )

    async def asyncio_detailed(self, *, client: Any, json: Any = None, **ids: str) -> Any:
        return self._read(
            client, await client.http.request(self.method, self.path.format(**ids), json=json)
        )

    def _read(self, client: Any, response: Any) -> Any:
        parsed = client.parse_response(
            lambda client, response: response.content and response.json(), response
        )
        return SimpleNamespace(parsed=parsed, headers=response.headers)


_CHARGE: Any = _Operation("POST", "/v1/charges")
_FIND: Any = _Operation("GET", "/v1/charges/{id}")
_LIST: Any = _Operation("GET", "/v1/book")


def _refused(response: Any) -> str | None:
    body = object_of(response)
    return str(body.get("text")) if body.get("success") is False else None


OPERATIONS = {
    "POST /v1/charges": Operation(
        effect=Effect.MOVES_MONEY,
        key=TAKEN,
        evidence=lambda response, _problems: (
            None if "location" in response.headers else "it names no charge"
        ),
        refuses=_refused,
        proves_work=lambda response: "location" in response.headers,
        look_up="with charges.list()",
    ),
    "GET /v1/charges/{}": Operation(
        effect=Effect.READS,
        evidence=Members(("id",), "its body has no id"),
        id=RepeatsId("charge", "id"),
        client_method="charges.get",
    ),
    "GET /v1/book": Operation(
        effect=Effect.READS,
        evidence=Members(("charges",), "its body has no list of charges", is_list),
    ),
}


class Charges(Resource[Mode]):
    """Charges of whole cents."""

    @operation
    def create(self, reference: str, cents: int, *, idempotency_key: str) -> OperationFlow[str]:
        """Charge, and return the id."""
        body = {"reference": reference, "cents": cents, "idempotencyKey": idempotency_key}
        made = yield from call_without_body(_CHARGE, json=body)
        return str(made.headers["location"].rpartition("/")[2])

    @operation
    def get(self, id: str) -> OperationFlow[dict[str, Any]]:
        """Read one charge."""
        return (yield from call(_FIND, None, id=id))

    @listing
    def list(self) -> Walk[dict[str, Any]]:
        """All charges, on one page."""

        def read(reader: PageReader[dict[str, Any]]) -> OperationFlow[Any]:
            return (yield from call(_LIST, None))["charges"] if reader.number == 1 else []

        return Walk(lambda: PageReader(lambda charge: charge["id"], first=1), read)


class _TinyClient(BaseClient[Client, Mode, Transport, HttpxClient], Pings[Mode]):
    system: ClassVar[System] = SYSTEM
    _generated = Client
    _resources: ClassVar[dict[str, Any]] = {"charges": Charges}
    charges: Charges[Mode]
    _ping_read = _LIST, dict[str, Any]()

    @with_client_options
    def __init__(
        self, token: str, *, base_url: str, **options: Unpack[ClientOptions[Transport, HttpxClient]]
    ) -> None:
        """Make a client. Nothing is sent.

        Args:
            token: The access token.
            base_url: The URL that is called.

        Raises:
            ConfigurationError: An argument cannot work.
        """
        given, signs = take(self, options), FixedToken(lambda: f"Bearer {token}")
        url, key = checked_base_url(base_url), BodyKey("idempotencyKey")
        table = Operations((), url, key, elsewhere=OPERATIONS)
        behaviour = Behaviour(name="TinyPay", key_place=key, operations=table)
        self._start(given, lambda *_: signs, url, behaviour=behaviour)

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """A client from TINY_TOKEN and TINY_BASE_URL."""
        values = provider_variables(SYSTEM.prefix)
        require_variables(values, "TINY_TOKEN", "TINY_BASE_URL")
        return cls(
            **{"token": values["TINY_TOKEN"], "base_url": values["TINY_BASE_URL"], **options}
        )


class Tiny(_TinyClient[Blocking, httpx.BaseTransport, httpx.Client], BlockingClient):
    """A client of TinyPay with blocking calls."""


class AsyncTiny(_TinyClient[Awaited, httpx.AsyncBaseTransport, httpx.AsyncClient], AwaitedClient):
    """A client of TinyPay with awaited calls."""
