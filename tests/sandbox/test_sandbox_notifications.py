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

from tests.cases import cases_beside
from tests.cli.victor_command import until
from tests.faults.raw_provider import RawProvider
from tests.providers.systems import ADAPTERS
from tests.sandbox.desks import LIFE, VeloDesk
from tests.sandbox.receivers import Receiver
from tests.sandbox.sandbox_callers import SandboxProcess
from victor_ext.sandbox.velo import RemoteVeloSandbox, VeloSandbox, VeloSettings
from victor_ext.testing import Faults

pytestmark = pytest.mark.slow
CASES = cases_beside(__file__, "notifications")
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


def test_without_an_address_nothing_is_posted_and_nothing_is_kept(sandbox, payor):
    payor.pay()
    sandbox.wait_for_deliveries()
    assert sandbox.deliveries() == []
    assert [one["eventName"] for one in sandbox.notifications()] == LIFE


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


def test_a_webhook_that_is_disabled_gets_its_ping_alone(sandbox, payor):
    with Receiver() as disabled, Receiver() as other:
        path = payor.webhook(disabled.url, enabled=False)
        payor.webhook(other.url, categories=["payee"])
        payor.pay()
        assert payor.http.post(f"{path}/ping").status_code == 202
        sandbox.wait_for_deliveries()
    assert (disabled.names, other.names) == (["ping"], [])


def test_a_mock_of_httpx_takes_no_notification(sandbox, receiver, httpx_mock):
    sandbox.trigger("1f0e7b0a-3d3c-4f43-9f6b-2f6f0c1c7a11", "payment.returned")
    sandbox.wait_for_deliveries()
    assert receiver.names == ["payment.returned"]
    assert httpx_mock.get_requests() == []


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


@pytest.mark.parametrize("url", CASES["no addresses"])
def test_a_text_that_is_no_address_is_refused_without_being_quoted(sandbox, url):
    """It may have a password."""
    with pytest.raises(ValueError, match="notify must be an address such as") as of_option:
        VeloSettings(notify=url)
    with pytest.raises(ValueError, match="url must be an address such as") as of_command:
        sandbox.notify(url)
    assert "a:b" not in f"{of_option.value} {of_command.value}"


def test_an_address_with_a_password_is_refused_without_showing_the_password():
    with pytest.raises(RuntimeError, match="leave the name and the password out") as refused:
        SandboxProcess("--provider", "velo", "--notify", "http://me:PASSWORD@127.0.0.1:8000/x")
    assert "PASSWORD" not in str(refused.value)


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"]
)
def test_bytes_that_are_no_response_are_reported_as_an_incomplete_response(
    sandbox, payor, background, answer
):
    receiver = RawProvider(background)
    receiver.instead = lambda exchange: [exchange.send(answer), exchange.end("close")]
    sandbox.notify(receiver.url())
    payor.submit()
    sandbox.wait_for_deliveries()
    receiver.close()
    [attempt] = sandbox.deliveries()[0]["attempts"]
    assert attempt["error"] == "what came back is no complete HTTP/1.1 response"


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


@SLOWLY
@pytest.mark.parametrize(("days", "state"), [(29, "waiting"), (31, "given up")])
def test_a_notification_that_nobody_takes_is_given_up_after_thirty_days(
    sandbox, payor, receiver, days, state
):
    """ "Velo will retry sending events for up to 30 days or until successful delivery." """
    receiver.statuses = [503]
    payor.submit()
    sandbox.wait_for_deliveries()
    sandbox.advance(days * DAY)
    sandbox.wait_for_deliveries(20)
    [first] = sandbox.deliveries()
    assert (first["state"], first["reason"] is None) == (state, state == "waiting")
    assert len(first["attempts"]) > 100, "each attempt of that time was made"


