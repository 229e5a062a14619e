"""The pool without its sockets."""

from __future__ import annotations

import ssl

import httpx
import pytest

from victor_ext.runtime.http.connection_pool import ConnectionPool
from victor_ext.runtime.http.http11 import Connection
from victor_ext.runtime.http.locks import ThreadPermit
from victor_ext.runtime.http.routes import Route

ROUTE = Route(httpx.URL("https://pay.example"), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


class Returned(Connection):
    """A connection that another thread closes the pool of while it is given back."""

    __slots__ = ("is_aborted", "pool")

    def __init__(self, pool: ConnectionPool) -> None:
        super().__init__()
        self.pool, self.is_aborted = pool, False

    def begin_again(self) -> bool:
        self.pool.close()
        return True

    def abort(self) -> None:
        self.is_aborted = True


def test_none_is_kept_that_comes_back_while_the_pool_is_closed() -> None:
    pool = ConnectionPool(ROUTE, httpx.Limits(max_connections=1))
    connection = Returned(pool)
    pool.put_back(connection)
    assert connection.is_aborted


class Idle(Connection):
    """A connection that was used, and can be used again."""

    def begin_again(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("limits", "is_taken"),
    [
        pytest.param(httpx.Limits(max_connections=2, max_keepalive_connections=2), False, id="there may be another"),
        pytest.param(httpx.Limits(max_connections=1, max_keepalive_connections=9), True, id="no other may be open"),
        pytest.param(httpx.Limits(max_connections=9, max_keepalive_connections=1), True, id="no other would be kept"),
    ],
)
def test_one_that_has_not_rested_is_taken_where_no_other_may_be(limits: httpx.Limits, is_taken: bool) -> None:
    pool, connection = ConnectionPool(ROUTE, limits), Idle()
    pool.put_back(connection)
    assert ThreadPermit(pool.semaphore).acquire(1.0)
    assert (pool._take_kept(rested=True) is connection) is is_taken
