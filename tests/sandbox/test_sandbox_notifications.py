"""Notifications arrive: who gets them, when they come again, what a test can do to them, and that
no call waits for a receiver.
"""

import asyncio
import json
import threading
import time
from contextlib import closing

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from tests.cli.victor_command import until
from tests.sandbox.desks import LIFE, VeloDesk
from tests.sandbox.receivers import Receiver
from tests.sandbox.sandbox_callers import SandboxProcess
from victor_ext.sandbox.velo import RemoteVeloSandbox, VeloSandbox, VeloSettings
from victor_ext.testing import Faults

pytestmark = pytest.mark.slow
HEADER = "long-and-random-7f3b1c9e"
DAY = 86_400
SLOWLY = pytest.mark.velo_sandbox(validation=365 * DAY)
"""Payouts stay submitted."""


@pytest.fixture
def sandbox(velo_sandbox):
    return velo_sandbox


@pytest.fixture
def receiver(sandbox):
    """A receiver at the address of `--notify`."""
    with Receiver() as receiver:
        sandbox.notify(receiver.url)
        yield receiver


def states(sandbox):
    """The state of each delivery, and the number of its attempts."""
    return [(each["state"], len(each["attempts"])) for each in sandbox.deliveries()]


# Who gets them


def test_a_payouts_life_is_posted_in_order(sandbox, payor, receiver):
    payor.pay()
    sandbox.wait_for_deliveries()
    assert [each.said for each in receiver.came] == sandbox.notifications()
    for each in receiver.came:
        assert (each.path, each.headers["content-type"]) == ("/webhooks", "application/json")
        assert each.headers["authorization"] == sandbox.authorization_header()
    assert states(sandbox) == [("taken", 1)] * 3
    assert sandbox.deliveries()[0]["due"] is None


def test_a_webhook_of_the_api_gets_the_events_of_its_categories_with_its_header(
    sandbox, payor, receiver
):
    [payee] = payor.http.get("/v4/payees", params={"payorId": payor.party}).json()["content"]
    with Receiver() as payments, Receiver() as payees:
        payor.webhook(payments.url, authorizationHeader=HEADER, categories=["payment"])
        payor.webhook(payees.url, categories=["payee"])
        payor.pay()
        sandbox.onboard_payee(payee["payeeId"])
        sandbox.wait_for_deliveries()
    assert (payments.names, payees.names) == (LIFE, ["payee.onboarding_status_changed"])
    assert {each.headers.get("authorization") for each in payments.came} == {HEADER}
    assert "authorization" not in payees.came[0].headers
    assert receiver.came == [], "--notify is only used until a webhook is made"


@SLOWLY
def test_no_other_machine_gets_a_request(sandbox, payor, receiver):
    payor.webhook("https://hooks.example.com/velo", categories=["payment"])
    payor.submit()
    sandbox.wait_for_deliveries()
    assert receiver.names == ["payment.submitted"], "--notify gets what goes nowhere else"
    elsewhere, _ = sandbox.deliveries()
    assert (elsewhere["state"], elsewhere["attempts"]) == ("not posted", [])
    assert elsewhere["reason"] == "its host is neither this machine nor that of --notify"
    with pytest.raises(ValueError, match="neither this machine"):
        sandbox.resend(elsewhere["number"])


def test_an_address_with_a_password_is_refused_without_showing_the_password():
    with pytest.raises(RuntimeError, match="leave the name and the password out") as refused:
        SandboxProcess("--provider", "velo", "--notify", "http://me:PASSWORD@127.0.0.1:8000/x")
    assert "PASSWORD" not in str(refused.value)


# Again, by the business clock


@SLOWLY
def test_a_notification_that_meets_another_status_than_200_is_posted_until_200_comes(
    sandbox, payor, receiver
):
    """ "Any other http status will result in the notification being retried." """
    receiver.statuses = [500, 302, 201, 200]
    payor.submit()
    for attempts, wait in enumerate((60, 120, 240), start=1):
        for seconds in (0, wait - 5):
            sandbox.advance(seconds)
            sandbox.wait_for_deliveries()
            assert states(sandbox) == [("waiting", attempts)], "it is not due yet"
        sandbox.advance(5)
    sandbox.wait_for_deliveries()
    assert states(sandbox) == [("taken", 4)]
    assert len({each.body for each in receiver.came}) == 1
    assert all(each.path == "/webhooks" for each in receiver.came), "a redirect is not followed"


