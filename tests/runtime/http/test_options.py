"""Where connections lead, which one of the pool serves whom, and the steps of an exchange over
it.
"""

import ssl
from types import SimpleNamespace

import httpx
import pytest

from tests.cases import cases_beside
from victor_ext.runtime.core.clock import BEGUN, Timeouts
from victor_ext.runtime.core.locks import ThreadPermit
from victor_ext.runtime.http.connections import (
    Connection,
    ConnectionPool,
    Route,
    UnsolicitedData,
    _open_tunnel,
    exchange,
)
from victor_ext.runtime.http.options import proxy_for

PROXY = "http://proxy:3128"
CASES = cases_beside(__file__, "no_proxy")


def set_variables(monkeypatch, **variables):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def direct_origins():
    """Those that are called without the proxy of the environment."""
    return {url for url in CASES["origins"] if proxy_for(httpx.URL(url), None) is None}


@pytest.mark.parametrize("entries", CASES["entries"])
def test_entries_of_no_proxy_have_the_same_meaning_as_in_httpx(monkeypatch, entries):
    for variables in (
        {"NO_PROXY": entries},
        {"no_proxy": entries},
        {"NO_PROXY": "*", "no_proxy": entries},
    ):
        set_variables(monkeypatch, ALL_PROXY=PROXY, **variables)
        with httpx.Client(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as reference:
            direct = {
                url
                for url in CASES["origins"]
                if reference._transport_for_url(httpx.URL(url)) is reference._transport
            }
        assert direct_origins() == direct, variables


@pytest.mark.parametrize("entries", CASES["beyond_httpx"])
def test_entries_of_no_proxy_that_httpx_cannot_read_or_misses_are_read(monkeypatch, entries):
    set_variables(monkeypatch, ALL_PROXY=PROXY, NO_PROXY=entries)
    assert direct_origins() == {*CASES["beyond_httpx"][entries]}


TUNNELLING = httpx.Proxy("http://127.0.0.1:3128")
ORIGIN = httpx.URL("https://pay.example")


def answered(answer):
    """The connection after this answer."""
    connection = Connection()
    steps = _open_tunnel(connection, TUNNELLING, ORIGIN, {})
    next(steps)
    steps.send(None)
    with pytest.raises(StopIteration):
        steps.send(answer)
    return connection


@pytest.mark.parametrize(
    "head",
    [
        "HTTP/1.0 200 Connection established",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\nContent-Length: 5",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close",
        "HTTP/1.1 204 OK",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK",
    ],
)
def test_a_tunnel_is_open_after_any_good_status(head):
    parser = answered(f"{head}\r\n\r\n".encode()).parser
    assert parser.request("GET", b"/", [(b"Host", b"pay.example")], b"").startswith(b"GET / ")
    parser.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert (parser.body(), parser.begin_again()) == (b"", True)


@pytest.mark.parametrize(
    "head", ["HTTP/1.1 301 Moved\r\nLocation: /", "HTTP/1.1 407 Log in", "HTTP/1.1 502 No"]
)
def test_a_tunnel_that_the_proxy_refuses_is_an_error_with_its_status(head):
    with pytest.raises(httpx.ProxyError, match=head[9:12]):
        answered(f"{head}\r\nContent-Length: 0\r\n\r\n".encode())


ROUTE = Route(httpx.URL("https://pay.example"), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


class Idle(Connection):
    """A connection that was used, and can be used again."""

    is_aborted: bool = False

    def begin_again(self):
        return True

    def abort(self):
        self.is_aborted = True


class Returned(Idle):
    """One that another thread closes the pool of while it is given back."""

    pool: object = None

    def begin_again(self):
        self.pool.close()
        return True


def test_a_connection_that_comes_back_to_a_closed_pool_is_closed():
    pool = ConnectionPool(ROUTE, httpx.Limits(max_connections=1), None)
    connection = Returned()
    connection.pool = pool
    pool.put_back(connection)
    assert connection.is_aborted


ROOM = httpx.Limits(max_connections=2, max_keepalive_connections=2)
NO_OTHER_OPEN = httpx.Limits(max_connections=1, max_keepalive_connections=9)
NO_OTHER_KEPT = httpx.Limits(max_connections=9, max_keepalive_connections=1)


@pytest.mark.parametrize("limits", [ROOM, NO_OTHER_OPEN, NO_OTHER_KEPT])
@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("last_status", [200, 503])
def test_a_connection_just_used_serves_only_a_call_that_can_tell_its_own_response(
    limits, at_once, last_status
):
    """Nobody waits for it to rest: it is taken, left alone, or closed for a new one."""
    pool = ConnectionPool(ROUTE, limits, None)
    connection = Idle()
    connection.is_doubtful = last_status == 503
    pool.put_back(connection)
    assert ThreadPermit(pool.semaphore).acquire(1.0)
    is_taken = pool._take_idle(at_once=at_once) is connection
    assert is_taken is (at_once and last_status == 200)
    assert connection.is_aborted is (not is_taken and limits is not ROOM)


REQUEST = httpx.Request("POST", "https://pay.example/payments?a=1", content=b'{"amount": 1}')
WAY = Route(REQUEST.url, None)


def noted(came=None):
    """A stream that says what it is asked to do. `came` is what came before."""
    return SimpleNamespace(
        unread=lambda: came,
        read=lambda _most, timeout: ("read", timeout),
        write=lambda data, timeout: (data, timeout),
    )


def begun(came=None):
    """An exchange that has come to its first step. `came` is what came before over its
    connection.
    """
    connection = Connection(noted(came))
    steps = exchange(
        connection, REQUEST, WAY.message(connection, REQUEST), {"write": 3.0, "read": 7.0}
    )
    return connection, steps, next(steps)


def ended(steps, step):
    with pytest.raises(StopIteration) as end:
        step()
    return end.value.value


def test_a_request_is_written_in_one_piece_whose_repr_does_not_show_its_body():
    _, steps, write = begun()
    data, seconds = write()
    head, _, body = bytes(data).partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"POST /payments?a=1 HTTP/1.1"
    assert (body, seconds) == (b'{"amount": 1}', 3.0)
    assert steps.send(None)() == ("read", 7.0)
    assert "amount" not in repr(write) + repr(data)


@pytest.mark.parametrize("came", [b"HTTP/1.1 201 Created\r\n\r\n", b""], ids=["bytes", "the end"])
def test_no_request_is_written_on_a_connection_with_unread_bytes_or_an_end(came):
    """It may be a late response to an earlier request, and would be taken for that of this one."""
    _, steps, write = begun(came)
    with pytest.raises(UnsolicitedData) as caught:
        write()
    with pytest.raises(UnsolicitedData):
        steps.throw(caught.value)
    assert REQUEST.extensions[BEGUN] is False


def test_an_answer_that_came_before_the_close_is_read_though_writing_fails():
    connection, steps, _ = begun()
    assert steps.throw(httpx.WriteError("broken pipe"))() == ("read", 7.0)
    answer = ended(
        steps, lambda: steps.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
    )
    assert answer.status_code == 413
    assert connection.parser.body() == b""
    assert not connection.begin_again(), "the server may still wait for the rest of the request"


@pytest.mark.parametrize(
    "times", [(lambda: 0.0,), (lambda: 60.0, lambda: 0.0), (lambda: None, lambda: 0.0)]
)
def test_nothing_is_written_after_the_deadline_of_either_clock(times):
    """The monotonic clock, by the seconds that are left; the wall clock, by a moment."""
    connection = Connection(noted())
    steps = exchange(connection, REQUEST, memoryview(b"-"), Timeouts({"write": 3.0}, *times))
    with pytest.raises(httpx.ConnectTimeout, match="no time was left") as caught:
        next(steps)()
    with pytest.raises(httpx.ConnectTimeout):
        steps.throw(caught.value)
    assert REQUEST.extensions[BEGUN] is False


def test_a_request_that_cannot_be_written_is_the_callers_mistake():
    with pytest.raises(httpx.LocalProtocolError):
        WAY.message(Connection(), httpx.Request("GE T", REQUEST.url))


def test_a_header_that_cannot_be_written_is_known_by_the_words_of_its_error():
    """By them a call knows that nothing was sent: `_of_own_mistake` of `classification`."""
    request = httpx.Request("GET", REQUEST.url, headers={"X-Of-Their-Own": "a blank at its end "})
    with pytest.raises(httpx.LocalProtocolError, match=r"^Illegal header"):
        WAY.message(Connection(), request)
