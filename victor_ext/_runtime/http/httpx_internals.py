"""What this package knows of the inside of httpx, beyond its public interface.

`SENDING` says whether httpx still sends with its own parts. A mock or a tracer replaces or wraps
one of them: respx and vcrpy those of httpcore, respx and pook `_transport_for_url`, pytest-httpx
and OpenTelemetry those of httpx's transports, Sentry and Datadog `Client.send`, AWS X-Ray the
clients. It is meant for this client too, so its calls then go through httpx. Each attempt looks.

Behind it stand the URLs of httpx. Where a release of httpx has moved such a part, the package does
without.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from operator import is_
from types import FunctionType
from typing import Any

import httpcore
import httpx

_LONGEST = 4096  # characters of a target; a longer one goes to httpx, which has a limit


class Functions:
    """Classes of a library, and functions of its classes, by their owners and names."""

    def __init__(self, *places: tuple[Any, str]) -> None:
        self._owners = [owner for owner, _ in places]
        self._names = [name for _, name in places]
        self._own: Sequence[object] = ()

    def are_replaced(self) -> bool:
        """Whether one of them is not the library's own: also if somebody had replaced it before
        this package was imported, and not if it has been put back.
        """
        # One look at all of them runs no Python.
        if self._own and all(map(is_, map(getattr, self._owners, self._names), self._own)):
            return False
        now = [*map(getattr, self._owners, self._names)]
        self._own = now if all(map(_is_own, now)) else ()
        return not self._own


def _is_own(part: object) -> bool:
    """Whether the code of a function or a class stands in httpx or httpcore. (A function that wraps
    another one may bear its name and its module.)
    """
    if type(part) is FunctionType:
        module = str(part.__globals__["__name__"])
    else:
        module = part.__module__ if type(part) is type else ""
    return module.partition(".")[0] in ("httpx", "httpcore")


_CLIENTS = (httpx.Client, httpx.AsyncClient)
SENDING = Functions(
    (httpx, "Client"),
    (httpx, "AsyncClient"),
    *product(_CLIENTS, ("send", "_send_single_request", "_transport_for_url")),
    (httpx.HTTPTransport, "handle_request"),
    (httpx.AsyncHTTPTransport, "handle_async_request"),
    (httpcore.ConnectionPool, "handle_request"),
    (httpcore.AsyncConnectionPool, "handle_async_request"),
    (httpcore.HTTPConnection, "handle_request"),
    (httpcore.AsyncHTTPConnection, "handle_async_request"),
)
"""What httpx sends with."""
REQUESTING = Functions(*product(_CLIENTS, ("request",)))
"""`request` of httpx's clients."""


def url_below(base: httpx.URL, target: str) -> httpx.URL:
    """The URL of a target (a path, perhaps with a query) below a base URL, as `httpx.URL` reads the
    text of both.

    To read the text takes a tenth of a call's time. Where httpx would leave all of the target as it
    is, the parts of the base are taken over unread. The base has no query, and the target begins
    with a slash. Raises `httpx.InvalidURL`.
    """
    match = None
    if len(target) <= _LONGEST and "/." not in target:  # httpx resolves `.` and `..`
        match = _AS_IT_IS.fullmatch(target)
    if match is None:
        return httpx.URL(str(base).removesuffix("/") + target)
    return _with_target(base, *match.groups())


def _with_target(base: httpx.URL, path: str, query: str | None) -> httpx.URL:
    """The base URL with a path appended to its own, and with a query; neither is read."""
    parts = base._uri_reference  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    url = httpx.URL.__new__(httpx.URL)
    path = parts.path.removesuffix("/") + path
    replaced = parts._replace(path=path, query=query)
    url._uri_reference = replaced  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return url


def _can_append() -> bool:
    """Whether `_with_target` is right with this release of httpx."""
    try:
        url = _with_target(httpx.URL("https://api.example/v1/"), "/a%20b", "c=d")
    except AttributeError:
        return False
    return url == httpx.URL("https://api.example/v1/a%20b?c=d")


_NOTHING = "(?!)"
_AS_IT_IS = re.compile(
    r"(/[\w.~!$&'()*+,;=:@/%-]*)(?:\?([\w.~!$&'()*+,;=:@/?%-]*))?" if _can_append() else _NOTHING,
    re.ASCII,
)
"""A path, and perhaps a query, in which httpx leaves every character as it is (RFC 3986, 3.3 and
3.4).
"""
