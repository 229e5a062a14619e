"""Transports of others: httpx's own tell the truth; those that say "not sent" of what was sent are
refused.
"""

import httpx
import pytest

from tests.faults.adapters import ATTEMPTS, adapter, each_mode
from tests.faults.raw_provider import Cut
from victor_ext import AsyncVictor, ConfigurationError, InvalidRequest, Victor, VictorOAuth

pytestmark = pytest.mark.slow


class SyncHttpxTransport(httpx.BaseTransport):
    __module__ = "pyreqwest.compatibility.httpx"


class OwnTransport(SyncHttpxTransport):
    pass


class HttpxTransport(httpx.AsyncBaseTransport):
    __module__ = "pyreqwest.compatibility.httpx"


class AiohttpTransport(httpx.AsyncBaseTransport):
    __module__ = "httpx_aiohttp.transport"


class Curl(httpx.AsyncBaseTransport):
    __module__ = "httpx_curl_cffi._transport"


@pytest.mark.parametrize(
    ("client", "transport", "words"),
    [
        (
            Victor,
            SyncHttpxTransport,
            r"transport: pyreqwest reports .* pass httpx\.HTTPTransport\(\.\.\.\)\.",
        ),
        (Victor, OwnTransport, "transport: pyreqwest .* sent again"),
        (AsyncVictor, HttpxTransport, r"pass httpx\.AsyncHTTPTransport\(\.\.\.\)\."),
        (
            AsyncVictor,
            AiohttpTransport,
            "transport: httpx_aiohttp reports a missing response as a connection",
        ),
        (AsyncVictor, Curl, "transport: httpx_curl_cffi sends a request again by itself"),
    ],
)
def test_a_transport_that_sends_again_by_itself_is_refused(client, transport, words):
    with pytest.raises(ConfigurationError, match=words):
        client(VictorOAuth("id", "not-a-secret"), transport=transport())


@each_mode
@pytest.mark.parametrize("operation", ["create", "respond"])
def test_a_connect_error_of_a_wrapped_httpx_transport_leaves_the_outcome_unknown(
    background, monkeypatch, mode, operation
):
    """Somebody has wrapped the transports of httpx, and tells each lost exchange as a failure to
    connect.
    """
    sync = httpx.HTTPTransport.handle_request
    awaited = httpx.AsyncHTTPTransport.handle_async_request

    def failing_to_connect(transport, request):
        try:
            return sync(transport, request)
        except httpx.TransportError:
            raise httpx.ConnectError("as somebody says") from None

    async def awaited_failing_to_connect(transport, request):
        try:
            return await awaited(transport, request)
        except httpx.TransportError:
            raise httpx.ConnectError("as somebody says") from None

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", failing_to_connect)
    monkeypatch.setattr(
        httpx.AsyncHTTPTransport, "handle_async_request", awaited_failing_to_connect
    )
    with adapter(background, mode) as on:
        on.expect("unknown", operation, [Cut("answer", 0, "reset")] * (1 + ATTEMPTS))
        on.provider.refuse()
        assert on.run(operation).observed.word == "not_sent"


WAYS = {
    "blocking": ("sync", httpx.HTTPTransport),
    "awaited": ("async", httpx.AsyncHTTPTransport),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("operation", ["create", "respond"])
def test_outcomes_over_transports_of_httpx_are_true(background, way, operation):
    mode, make = WAYS[way]
    cuts = [
        Cut(side, after, how)
        for side in ("request", "answer")
        for after in (0, 40)
        for how in ("reset", "close")
    ]
    with adapter(background, mode, transport=make()) as on:
        for cut in cuts:
            on.expect("unknown", operation, [cut] * (1 + ATTEMPTS))
        on.provider.refuse()
        run = on.run(operation)
        assert run.observed.word == "not_sent"
        assert run.mismatches() == []
        on.provider.listen()
        assert on.run(operation).observed.word == "success"


class Complaining(httpx.HTTPTransport):
    """A transport of the caller, which looks at each response."""

    def handle_request(self, request):
        response = super().handle_request(request)
        if request.url.path.endswith("/request-payment"):
            raise InvalidRequest("The response has no time of the gateway.")
        return response


def test_an_error_of_this_package_that_a_transport_raises_after_the_request_left_leaves_it_unknown(
    background,
):
    """A function of this package that the transport calls can raise it."""
    with adapter(background, "sync", transport=Complaining()) as on:
        observed = on.run("create").observed
    assert isinstance(observed.error, InvalidRequest)
    assert observed.word == "unknown"
