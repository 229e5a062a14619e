"""What a caller does to `client.api`, or to its httpx client, is for its own calls: it changes no
method, no prepared call, and nothing that bulk sends.

A hook there that sets a key of its own would have the repeat of a payment done once more.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import httpx
import pytest

from tests.providers.connected.till import client_class, operation
from tests.providers.running import GUID, Script
from tests.providers.systems import ARGUMENTS, called, each_exchange
from victor_ext import (
    Done,
    HeaderKey,
    OperationRow,
    Proof,
    UnreadableResponse,
    Victor,
    connect,
)


def changed(client):
    """The client, whose generated client no longer works."""

    def hook(_):
        raise AssertionError("a hook saw it")

    async def awaited_hook(_):
        hook(_)

    api = client.api
    http = api.get_async_httpx_client() if client.is_awaited else api.get_httpx_client()
    hooks = [awaited_hook if client.is_awaited else hook]
    http.event_hooks = {"request": hooks, "response": hooks}
    http.params = {"added": "1"}
    http.headers["X-Added"] = "1"
    api.raise_on_unexpected_status = False
    return client


@each_exchange()
def test_a_changed_generated_client_changes_no_method(harness, system, exchange):
    if system == "connected":
        return  # its calls are those of the client that is handed out
    subject = exchange.subject(harness)
    before = exchange.work(harness, subject)
    sent = len(harness.sent(exchange.word))
    harness(lambda client: exchange.call(changed(client), subject))
    assert len(harness.sent(exchange.word)) > sent, f"{system} sent nothing"
    if exchange.writes:
        assert exchange.work(harness, subject) == before + 1


def test_a_changed_generated_client_changes_no_look_up_of_a_connected_client():
    """Its proof reads with `api`, as the page shows it."""

    def find(till, call, _since, _given):
        read = till.api.get_httpx_client().get
        payment = yield lambda: read(f"/v1/payments/{call.ids[0]}").json()
        return Done(payment["id"], is_state=True)

    def respond(request):
        is_plain = not request.url.query and "X-Added" not in request.headers
        return httpx.Response(200 if is_plain else 404, json={"id": "pay_1"})

    cancel = operation("payments.cancel_payment")
    rows = {cancel: OperationRow(takes_key=False, proof=Proof(find))}
    with connect(
        client_class(),
        base_url="https://one.test",
        key=HeaderKey(),
        rows=rows,
        transport=httpx.MockTransport(respond),
    ) as till:
        call = till.prepare(cancel, "pay_1")
        found = changed(till).look_up(call, since=datetime.now(UTC))
    assert isinstance(found, Done)
    assert found.id == "pay_1"


def test_a_changed_generated_client_decides_about_no_response_of_a_method():
    """The page of a login is no proof of a write."""
    login = Script(httpx.Response(203, json={"login": "please"}))
    with pytest.raises(UnreadableResponse):
        called("velo", "blocking", lambda velo: changed(velo).payouts.withdraw(GUID), login)


def test_all_threads_get_the_same_generated_client():
    begin = Barrier(8)

    def look(victor):
        begin.wait()
        return victor.api

    with Victor(**ARGUMENTS["victor"]) as victor, ThreadPoolExecutor(8) as threads:
        found = [*threads.map(look, [victor] * 8)]
        assert {id(each) for each in found} == {id(victor.api)}
