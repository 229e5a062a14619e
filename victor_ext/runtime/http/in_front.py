"""Whether somebody stands in front of httpx: a mock, a guard against the network, or a tracer.

Each of them replaces or wraps a method of httpx, or of httpcore below it, for the whole process: respx and vcrpy those
of httpcore (respx by wish one of `Client`), pytest-httpx and OpenTelemetry those of the transports, Sentry and Datadog
`Client.send`. What they mean for httpx, they mean for every client over it.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

import httpcore
import httpx


class Methods:
    """Methods of a library that others may replace.

    Args:
        named: Their classes and names. One that the library does not have is watched all the same.
    """

    def __init__(self, *named: tuple[type, str]) -> None:
        self._originals = [(owner, name, _original(owner, name)) for owner, name in named]

    def are_replaced(self) -> bool:
        """Whether one of them is no more the library's own."""
        for owner, name, original in self._originals:  # noqa: SIM110 - `any` costs eight calls more, at each attempt
            if getattr(owner, name, None) is not original:
                return True
        return False


def _original(owner: type, name: str) -> Any:
    """The method, or what equals nothing if it has been replaced already. (A wrapper may have its name and module.)"""
    method = getattr(owner, name, None)
    module = method.__globals__.get("__name__", "") if isinstance(method, FunctionType) else ""
    is_own = module.partition(".")[0] == owner.__module__.partition(".")[0]
    return method if is_own or method is None else object()


BLOCKING = Methods(
    (httpx.Client, "send"),
    (httpx.Client, "_transport_for_url"),
    (httpx.Client, "_send_handling_auth"),
    (httpx.Client, "_send_handling_redirects"),
    (httpx.Client, "_send_single_request"),
    (httpx.HTTPTransport, "handle_request"),
    (httpcore.ConnectionPool, "handle_request"),
    (httpcore.HTTPConnection, "handle_request"),
    (httpcore.SyncBackend, "connect_tcp"),
)
AWAITED = Methods(
    (httpx.AsyncClient, "send"),
    (httpx.AsyncClient, "_transport_for_url"),
    (httpx.AsyncClient, "_send_handling_auth"),
    (httpx.AsyncClient, "_send_handling_redirects"),
    (httpx.AsyncClient, "_send_single_request"),
    (httpx.AsyncHTTPTransport, "handle_async_request"),
    (httpcore.AsyncConnectionPool, "handle_async_request"),
    (httpcore.AsyncHTTPConnection, "handle_async_request"),
    (httpcore.AnyIOBackend, "connect_tcp"),
)
