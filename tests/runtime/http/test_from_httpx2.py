"""What a caller has made with httpx2 does what the same does that was made with httpx."""

import asyncio
import gzip
import ssl

import httpx
import httpx2
import pytest

from tests.faults.adapters import arguments
from tests.programs import python
from tests.providers.connected.till import client_class
from tests.providers.running import ONCE, TOKEN, is_for_token, run
from tests.runtime import fakes
from victor_ext import (
    ApiKeyAuth,
    AsyncVictor,
    Victor,
    VictorError,
    VictorOAuth,
    connect,
    connect_async,
)
from victor_ext._runtime.http.options import checked_limits, checked_proxy

AUTH = VictorOAuth("id", "not-a-secret")
LIBRARIES = httpx, httpx2
each_client = pytest.mark.parametrize("kind", [Victor, AsyncVictor])


def created(library, kind, way, answer, **more):
    """What a create over one of the libraries is: the requests that were sent, and the record or
    the error.
    """
    sent = []

    def handler(request):
        if is_for_token(request):
            return library.Response(200, json=TOKEN)
        del request.headers["authorization"]
        timeouts = request.extensions["timeout"]
        sent.append((request.method, str(request.url), request.headers.raw, timeouts))
        sent.append(request.content)
        return answer(library)

    out = library.MockTransport(handler)
    if way == "http_client":
        client = library.Client if kind is Victor else library.AsyncClient
        out = client(transport=out, follow_redirects=True)
    given = {**arguments("create", "INV-1"), "idempotency_key": "invoice-1042-of-2026"}
    options = {"retry": ONCE, way: out, **more}
    try:
        made = run(kind, lambda victor: victor.payment_requests.create(**given), AUTH, **options)
    except (VictorError, LookupError) as error:
        known = [getattr(error, name, None) for name in ("outcome", "body")]
        return sent, type(error), str(error), known, type(error.__cause__)
    headers = dict(made.response_info.headers)
    headers.pop("content-encoding", None)
    return sent, made.to_dict(), made.response_info.status_code, headers


