"""What the sandbox posts to a webhook: when, how often, and to whom."""

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.cli.victor_command import until
from victor_ext.sandbox.velo import VeloSandbox, VeloSettings

pytestmark = pytest.mark.slow


class Receiver:
    """A server that answers with the statuses of a list, and then with 200."""

    def __init__(self):
        self.statuses, self.bodies = [], []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler):  # noqa: N805
                body = handler.rfile.read(int(handler.headers["content-length"]))
                self.bodies.append((dict(handler.headers), json.loads(body)))
                handler.send_response(self.statuses.pop(0) if self.statuses else 200)
                handler.end_headers()

            def log_message(handler, *_):  # noqa: N805
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhooks"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def events(self):
        return [body["eventName"] for _, body in self.bodies]


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def velo(receiver):
    with VeloSandbox(VeloSettings(notify=receiver.url)) as sandbox:
        yield sandbox


def onboarded(sandbox, name="payee-7"):
    sandbox.onboard_payee(sandbox.add_payee(name))


@pytest.mark.parametrize("address", ["http://me:PASSWORD@127.0.0.1/x", "file:///x", "localhost:1"])
def test_an_address_that_cannot_be_posted_to_is_refused_without_showing_it(address):
    with pytest.raises(ValueError, match="must be an address such as") as refused:
        VeloSettings(notify=address)
    assert address not in str(refused.value)


def test_a_notification_is_posted_once_with_the_header_of_the_webhook(velo, receiver):
    onboarded(velo)
    velo.wait_for_deliveries()
    assert receiver.events == ["payee.onboarding_status_changed"]
    assert receiver.bodies[0][0]["Authorization"] == velo.authorization_header()
    (delivery,) = velo.deliveries()
    assert (delivery["state"], delivery["attempts"]) == ("taken", ["200"])
    assert json.loads(delivery["body"]) == receiver.bodies[0][1]


def test_one_that_is_not_taken_is_posted_again_by_the_business_clock(velo, receiver):
    receiver.statuses = [503, 202]
    onboarded(velo)
    velo.wait_for_deliveries()
    assert len(receiver.events) == 1
    for seconds, count in ((59, 1), (1, 2), (119, 2), (1, 3), (86_400, 3)):
        velo.advance(seconds)
        velo.wait_for_deliveries()
        assert len(receiver.events) == count, seconds
    assert velo.deliveries()[0]["attempts"] == ["503", "202", "200"]


def test_one_that_nobody_takes_is_given_up_at_the_end(velo, receiver):
    receiver.server.shutdown()
    receiver.server.server_close()
    onboarded(velo)
    velo.wait_for_deliveries()
    velo.advance(40 * 86_400)
    until(lambda: velo.deliveries()[0]["state"] == "given up")


def test_a_delivery_is_posted_again_by_command(velo, receiver):
    onboarded(velo)
    velo.wait_for_deliveries()
    velo.resend(1)
    velo.wait_for_deliveries()
    assert len(receiver.bodies) == 2
    with pytest.raises(ValueError, match="no delivery 7"):
        velo.resend(7)


def test_without_an_address_notifications_stand_in_the_log_whole():
    with VeloSandbox() as sandbox:
        onboarded(sandbox)
        (delivery,) = sandbox.deliveries()
        assert delivery["headers"]["Authorization"] == sandbox.authorization_header()
    assert delivery["state"] == "not posted"
    assert json.loads(delivery["body"])["eventName"] == "payee.onboarding_status_changed"


def test_a_receiver_that_says_nothing_does_not_hold_a_sandbox_that_stops():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with VeloSandbox(
            VeloSettings(notify=f"http://127.0.0.1:{silent.getsockname()[1]}")
        ) as sandbox:
            onboarded(sandbox)
            with silent.accept()[0]:
                begun = time.monotonic()
                sandbox.stop()
        assert time.monotonic() - begun < 5


def test_no_other_host_gets_a_request(velo):
    assert velo._service.provider.notifications.may_post("http://127.0.0.2/")
    assert not velo._service.provider.notifications.may_post("http://hooks.example.com/")
    assert not velo._service.provider.notifications.may_post("http://169.254.169.254/")
