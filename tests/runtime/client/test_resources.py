"""The client of another generated package over the connections of a client, and the httpx client
over the attempts.
"""

from types import ModuleType

import httpx
import pytest
from flexfactor_api import errors
from flexfactor_api.api.orders import get_order
from flexfactor_api.client import AuthenticatedClient, Client

from tests.providers.systems import ARGUMENTS
from victor_ext import (
    NotFound,
    Outcome,
    RetryPolicy,
    UnreadableResponse,
    Victor,
    VictorJwt,
)
from victor_ext._flows import drive
from victor_ext._runtime.client.transport import AttemptTransport, HttpClient, MethodRequests
from victor_ext._runtime.loop.flow import Driver
from victor_ext.providers.flexfactor import FlexFactor, FlexFactorToken

URL = "https://pay.example"
EARLY = "3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71"


def answer(request):
    name = request.url.path.rpartition("/")[2]
    status = {"nobody": 404, EARLY: 203}.get(name, 200)
    headers = {"x-token": request.headers.get("authorization", "")}
    nobody = {"error": {"code": 101, "message": "No such order"}}
    bodies = {"list": ["no", "object"], "nobody": nobody}
    body = bodies.get(name, {"id": name, "status": 2})
    return httpx.Response(status, json=body, headers=headers)


@pytest.fixture
def victor():
    auth = VictorJwt("key-1", sign=lambda _content: b"signature")
    once = RetryPolicy(max_attempts=1)
    with Victor(auth, base_url=URL, transport=httpx.MockTransport(answer), retry=once) as client:
        yield client


@pytest.mark.parametrize("kind", [Client, AuthenticatedClient])
def test_another_generated_package_bound_to_a_client_has_its_token_and_errors(victor, kind):
    bound = victor.bind(kind)
    assert isinstance(bound, kind)
    assert get_order.sync_detailed("o-1", client=bound).headers["x-token"].startswith("Token ")
    with pytest.raises(NotFound):
        get_order.sync_detailed("nobody", client=bound)
    for name, words, outcome in (
        (EARLY, "this status is not in the provider's document", Outcome.ACCEPTED),
        ("list", "its body cannot be read: ", Outcome.UNKNOWN),
    ):
        with pytest.raises(UnreadableResponse, match=words) as caught:
            get_order.sync_detailed(name, client=bound)
        assert (caught.value.outcome, caught.value.attempts) == (outcome, 1)
        assert caught.value.request is not None
        assert caught.value.request.url.path == f"/v1/orders/{name}"


def test_a_good_status_that_the_document_does_not_list_is_read_as_the_good_answer():
    options = {**ARGUMENTS["flexfactor"], "transport": httpx.MockTransport(answer)}
    with FlexFactor(**{**options, "auth": FlexFactorToken("t")}) as flexfactor:
        assert flexfactor.orders.get(EARLY).id == EARLY


def test_a_bound_client_with_the_callers_httpx_client_raises_its_own_packages_errors(victor):
    with httpx.Client(base_url=URL, transport=httpx.MockTransport(answer)) as http:
        bound = victor.bind(Client)
        bound.set_httpx_client(http)
        with pytest.raises(errors.UnexpectedStatus):
            get_order.sync_detailed(EARLY, client=bound)


AT = "https://api.example/base"


def client(seen, **options):
    def respond(request):
        seen.append(request)
        return httpx.Response(200, json={}, request=request)

    return HttpClient(transport=httpx.MockTransport(respond), base_url=AT, **options)


def test_whoever_has_wrapped_httpx_gets_each_request_once_within_its_time_and_without_its_body(
    monkeypatch,
):
    """The wrapper shows its arguments in a traceback."""
    given, built, made = [], [], []
    send, build = httpx.Client.request, httpx.Client.build_request

    def request(http, method, url, **written):
        given.append((method, url, written))
        return send(http, method, url, **written)

    def build_request(http, *arguments, **written):
        built.append(written)
        return build(http, *arguments, **written)

    class Transport(AttemptTransport):
        def attempts(self, request, seconds=None):
            made.append((request, seconds))
            yield from ()
            return httpx.Response(200, request=request)

    monkeypatch.setattr(httpx.Client, "request", request)
    monkeypatch.setattr(httpx.Client, "build_request", build_request)
    transport = Transport(None, None, httpx.URL(AT), driver=Driver(None))
    methods = MethodRequests(HttpClient(transport=transport, base_url=AT), transport)
    account = b'{"account_number": "043987673645"}'
    for seconds in (1.5, None):
        ours = methods.build(method="post", url="/x", content=account)
        drive(methods.attempts(ours, seconds), lambda step: step())
    assert [each for _, each in made] == [1.5, None]
    assert len(built) == len(given) == 2
    for (method, url, written), (sent, _) in zip(given, made, strict=True):
        assert (method, url, sent.content) == ("POST", str(ours.url), account)
        assert "0439" not in repr(written)
        assert not any("seconds" in name for name in sent.extensions)


def test_a_function_of_another_generator_is_prepared_as_it_writes_its_request(victor):
    """It reads the answer at once, so it is not called."""
    module = ModuleType("stock_api.api.create")
    module.sync_detailed = lambda **_: pytest.fail("called")
    module._get_kwargs = lambda *, body: {
        "method": "post",
        "url": "/v2/payment-requests/request-payment",
        "json": body,
    }
    call = victor.prepare(module, body={"amount": "1.00"})
    assert (call.method, call.body) == ("POST", {"amount": "1.00"})


def test_a_request_built_elsewhere_gets_the_clients_timeout():
    seen = []
    client(seen, timeout=7.0).send(httpx.Request("GET", AT))
    assert [request.extensions["timeout"]["read"] for request in seen] == [7.0]


def test_a_closed_client_sends_nothing():
    seen = []
    http = client(seen)
    http.close()
    with pytest.raises(RuntimeError, match="closed"):
        http.get("/x")
    with pytest.raises(RuntimeError, match="closed"):
        http.send(httpx.Request("GET", AT))
    assert seen == []
