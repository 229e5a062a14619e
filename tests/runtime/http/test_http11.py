"""HTTP/1.1 as steps: what is written, in how many pieces, and what is made of what is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from victor_ext.runtime.core.timeouts import Timeouts
from victor_ext.runtime.http.http11 import Connection, Read, Write, exchange
from victor_ext.runtime.http.proxies import Route

REQUEST = httpx.Request("POST", "https://pay.example/payments?a=1", content=b'{"amount": 1}')
ROUTE = Route(REQUEST.url, None)


def begun() -> tuple[Connection, Any, Write]:
    """An exchange that has come to its first step."""
    connection = Connection()
    steps = exchange(connection, REQUEST, ROUTE.message(connection, REQUEST), {"write": 3.0, "read": 7.0})
    write = next(steps)
    assert type(write) is Write
    return connection, steps, write


def ended(steps: Any, step: Callable[[], Any]) -> Any:
    with pytest.raises(StopIteration) as end:
        step()
    return end.value.value


def test_a_request_is_written_at_once() -> None:
    _, steps, write = begun()
    head, _, body = bytes(write.data).partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"POST /payments?a=1 HTTP/1.1"
    assert (body, write.seconds) == (b'{"amount": 1}', 3.0)
    read = steps.send(None)
    assert (type(read), read.seconds) == (Read, 7.0)
    assert "amount" not in repr(vars(type(write))) + repr(write.data)


def test_what_the_server_said_before_it_closed_is_read_also_when_writing_fails() -> None:
    connection, steps, _ = begun()
    assert type(steps.throw(httpx.WriteError("broken pipe"))) is Read
    answer = ended(steps, lambda: steps.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"))
    assert answer.status_code == 413
    assert connection.parser.body() == b""
    assert not connection.begin_again(), "the server may still wait for the rest of the request"


def test_nothing_is_written_after_the_deadline() -> None:
    steps = exchange(Connection(), REQUEST, memoryview(b""), Timeouts({"write": 3.0}, lambda: 0.0))
    with pytest.raises(httpx.ConnectTimeout, match="no time was left to send the request"):
        next(steps)


def test_a_request_that_cannot_be_written() -> None:
    with pytest.raises(httpx.LocalProtocolError):
        ROUTE.message(Connection(), httpx.Request("GE T", REQUEST.url))
