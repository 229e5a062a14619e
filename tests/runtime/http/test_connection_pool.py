"""The pool without its sockets."""

from __future__ import annotations

import ssl

import httpx
import pytest

from victor_ext.runtime.core.locks import ThreadPermit
from victor_ext.runtime.http.connection_pool import ConnectionPool
from victor_ext.runtime.http.http11 import Connection
from victor_ext.runtime.http.routes import Route

ROUTE = Route(httpx.URL("https://pay.example"), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


class Idle(Connection):
    """A connection that was used, and can be used again."""

    __slots__ = ("is_aborted",)

    def __init__(self) -> None:
        super().__init__()
        self.is_aborted = False

    def begin_again(self) -> bool:
        return True

    def abort(self) -> None:
        self.is_aborted = True


class Returned(Idle):
    """One that another thread closes the pool of while it is given back."""

    __slots__ = ("pool",)

    def begin_again(self) -> bool:
        self.pool.close()
        return True


def test_none_is_kept_that_comes_back_while_the_pool_is_closed() -> None:
    pool = ConnectionPool(ROUTE, httpx.Limits(max_connections=1))
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
def test_one_that_was_just_used_serves_only_who_will_know_its_own_response(
    limits: httpx.Limits, at_once: bool, last_status: int
) -> None:
    """Nobody waits for it to rest: it is taken, left alone, or closed for a new one."""
    pool, connection = ConnectionPool(ROUTE, limits), Idle()
    connection.is_doubtful = last_status == 503
    pool.put_back(connection)
    assert ThreadPermit(pool.semaphore).acquire(1.0)
    is_taken = pool._take_kept(at_once=at_once) is connection
    assert is_taken is (at_once and last_status == 200)
    assert connection.is_aborted is (not is_taken and limits is not ROOM)