# What a test can do


def test_notifications_can_be_doubled_lost_and_delayed_by_faults(sandbox, payor, receiver):
    faults = Faults(sandbox)
    faults.delay_notification(event="*.submitted")
    faults.double_notification(event="payment.accepted")
    faults.lose_notification(event="payment.confirmed")
    payor.pay()
    sandbox.wait_for_deliveries()
    assert receiver.names == ["payment.accepted"] * 2 + ["payment.submitted"]
    assert receiver.came[0].body == receiver.came[1].body
    assert states(sandbox) == [("taken", 1), ("taken", 2), ("waiting", 1)]
    lost = sandbox.deliveries()[2]["attempts"][0]
    assert (lost["fault"], lost["error"]) == ("lose_notification", "lost on its way")
    sandbox.advance(60)
    sandbox.wait_for_deliveries()
    assert receiver.names[3:] == ["payment.confirmed"]


@pytest.fixture(params=["here", "over http"])
def commands(request, sandbox):
    return sandbox if request.param == "here" else RemoteVeloSandbox(sandbox.url)


def test_a_notification_is_sent_again_by_a_command(commands, payor, receiver):
    payor.pay()
    commands.wait_for_deliveries()
    second = commands.deliveries(after=1)[0]
    commands.resend(second["number"])
    commands.wait_for_deliveries()
    assert receiver.names == [*LIFE, LIFE[1]]
    assert receiver.came[1].body == receiver.came[3].body


# No call waits


def test_a_receiver_that_is_silent_stops_no_call_and_not_the_end():
    before = set(threading.enumerate())
    with Receiver(None) as silent, VeloSandbox(VeloSettings(notify=silent.url)) as sandbox:
        with closing(VeloDesk(sandbox)) as payor:
            payor.submit()
            until(lambda: silent.came)
            begun = time.monotonic()
            for _ in range(20):
                payor.submit()
            with pytest.raises(ValueError, match="still on its way"):
                sandbox.wait_for_deliveries(0.05)
        sandbox.stop()
        assert time.monotonic() - begun < 5, "the sandbox waits ten seconds for a response"
        assert {*sandbox_threads()} <= before


def sandbox_threads():
    return [each for each in threading.enumerate() if "sandbox" in each.name]


# An application without a port


class Service:
    """An application that keeps what came."""

    def __init__(self, *failures):
        self.came = []
        self.loops = []
        self.failures = list(failures)
        self.app = Starlette(routes=[Route("/hooks/{name:path}", self.receive, methods=["POST"])])

    async def receive(self, request):
        self.loops.append(asyncio.get_running_loop())
        if self.failures:
            raise self.failures.pop()
        body = await request.body()
        self.came.append((str(request.url), request.headers["authorization"], body))
        return Response()


def test_an_application_gets_notifications_without_a_port(sandbox, payor):
    service = Service()
    sandbox.notify_app(service.app, "http://shop/hooks/velo?of=us")
    payor.pay()
    sandbox.wait_for_deliveries()
    assert [json.loads(body) for _, _, body in service.came] == sandbox.notifications()
    assert service.came[0][:2] == ("http://shop/hooks/velo?of=us", sandbox.authorization_header())
    payor.webhook("http://shop/hooks/of/the/api", authorizationHeader=HEADER)
    payor.submit()
    sandbox.wait_for_deliveries()
    assert {each[:2] for each in service.came[3:]} == {("http://shop/hooks/of/the/api", HEADER)}
    assert len(set(service.loops)) == 1
    before = sandbox_threads()
    sandbox.stop()
    assert len(before) - len(sandbox_threads()) == 2, "the loop of the application ends, too"
