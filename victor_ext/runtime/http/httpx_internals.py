"""All that this package uses of httpx beyond its public interface: two things of `httpx.Response`, one of `httpx.URL`.

The transports, streams and connections are this package's own, over its public classes and over sockets.
"""

from __future__ import annotations

import re

import httpx

_AS_IT_IS = re.compile(r"(/[\w.~!$&'()*+,;=:@/%-]*)(?:\?([\w.~!$&'()*+,;=:@/?%-]*))?", re.ASCII)
"""A path, and perhaps a query, in which httpx leaves every character as it is (RFC 3986, 3.3 and 3.4)."""

_LONGEST = 4096
"""Characters. A longer one goes to httpx, which has a limit."""


def url_below(base: httpx.URL, target: str) -> httpx.URL:
    """The URL of a path and a query below a base URL, as `httpx.URL` reads the text of both: `base` and `target`.

    To read it takes a tenth of a call's time. Where all of `target` is usual, the base's parts are taken over unread.

    Args:
        base: It has no query.
        target: Begins with a slash.

    Raises:
        httpx.InvalidURL: They make no URL.
    """
    usual = _AS_IT_IS.fullmatch(target) if len(target) <= _LONGEST and "/." not in target else None
    if usual is None:
        return httpx.URL(str(base).removesuffix("/") + target)
    path, query = usual.groups()
    parts = base._uri_reference  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    url = httpx.URL.__new__(httpx.URL)
    path = parts.path.removesuffix("/") + path
    url._uri_reference = parts._replace(path=path, query=query)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return url


def set_content(response: httpx.Response, content: bytes) -> None:
    """Give a response the body that was read for it, as its own `read()` does."""
    # There is no public way: a new response of the same headers costs more than all the rest of a call's reading.
    response._content = content  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def set_class(response: httpx.Response, response_class: type[httpx.Response]) -> None:
    """Make a response one of a subclass. It needs ordinary objects, without `__slots__`."""
    response.__class__ = response_class


def transports_of(client: httpx.Client | httpx.AsyncClient) -> list[object]:
    """The transports of a client, those of its mounts too. None, with a release of httpx that has moved them."""
    mounts: dict[object, object] = getattr(client, "_mounts", {})
    return [getattr(client, "_transport", None), *mounts.values()]


def probe() -> None:
    """Check that they work with this release of httpx.

    Raises:
        ImportError: One does not; the message names it.
    """
    response = httpx.Response(200, stream=httpx.ByteStream(b"unread"))
    try:
        set_class(response, type("Subclass", (httpx.Response,), {}))
    except TypeError as error:
        raise ImportError(_MOVED.format(httpx.__version__, "Response.__class__")) from error
    try:
        set_content(response, b"read")
        works = response.content == b"read" == response.read()
    except (AttributeError, httpx.ResponseNotRead):
        works = False
    if not works:
        raise ImportError(_MOVED.format(httpx.__version__, "Response._content"))
    whole = httpx.URL("https://api.example/v1/a%20b?c=d")
    try:
        works = url_below(httpx.URL("https://api.example/v1/"), "/a%20b?c=d") == whole
    except AttributeError:
        works = False
    if not works:
        raise ImportError(_MOVED.format(httpx.__version__, "URL._uri_reference"))


_MOVED = (
    "httpx {} does not let httpx.{} be set any more, which calls are made with: install httpx 0.28, or a newer version "
    "of this package."
)

probe()
