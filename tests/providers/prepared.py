"""Calls of a client that are prepared instead of sent, and what the pages say is promised of each
write.
"""

import inspect
import re
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from velo_api.api.source_accounts import request_funding
from velo_api.models import FundingRequest

from tests.contracts.record import contract_of
from tests.contracts.velo import CONTRACT as VELO
from tests.providers.connected.till import client_class, new_payment, operation
from tests.providers.running import GUID, unreachable
from victor_ext import (
    ConfigurationError,
    HeaderKey,
    OperationRow,
    Promise,
    Proof,
    connect,
)
from victor_ext._systems import entry_points_of

PAGE = Path(__file__).parents[2] / "docs" / "api" / "outbox.md"
HEADER = "| system | write | promise | after a lost response |\n|---|---|---|---|\n"


class Recorder:
    """In place of a client, or a part of it: its methods return what they were called with."""

    def __init__(self, part, name=""):
        self._part, self._name = part, name

    def __getattr__(self, name):
        return Recorder(getattr(self._part, name), f"{self._name}.{name}".removeprefix("."))

    def __call__(self, *args, **kwargs):
        return self._name, args, kwargs

    @property
    def __signature__(self):
        return inspect.signature(self._part)


def prepared(client, call):
    """What a call of a client's method would send."""
    name, args, kwargs = call(Recorder(client))
    return client.prepare(name, *args, **{"idempotency_key": GUID, **kwargs})


def _writes():
    """The system, each of its writes, and what its client is made with."""
    transport = httpx.MockTransport(unreachable)
    for system in entry_points_of():
        contract = contract_of(system)
        client = contract.client(transport)
        for operation_id in contract.calls:
            with suppress(ConfigurationError):  # of a read, and of a list, which reads later
                yield client.provider, prepared(client, contract.making(operation_id)), client
    velo, body = VELO.client(transport), FundingRequest(funding_account_id="b", amount=1)
    yield "Velo", velo.prepare(request_funding, "account-1", body=body), velo
    take, body = operation("payments.take_payment"), new_payment(amount=4423, reference="INV-1")
    rows = {"POST /v1/payments": OperationRow(proof=Proof(_never))}
    ways = {"key=...": {"key": HeaderKey()}, "rows=...": {"rows": rows}, "neither": {}}
    for way, options in ways.items():
        till = connect(
            client_class(), base_url="https://till.example", transport=transport, **options
        )
        yield f"connect, {way}", till.prepare(take, body=body), till


def _never(*_):
    yield lambda: pytest.fail("something was looked up")


def table():
    """The table of the page: each write of each system."""
    titles = [point.load().title for point in entry_points_of().values()] + ["connect"]
    rows = [*_writes()]
    ordered = [row for title in titles for row in rows if re.match(rf"{title}\b", row[0])]
    return HEADER + "".join(f"{_row(*row)}\n" for row in ordered)


def _row(system, call, client):
    request = httpx.Request(
        call.method, client.base_url + call.url, headers=call.headers, content=call.content
    )
    hint = client._config.loop.behaviour.operations.of(request).hint(request) or "at the provider"
    if call.promise is Promise.LOOKED_UP:
        then = f"looked up{' by your proof' if 'connect' in system else f' {hint}'}"
        then += "".join(f"; needs `{name}`" for name in call.look_up_needs or ())
    elif call.promise is Promise.KEYED:
        then = (
            f"repeated under its key{', then looked up' if call.look_up_needs is not None else ''}"
        )
    else:
        then = f"a person looks {hint}"
    then = then.partition(", or ")[0]
    return (
        f"| {system} | `{call.name}` | {call.promise.value} | "
        f"{re.sub('[0-9]+-[0-9]+|INV-[0-9R-]+', '...', then)} |"
    )


def write_page():
    """Put the table into the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(HEADER)
    PAGE.write_text(before + table() + rest[f"\n{rest}".index("\n\n") :], encoding="utf-8")


if __name__ == "__main__":
    write_page()