@SLOWLY
def test_a_notification_that_is_posted_again_has_the_current_header_of_its_webhook(sandbox, payor):
    with Receiver(401, 200) as receiver:
        path = payor.webhook(receiver.url, authorizationHeader=HEADER)
        payor.submit()
        sandbox.wait_for_deliveries()
        payor.http.post(path, json={"authorizationHeader": HEADER + "-next"})
        sandbox.advance(60)
        sandbox.wait_for_deliveries()
        headers = [each.headers["authorization"] for each in receiver.came]
        assert headers == [HEADER, HEADER + "-next"]


def test_a_change_that_comes_by_time_alone_is_posted_as_a_notification(receiver):
    """No call and no command comes: the sandbox looks by itself."""
    settings = VeloSettings(settlement=0.0, notify=receiver.url)
    with VeloSandbox(settings) as sandbox, closing(VeloDesk(sandbox)) as payor:
        payor.submit()
        assert payor.instruct().status_code == 202
        until(lambda: LIFE[-1] in receiver.names)


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


def test_a_fault_of_notifications_is_none_of_calls(sandbox, payor, receiver):
    Faults(sandbox).lose_notification(times=None)
    Faults(sandbox).status(503, operation="submit")
    assert payor.http.post("/v3/payouts", json={}).status_code == 503
    payor.submit()
    sandbox.wait_for_deliveries()
    assert receiver.came == []


@pytest.mark.parametrize(("kind", "options", "said"), CASES["faults that make no sense"])
def test_a_fault_of_notifications_that_makes_no_sense_is_refused(sandbox, kind, options, said):
    with pytest.raises(ValueError, match=said):
        sandbox.inject(kind, **options)


@pytest.mark.parametrize(("system", "event", "known"), CASES["unknown events"])
def test_a_fault_of_an_event_that_never_comes_is_refused(system, event, known):
    with ADAPTERS[system].SANDBOX() as other:
        with pytest.raises(ValueError, match=f"event must be one of .*{known}.*, not '{event}'"):
            other.inject("lose_notification", event=event)
        other.inject("lose_notification", event=f"{known[:4]}*")


def test_a_sandbox_without_notifications_refuses_faults_of_notifications(victor_sandbox):
    with pytest.raises(ValueError, match="posts no notifications"):
        victor_sandbox.inject("lose_notification")


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


def test_nothing_is_posted_after_a_command_takes_the_address_away(commands, payor, receiver):
    commands.notify(None)
    payor.pay()
    commands.wait_for_deliveries()
    assert (commands.deliveries(), receiver.came) == ([], [])


@SLOWLY
def test_a_reset_forgets_notifications_and_keeps_their_address(sandbox, payor, receiver):
    receiver.statuses = [503, 200]
    payor.submit()
    sandbox.wait_for_deliveries()
    sandbox.reset()
    sandbox.advance(DAY)
    with closing(VeloDesk(sandbox)) as again:
        again.submit()
    sandbox.wait_for_deliveries()
    assert states(sandbox) == [("taken", 1)]
    assert len(receiver.came) == 2


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


def test_an_application_runs_in_the_loop_of_the_test(sandbox, payor):
    service = Service()

    async def test():
        sandbox.notify_app(service.app, "http://shop/hooks/velo")
        payor.submit()
        await asyncio.to_thread(sandbox.wait_for_deliveries)
        assert {*service.loops} == {asyncio.get_running_loop()}

    asyncio.run(test())
    payor.submit()
    sandbox.wait_for_deliveries()
    assert sandbox.deliveries()[-1]["attempts"][-1]["error"] == (
        "the event loop of the application has ended"
    )


def test_an_application_that_fails_gets_the_notification_again(sandbox, payor):
    sandbox.notify_app(Service(KeyError("invoice")).app, "http://shop/hooks/velo")
    payor.submit()
    sandbox.wait_for_deliveries()
    sandbox.advance(60)
    sandbox.wait_for_deliveries()
    first = sandbox.deliveries()[0]
    errors = [attempt["error"] for attempt in first["attempts"]]
    assert errors == ["the application raised KeyError: 'invoice'", None]
