"""Gateways that are reloaded while payments are under way."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.providers.victor.adapter import invoice
from victor_ext import Outcome, RetryPolicy, Victor, VictorError, VictorOAuth

pytestmark = pytest.mark.nightly

NGINX = """
pid FOLDER/pid;
error_log FOLDER/error.log;
daemon off;
worker_processes 2;
worker_shutdown_timeout 10ms;
events {}
http {
    access_log off;
    client_body_temp_path FOLDER/body;
    proxy_temp_path FOLDER/proxy;
    fastcgi_temp_path FOLDER/fastcgi;
    uwsgi_temp_path FOLDER/uwsgi;
    scgi_temp_path FOLDER/scgi;
    server {
        listen 127.0.0.1:PORT;
        location / {
            proxy_pass http://PROVIDER;
        }
    }
}
"""
NGINX_COMMAND = ("INSTALLED/usr/sbin/nginx", "-e", "FOLDER/error.log", "-c", "FOLDER/conf")

HAPROXY = """
global
    hard-stop-after 10ms
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
listen gateway
    bind 127.0.0.1:PORT
    server provider PROVIDER
"""
HAPROXY_COMMAND = ("INSTALLED/usr/sbin/haproxy", "-W", "-f", "FOLDER/conf")

CREATES = 1_000
WORKERS = 16
SECONDS_BETWEEN = 0.2
WORK_SECONDS = 0.05
"""How long the provider works on a create: the old process of a gateway ends before."""


@pytest.mark.parametrize(
    ("command", "configuration", "reload_signal"),
    [
        pytest.param(NGINX_COMMAND, NGINX, signal.SIGHUP, id="nginx"),
        pytest.param(HAPROXY_COMMAND, HAPROXY, signal.SIGUSR2, id="haproxy"),
    ],
)
def test_creates_through_a_gateway_that_is_reloaded_all_the_time_are_made_once(
    gateway, victor_sandbox, command, configuration, reload_signal
):
    victor_sandbox.inject("delay", operation="create", delay=WORK_SECONDS, work=True, times=None)
    auth = VictorOAuth(*victor_sandbox.add_oauth_client())
    with (
        gateway(command, configuration, victor_sandbox) as reloaded,
        Victor(auth, base_url=reloaded.url, retry=RetryPolicy(base=0.05)) as victor,
    ):
        with reloading(reloaded, reload_signal):
            first = create_all(victor)
        made = made_at(victor_sandbox)
        assert [each for each in first.items() if not is_true(*each, made)] == []
        last = create_all(victor)

    assert {reference: result.id for reference, result in last.items()} == made_at(victor_sandbox)
    assert len(victor_sandbox.requests()) == CREATES
    # The reloads broke some of the exchanges.
    assert max(victor_sandbox.attempts_by_key().values()) > 2


@contextmanager
def reloading(gateway, number):
    """Reload the gateway again and again while the block runs."""
    is_over = threading.Event()

    def reload():
        while not is_over.wait(SECONDS_BETWEEN):
            gateway.reload(number)

    thread = threading.Thread(target=reload)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def create_all(victor):
    """What each create comes to, by its reference, with several at once."""

    def create(number):
        try:
            return victor.payment_requests.create(**invoice(number))
        except VictorError as error:
            return error

    with ThreadPoolExecutor(WORKERS) as pool:
        results = [*pool.map(create, range(CREATES))]
    return {f"INV-{number}": result for number, result in enumerate(results)}


def made_at(sandbox):
    """The ids of the requests that the provider has, by their references."""
    return {request["client_reference_id"]: request["id"] for request in sandbox.requests()}


def is_true(reference, result, made):
    """Whether a result says nothing else than what the provider has."""
    if not isinstance(result, VictorError):
        return result.id == made.get(reference)
    if result.outcome in (Outcome.NOT_SENT, Outcome.REJECTED):
        return reference not in made
    return result.outcome is Outcome.UNKNOWN or reference in made