class Pieces(fakes.Pieces, httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body of either library, in these pieces, or until an exception."""


def raising(name):
    def answer(library):
        class Own(getattr(library, name)):  # type: ignore[misc] # a class by its name
            """As a transport may have one."""

        raise Own(f"the {name} of a mock")

    return answer


def raising_another(_library):
    raise LookupError("of the caller's own")


def consumed(library):
    response = library.Response(200, stream=Pieces([b"{}"]))
    list(response.iter_raw())
    return response


GOOD = b'{"victor_payment_request_id": "RFP1", "status": "created"}'
PACKED = {"content-encoding": "gzip"}
REQUEST_ERRORS = [
    name
    for name in sorted(httpx.__all__)
    if isinstance(kind := getattr(httpx, name), type) and issubclass(kind, httpx.RequestError)
]
ANSWERS = {
    **{name: raising(name) for name in REQUEST_ERRORS},
    "an error of the caller's": raising_another,
    "good": lambda of: of.Response(200, content=GOOD, headers=[("x-a", "1"), ("x-a", "2")]),
    "a stream": lambda of: of.Response(200, stream=Pieces([GOOD[:9], GOOD[9:]])),
    "gzip, a stream": lambda of: of.Response(
        200, headers=PACKED, stream=Pieces([gzip.compress(GOOD)])
    ),
    "gzip, read before": lambda of: of.Response(200, headers=PACKED, content=gzip.compress(GOOD)),
    "gzip, broken": lambda of: of.Response(200, headers=PACKED, stream=Pieces([b"no gzip"])),
    "cut": lambda of: of.Response(200, stream=Pieces([b'{"vic', of.ReadError("reset")])),
    "too late": lambda of: of.Response(200, stream=Pieces([b'{"vic', of.ReadTimeout("late")])),
    "consumed": consumed,
    "redirect": lambda of: of.Response(307, headers={"location": "https://elsewhere.example/"}),
    "503": lambda of: of.Response(503, text="<html>Busy</html>"),
    "400": lambda of: of.Response(
        400, json={"error": {"code": 1, "message": "no", "field": "amount"}}
    ),
}


@each_client
@pytest.mark.parametrize("way", ["transport", "http_client"])
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_call_has_the_same_result_over_httpx_and_httpx2(kind, way, answer):
    of_httpx, of_httpx2 = (created(library, kind, way, ANSWERS[answer]) for library in LIBRARIES)
    assert of_httpx2 == of_httpx


def test_an_httpx2_error_that_is_no_error_of_a_request_is_raised_as_it_is():
    def refuse(request):
        httpx2.Response(503, request=request).raise_for_status()

    victor = Victor(AUTH, transport=httpx2.MockTransport(refuse))  # type: ignore[arg-type] # a handler that only raises
    with pytest.raises(httpx2.HTTPStatusError):
        victor.payment_requests.get("RFP1")


OPTIONS = {
    "timeout": lambda library: library.Timeout(7.0, connect=1.0, pool=None),
    "limits": lambda library: library.Limits(
        max_connections=3, max_keepalive_connections=2, keepalive_expiry=None
    ),
    "proxy": lambda library: library.Proxy(
        "https://proxy.example:8443",
        auth=("user", "not-a-secret"),
        headers={"x-a": "1"},
        ssl_context=CONTEXT,
    ),
    "proxy, a URL": lambda library: library.URL("http://user:not-a-secret@proxy.example"),
    "base_url": lambda library: library.URL("https://pay.example:8443/a%20b"),
}
CONTEXT = ssl.create_default_context()


@each_client
@pytest.mark.parametrize("option", ["timeout", "base_url"])
def test_options_made_with_httpx2_mean_the_same_as_with_httpx(kind, option):
    of_httpx, of_httpx2 = (
        created(library, kind, "transport", ANSWERS["good"], **{option: OPTIONS[option](library)})
        for library in LIBRARIES
    )
    assert of_httpx2 == of_httpx


def test_limits_and_proxies_made_with_httpx2_become_those_of_httpx():
    assert checked_limits(OPTIONS["limits"](httpx2)) == OPTIONS["limits"](httpx)
    for option in ("proxy", "proxy, a URL"):
        of_httpx, of_httpx2 = (checked_proxy(OPTIONS[option](library)) for library in LIBRARIES)
        for part in ("url", "auth", "headers", "ssl_context"):
            assert getattr(of_httpx2, part) == getattr(of_httpx, part)


@pytest.mark.parametrize("library", LIBRARIES)
def test_requests_by_hand_are_the_same_bytes_over_httpx_and_httpx2(library):
    seen = []

    def handler(request):
        seen.append(request.url.raw_path + b" " + request.read())
        return library.Response(200, json={})

    given = {
        "auth": ApiKeyAuth("not-a-secret", query="key"),
        "transport": library.MockTransport(handler),
    }
    with connect(client_class(), base_url="https://pay.example/v1", **given) as till:
        # A transport is given what signs the query, and a body that can be read only once.
        till.http.post("/a%2Fb", params=[("q", "1 é"), ("q", "it's")], content=iter([b"ab", b"c"]))
        till.http.get("https://pay.example/v1/x?y=[1]")
    later = connect_async(client_class(), base_url="https://pay.example/v1", **given)
    asyncio.run(later.http.post("/later", content=b"abc"))
    assert seen == [
        b"/v1/a%2Fb?q=1+%C3%A9&q=it%27s&key=not-a-secret abc",
        b"/v1/x?y=[1]&key=not-a-secret ",
        b"/v1/later?key=not-a-secret abc",
    ]


GUEST = """
import sys
from victor_ext import AsyncVictor, Victor, VictorOAuth
import httpx

with Victor(
    VictorOAuth("id", "not-a-secret"), transport=httpx.MockTransport(lambda _: httpx.Response(401))
) as victor:
    try:
        victor.with_options(timeout=3.0).payment_requests.get("RFP1")
    except Exception as error:
        print(type(error).__name__)
print([name for name in sys.modules if name.startswith(("httpx2", "httpcore2", "truststore"))])
"""


@pytest.mark.slow
def test_httpx2_is_never_loaded_by_the_package():
    ran = python("-c", GUEST)
    assert ran.stdout.splitlines() == ["AuthenticationError", "[]"], ran.stderr


ALIASED = """
import asyncio, sys
import httpx2

httpx2.alias_httpx()
import httpx
from victor_ext import AsyncVictor, Victor, VictorOAuth

assert httpx is httpx2
url, auth = sys.argv[1], VictorOAuth(*sys.argv[2:])


async def awaited():
    async with AsyncVictor(auth, base_url=url) as victor:
        return [each async for each in victor.payment_requests.list()]


with httpx2.Client() as http_client:
    clients = [
        Victor(auth, base_url=url, limits=httpx.Limits()),
        Victor(auth, base_url=url, http_client=http_client),
    ]
    print([[*client.payment_requests.list()] for client in clients], asyncio.run(awaited()))
"""


@pytest.mark.slow
def test_a_program_may_put_httpx2_in_the_place_of_httpx(victor_sandbox):
    ran = python("-c", ALIASED, victor_sandbox.url, *victor_sandbox.add_oauth_client())
    assert ran.stdout.strip() == "[[], []] []", ran.stderr
