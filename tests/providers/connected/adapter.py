"""A system of which only the document is known, as one row of the table over all systems."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.providers.connected.till import client_class, new_payment, operation
from tests.providers.connected.till_sandbox import TillSandbox
from victor_ext import ApiClient, AsyncApiClient, ClientCredentialsAuth, HeaderKey, connect, connect_async


class Exchange(NamedTuple):
    """An operation: the sandbox's word for it, and how a client calls it."""

    word: str
    call: Callable[..., Any]


def sandbox() -> TillSandbox:
    return TillSandbox()


def client(sandbox: TillSandbox, *, awaited: bool, **options: Any) -> ApiClient[Any] | AsyncApiClient[Any]:
    sandbox.add_payment("pay_known")
    auth = ClientCredentialsAuth("/oauth/token", *sandbox.add_client(), scope="payments")
    connected = connect_async if awaited else connect
    return connected(client_class(), base_url=sandbox.url, auth=auth, key=HeaderKey(), **options)


def call(client: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    """Call an operation in the client's mode."""
    module = operation(name)
    return (module.asyncio if isinstance(client, AsyncApiClient) else module.sync)(*args, client=client.api, **kwargs)


READ = Exchange("get", lambda client: call(client, "payments.get_payment", "pay_known"))
WRITE = Exchange(
    "create",
    lambda client, reference: call(client, "payments.take_payment", body=new_payment(amount=4423, reference=reference)),
)
KEYED = True


def work_done(sandbox: TillSandbox, reference: str) -> int:
    return sandbox.work_done_by_reference().get(reference, 0)
