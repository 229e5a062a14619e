"""`Tiny` and `AsyncTiny`, and what each operation is. What the document says is generated, in
`tiny_api`: functions, records, and the arguments of the list.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self, Unpack

import httpx
from tiny_api.api.charges import create_charge, find_charge, list_charges
from tiny_api.client import Client
from tiny_api.members import MEMBERS
from tiny_api.operations import OPERATIONS as DOCUMENT
from tiny_api.typed import methods
from tiny_api.typed.records import Charge

from victor_ext._runtime.auth.tokens import FixedToken
from victor_ext._runtime.client.base import AwaitedClient, BaseClient, BlockingClient, Pings
from victor_ext._runtime.client.config import (
    ClientOptions,
    Transport,
    take,
    with_client_options,
)
from victor_ext._runtime.client.paging import PageReader
from victor_ext._runtime.client.resources import (
    Awaited,
    Blocking,
    Mode,
    Resource,
    Walk,
)
from victor_ext._runtime.client.runners import OperationFlow, call_without_body, step_for_json
from victor_ext._runtime.core.json_values import (
    is_list,
    list_or_empty,
    object_of,
    object_or_empty,
)
from victor_ext._runtime.http.options import checked_base_url
from victor_ext._runtime.loop.evidence import Members
from victor_ext._runtime.loop.idempotency_keys import TAKEN, BodyKey
from victor_ext._runtime.loop.operations import Behaviour, Effect, Operation, Operations, RepeatsId
from victor_ext._systems import System
from victor_ext.providers._settings import provider_variables, require_variables
from victor_ext.typed import Body, CheckedCall, ListQuery, Request

from .system import SYSTEM


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
    ),
    "GET /v1/book": Operation(
        effect=Effect.READS,
        evidence=Members(("charges",), "its body has no list of charges", is_list),
    ),
}


class _ChargeFlows(Resource):
    """The flows behind the generated methods."""

    def _create(self, request: Request) -> OperationFlow[str]:
        arguments = request.arguments()
        body = {"idempotencyKey": request.by_hand["idempotency_key"], **arguments.pop("body")}
        made = yield from call_without_body(create_charge, body=Body(body), **arguments)
        return str(made.headers["location"].rpartition("/")[2])

    def _get(self, request: CheckedCall) -> OperationFlow[Charge]:
        step = yield step_for_json(find_charge, **request.arguments())
        return Charge(object_or_empty(step.parsed))

    def _list(self, query: ListQuery) -> Walk[Charge]:
        def read(reader: PageReader[Charge]) -> OperationFlow[list[Charge]]:
            if reader.number > 1:
                return []
            step = yield step_for_json(list_charges, **query.arguments)
            book = object_or_empty(step.parsed)
            return [Charge(object_or_empty(each)) for each in list_or_empty(book.get("charges"))]

        return Walk(lambda: PageReader(lambda charge: charge.id, first=1), read)


class Charges(methods.Charges, _ChargeFlows):
    """Charges of whole cents."""


class AsyncCharges(methods.AsyncCharges, _ChargeFlows):
    """The same operations, awaited."""


class _TinyClient(BaseClient[Client, Mode, Transport], Pings[Mode]):
    system: ClassVar[System] = SYSTEM
    _generated = Client
    _ping_read = list_charges, dict[str, Any]()

    @with_client_options
    def __init__(
        self, token: str, *, base_url: str, **options: Unpack[ClientOptions[Transport]]
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
        table = Operations(DOCUMENT, url, key, OPERATIONS, members=MEMBERS)
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


class Tiny(_TinyClient[Blocking, httpx.BaseTransport], BlockingClient):
    """A client of TinyPay with blocking calls."""

    _resources: ClassVar[dict[str, Any]] = {"charges": Charges}
    charges: Charges


class AsyncTiny(_TinyClient[Awaited, httpx.AsyncBaseTransport], AwaitedClient):
    """A client of TinyPay with awaited calls."""

    _resources: ClassVar[dict[str, Any]] = {"charges": AsyncCharges}
    charges: AsyncCharges
