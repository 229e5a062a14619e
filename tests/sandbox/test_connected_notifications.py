"""Notifications of a connected API at a service of FastAPI: over a socket, and without a port."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI, Request, Response
from sqlalchemy.orm import Session

from tests.cases import cases_beside
from tests.cli.victor_command import until
from tests.providers.connected.till import client_class
from tests.sandbox.receivers import Receiver
from victor_ext import ApiClient, AuthenticationError, HmacSignature, VictorError
from victor_ext.asgi import error_response
from victor_ext.inbox import Inbox, InboxEvent
from victor_ext.sandbox.connected import ConnectedSandbox, Signature, Unsigned
from victor_ext.sandbox.server.notifying import NotifyingSettings
from victor_ext.testing import Faults

pytestmark = pytest.mark.slow
CASES = cases_beside(__file__, "connected")
SECRET = "c2VjcmV0IG9mIHRoaXMgdGVzdCBhbG9uZQ=="  # base64, too
SIGN = Signature(headers={"X-Till-Signature": "{signature}"}, secret=SECRET)
BODY = {"payment_id": "p-é", "fee": 0.3}
HANDLED = [("Settlement", {"payment_id": "p-é", "fee": Decimal("0.3")})]
UNSIGNED = Unsigned("msg_1", 1_800_000_000, b'{"a": "\xc3\xa9"}', "http://service/webhooks")


@pytest.fixture
def sandbox() -> Iterator[ConnectedSandbox]:
    with ConnectedSandbox(sign=SIGN) as sandbox:
        yield sandbox


class Service:
    """A service that keeps what Till posts in an inbox."""

    def __init__(self, database: Path) -> None:
        self.engine = sa.create_engine(f"sqlite:///{database}", poolclass=sa.NullPool)
        self.handled: list[tuple[str, Any]] = []
        till = ApiClient(client_class(), base_url="https://till.example")
        verify = HmacSignature(header="X-Till-Signature", secret=SECRET)
        webhook = till.webhook(verify=verify, id=lambda _, settlement: settlement.payment_id)
        self.inbox = Inbox(self.engine, webhook, client=till)
        self.inbox.create_table()
        self.inbox.on()(self._told)
        self.app = FastAPI()
        self.app.add_exception_handler(VictorError, error_response)
        self.app.post("/webhooks")(self.receive)

    def _told(self, _session: Session, event: InboxEvent) -> None:
        self.handled.append((event.name, event.notification.to_dict()))

    async def receive(self, request: Request) -> Response:
        body = await request.body()
        with Session(self.engine) as session, session.begin():
            self.inbox.receive(session, body, request.headers)
        return Response()


class Served:
    """An application on a free port of this machine."""

    def __init__(self, app: FastAPI) -> None:
        config = uvicorn.Config(app, port=0, log_level="warning", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        until(lambda: self._server.started)
        [server] = self._server.servers
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/webhooks"

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()


def test_a_service_gets_it_once_over_a_socket(sandbox: ConnectedSandbox, tmp_path: Path) -> None:
    service = Service(tmp_path / "service.db")
    Faults(sandbox).double_notification(event="paymentSettled")
    with closing(Served(service.app)) as served:
        sandbox.notify(served.url)
        sandbox.trigger("paymentSettled", BODY)
        sandbox.wait_for_deliveries()
    [delivery] = sandbox.deliveries()
    assert (delivery["event"], delivery["state"]) == ("paymentSettled", "taken")
    assert [each["status"] for each in delivery["attempts"]] == [200, 200]
    service.inbox.handle()
    assert service.handled == HANDLED


def test_a_service_without_a_port_gets_it(sandbox: ConnectedSandbox, tmp_path: Path) -> None:
    service = Service(tmp_path / "service.db")

    async def a_test() -> None:
        sandbox.notify_app(service.app)
        sandbox.trigger("paymentSettled", BODY)
        await asyncio.to_thread(sandbox.wait_for_deliveries)

    asyncio.run(a_test())
    service.inbox.handle()
    assert service.handled == HANDLED


def test_another_signature_is_refused_and_comes_again_signed_anew(tmp_path: Path) -> None:
    service = Service(tmp_path / "service.db")
    signed = iter([{"X-Till-Signature": "00" * 32}])
    sign = lambda unsigned: next(signed, None) or SIGN(unsigned)  # noqa: E731
    with closing(Served(service.app)) as served:
        settings = NotifyingSettings(notify=served.url)
        with ConnectedSandbox(settings, sign=sign) as sandbox:
            sandbox.trigger("paymentSettled", BODY)
            sandbox.wait_for_deliveries()
            sandbox.advance(60)
            sandbox.wait_for_deliveries()
            [delivery] = sandbox.deliveries()
    assert [each["status"] for each in delivery["attempts"]] == [401, 200]


@pytest.mark.parametrize("name", CASES["signatures"])
def test_it_is_signed_as_the_client_verifies(name: str) -> None:
    case = CASES["signatures"][name]
    headers = Signature(secret=SECRET, **case["sign"])(UNSIGNED)
    now: Any = {"now": lambda: UNSIGNED.timestamp}
    verify = HmacSignature(secret=SECRET, **case["verify"], **now)
    verify(headers, UNSIGNED.body)
    with pytest.raises(AuthenticationError):
        verify(headers, UNSIGNED.body + b" ")


def test_a_notification_keeps_its_id_and_has_the_time_of_each_attempt() -> None:
    came: list[Unsigned] = []

    def sign(unsigned: Unsigned) -> dict[str, str]:
        came.append(unsigned)
        return {}

    with Receiver(500) as receiver, ConnectedSandbox(sign=sign) as sandbox:
        sandbox.notify(receiver.url)
        sandbox.trigger("paymentSettled", BODY)
        sandbox.wait_for_deliveries()
        sandbox.set_clock_skew(3600)
        sandbox.resend(1)
        sandbox.wait_for_deliveries()
        about = sandbox.deliveries()[0]["about"]
    first, *_, last = came
    assert first.id == last.id == about
    assert last.timestamp - first.timestamp >= 3600
    assert (first.url, json.loads(first.body)) == (receiver.url, receiver.came[0].said)


def test_further_headers_are_posted() -> None:
    headers = {"X-Event": "paymentSettled", "Content-Type": "application/cloudevents+json"}
    with Receiver() as receiver, ConnectedSandbox(headers=headers) as other:
        other.notify(receiver.url)
        other.trigger("paymentSettled", BODY)
        other.wait_for_deliveries()
        [came] = receiver.came
    assert came.headers["x-event"] == "paymentSettled"
    assert came.headers["content-type"] == "application/cloudevents+json"


def test_what_cannot_be_posted_is_named(sandbox: ConnectedSandbox) -> None:
    with pytest.raises(ValueError, match="paymentSettled is not posted: there is no address"):
        sandbox.trigger("paymentSettled", BODY)
    sandbox.notify("http://127.0.0.1:9/webhooks")
    with pytest.raises(ValueError, match="body has a number that JSON does not have"):
        sandbox.trigger("paymentSettled", {"fee": float("nan")})
    assert sandbox.deliveries() == []


@pytest.mark.parametrize("says", CASES["refused"])
def test_a_signature_that_cannot_work_is_refused(says: str) -> None:
    given = {"headers": {"X-Signature": "{signature}"}, "secret": SECRET}
    with pytest.raises(ValueError) as caught:
        Signature(**{**given, **CASES["refused"][says]})
    assert str(caught.value) == says
    assert SECRET not in repr(SIGN)


def test_a_call_of_the_api_is_no_operation(sandbox: ConnectedSandbox) -> None:
    assert httpx.get(f"{sandbox.url}/v1/payments", verify=False).status_code == 404
    page = httpx.get(sandbox.url, verify=False).text
    assert "Webhooks sandbox" in page
    assert "Notifications" in page
