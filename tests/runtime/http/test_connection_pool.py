"""The pool without its sockets."""

from __future__ import annotations

import ssl

import httpx

from victor_ext.runtime.http.connection_pool import ConnectionPool
from victor_ext.runtime.http.http11 import Connection
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
