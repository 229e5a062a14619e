"""A gateway that sends a POST again by itself: no client sees it, and the books show it."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from tests.gateways.caller import Caller
from tests.providers.systems import ADAPTERS
from victor_ext import VictorError
from victor_ext.reconciliation import Entry, Kind, reconcile

pytestmark = pytest.mark.nightly

HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
listen gateway
    bind 127.0.0.1:PORT
    retry-on empty-response
    http-response set-header X-Retries %rc
    server provider PROVIDER
"""
WITHOUT_POST = f"{HAPROXY}    http-request disable-l7-retry if METH_POST\n"
HAPROXY_COMMAND = ("INSTALLED/usr/sbin/haproxy", "-W", "-f", "FOLDER/conf")

NGINX = """
pid FOLDER/pid;
error_log FOLDER/error.log;
daemon off;
events {}
http {
    access_log off;
    client_body_temp_path FOLDER/body;
    proxy_temp_path FOLDER/proxy;
    fastcgi_temp_path FOLDER/fastcgi;
    uwsgi_temp_path FOLDER/uwsgi;
    scgi_temp_path FOLDER/scgi;
    upstream provider {
        server PROVIDER max_fails=0;
        server PROVIDER max_fails=0;
    }
    server {
        listen 127.0.0.1:PORT;
        location / {
            proxy_pass http://provider;
            proxy_next_upstream error timeout non_idempotent;
        }
    }
}
"""
ONLY_IDEMPOTENT = NGINX.replace(" non_idempotent", "")
NGINX_COMMAND = ("INSTALLED/usr/sbin/nginx", "-e", "FOLDER/error.log", "-c", "FOLDER/conf")

WRITES = 100
LOST = 0.2
"""The share of the provider's responses that do not come."""


@pytest.mark.parametrize("system", ["eastpay", "velo"])
@pytest.mark.parametrize(
    ("command", "configuration", "sends_again"),
    [
        pytest.param(HAPROXY_COMMAND, HAPROXY, True, id="haproxy"),
        pytest.param(HAPROXY_COMMAND, WITHOUT_POST, False, id="haproxy-without-post"),
        pytest.param(NGINX_COMMAND, NGINX, True, id="nginx"),
        pytest.param(NGINX_COMMAND, ONLY_IDEMPOTENT, False, id="nginx-only-idempotent"),
    ],
)
def test_the_books_show_each_payment_that_a_gateway_has_sent_again(
    gateway, system, command, configuration, sends_again
):
    """These systems take no key."""
    with (
        ADAPTERS[system].SANDBOX() as sandbox,
        gateway(command, configuration, sandbox) as between,
    ):
        caller = Caller(system, sandbox, between)
        operation = caller.adapter.WRITE.word
        sandbox.inject("lose_answer", operation=operation, probability=LOST, seed=1)
        with caller.client() as client:
            succeeded = write_all(caller, client)
            sandbox.clear_faults()
            made = caller.payments()

            assert len(made) == WRITES
            # The caller of some of these has heard of one success.
            assert any(made[reference] > 1 for reference in succeeded) is sends_again
            assert duplicates(caller, client, made) == sum(made.values()) - WRITES


def write_all(caller, client):
    """Make the payments one after the other. Returns the references of those that ended well."""
    succeeded = []
    for number in range(WRITES):
        with suppress(VictorError):
            caller.adapter.WRITE.call(client, f"INV-{number}")
            succeeded.append(f"INV-{number}")
    return succeeded


def duplicates(caller, client, references):
    """How many second payments `victor reconcile` reports of these references."""
    ours = [Entry(caller.adapter.PRICE, reference=reference) for reference in references]
    named = {"payor_id": caller.harness.payor} if client.provider == "Velo" else {}
    now, hour = datetime.now(UTC), timedelta(hours=1)
    with reconcile(client, ours, start=now - hour, end=now + hour, **named) as report:
        return report.summary.count(Kind.DUPLICATE)


def test_a_header_of_the_gateway_shows_how_often_it_has_sent_a_payment(gateway):
    with (
        ADAPTERS["eastpay"].SANDBOX() as sandbox,
        gateway(HAPROXY_COMMAND, HAPROXY, sandbox) as between,
    ):
        caller = Caller("eastpay", sandbox, between)
        sandbox.inject("lose_answer", operation="pay", times=2)
        with caller.client() as client:
            payments = [caller.adapter.WRITE.call(client, f"INV-{number}") for number in (1, 2)]
        assert caller.payments() == {"INV-1": 3, "INV-2": 1}
        assert [each.result.succeeded for each in payments] == [True, True]
        assert [each.response_info.headers["X-Retries"] for each in payments] == ["2", "0"]
