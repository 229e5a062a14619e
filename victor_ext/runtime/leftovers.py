"""What a server sent after the end of an answer, on the same connection: never an answer to the next request.

The HTTP library takes such bytes for the answer to whatever is sent next on that connection. So a server (or a
proxy in front of it) that answers twice would have a call be told what belongs to another: that it was done, say,
when it was not. Such a connection is given up instead.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx


def watch(response: httpx.Response) -> None:
    """Have the connection of an answer given up when more came than the answer. To be called before it is read."""
    stream = response.stream
    if _parser_of(stream) is None:
        return
    response.stream = _Watched(stream) if isinstance(stream, httpx.SyncByteStream) else _AsyncWatched(stream)


class _Watched(httpx.SyncByteStream):
    """The body of an answer; looks at what is left when it has been read, before the connection is free again."""

    def __init__(self, stream: httpx.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream
        _give_up_if_more_came(self._stream)

    def close(self) -> None:
        self._stream.close()


class _AsyncWatched(httpx.AsyncByteStream):
    """The same, awaited."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield chunk
        _give_up_if_more_came(self._stream)

    async def aclose(self) -> None:
        await self._stream.aclose()


def _give_up_if_more_came(stream: object) -> None:
    parser = _parser_of(stream)
    if parser is not None and parser.trailing_data[0]:
        # The parser's own way of saying that this connection cannot go on: it is closed, and not used again.
        parser.send_failed()


def _parser_of(stream: Any) -> Any:
    """The h11 connection under a body of httpx's own transports; None under any other."""
    # Neither httpx nor httpcore has a public way there. A test over real sockets turns red when this one is gone.
    for name in ("_httpcore_stream", "_stream", "_connection", "_h11_state"):
        stream = getattr(stream, name, None)
        if stream is None:
            return None
    return stream
