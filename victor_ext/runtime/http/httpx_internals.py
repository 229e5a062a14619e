"""All that this package uses of httpx beyond its public interface: two things of `httpx.Response`.

The transports, streams and connections are this package's own, over its public classes and over sockets.
"""

from __future__ import annotations

import httpx


def set_content(response: httpx.Response, content: bytes) -> None:
    """Give a response the body that was read for it, as its own `read()` does."""
    # There is no public way: a new response of the same headers costs more than all the rest of a call's reading.
    response._content = content  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def set_class(response: httpx.Response, response_class: type[httpx.Response]) -> None:
    """Make a response one of a subclass. It needs ordinary objects, without `__slots__`."""
    response.__class__ = response_class


def probe() -> None:
    """Check that both work with this release of httpx.

    Raises:
        ImportError: One does not; the message names it.
    """
    response = httpx.Response(200, stream=httpx.ByteStream(b"unread"))
    try:
        set_class(response, type("Subclass", (httpx.Response,), {}))
    except TypeError as error:
        raise ImportError(_MOVED.format(httpx.__version__, "__class__")) from error
    try:
        set_content(response, b"read")
        works = response.content == b"read" == response.read()
    except (AttributeError, httpx.ResponseNotRead):
        works = False
    if not works:
        raise ImportError(_MOVED.format(httpx.__version__, "_content"))


_MOVED = (
    "httpx {} does not let httpx.Response.{} be set any more, which responses are read with: install httpx 0.28, or a "
    "newer version of this package."
)

probe()
