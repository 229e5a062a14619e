"""Reading an answer whole, once, within a limit."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx

from .decompression import DecodingError, Decompressor, decompressor_for

if TYPE_CHECKING:
    from victor_ext.errors import VictorError

MAX_ANSWER_BYTES = 32 * 1024 * 1024
"""The longest body that is read, after decompression (32 MiB). A page of a thousand requests has about one."""

_UNPARSED = object()


class Response(httpx.Response):
    """A response that has been read, and whose JSON is parsed at most once.

    The attempt loop has to parse the body to know whether it can be read, and the generated code asks for
    the same JSON again: `json()` gives it the object that is there already.

    Attributes:
        damage: Why the body is not what was sent (bad compression, too long), or None when it is whole.
        too_long: Whether the body went beyond the limit, so that asking again would bring the same.
        attempts: After how many attempts of the call it came.
        unusable: Makes the error of the call, for those above the attempt loop who find that they cannot use the
            answer after all, from the answer and a few words.
    """

    damage: str | None = None
    too_long: bool = False
    attempts: int = 1
    unusable: Callable[[Response, str], VictorError] | None = None
    _parsed: Any = _UNPARSED

    def json(self, **kwargs: Any) -> Any:
        """The body as JSON.

        Raises:
            ValueError: It is not JSON, or is nested too deeply to read.
        """
        if kwargs:
            return super().json(**kwargs)
        if self._parsed is _UNPARSED:
            try:
                self._parsed = json.loads(self.content)
            except RecursionError:
                raise ValueError("the JSON is nested too deeply") from None
        return self._parsed


def read(response: httpx.Response, request: httpx.Request, *, ends: float | None = None) -> Response:
    """Read the whole body, up to `MAX_ANSWER_BYTES`.

    Raises httpx's errors when the connection breaks, or when there is more of it at the moment that it `ends` (by
    the monotonic clock): one piece of the wire may hold thousands of chunks, which no time-out of a socket counts.
    """
    body = _Body(response, request, ends)
    if body.is_here:
        return body.answer
    try:
        for chunk in body.answer.iter_raw():
            if not body.take(chunk):
                break
    finally:
        body.answer.close()
    return body.whole()


async def aread(response: httpx.Response, request: httpx.Request, *, ends: float | None = None) -> Response:
    """The same, awaited."""
    body = _Body(response, request, ends)
    if body.is_here:
        return body.answer
    try:
        async for chunk in body.answer.aiter_raw():
            if not body.take(chunk):
                break
    finally:
        await body.answer.aclose()
    return body.whole()


class _Body:
    """The body so far, and the answer that it will belong to."""

    def __init__(self, response: httpx.Response, request: httpx.Request, ends: float | None) -> None:
        # The transport made the response; only what `json()` does is to be different. A copy would cost
        # more than all the rest of this module.
        response.__class__ = Response
        assert isinstance(response, Response)  # noqa: S101 - tells the type checkers what that line did
        response.request = request
        if "set-cookie" in response.headers:
            # httpx would send it with every later call. No call is to depend on an earlier one, and a cookie that is
            # not ASCII would have all of them fail while they are being built.
            del response.headers["set-cookie"]
        self.answer = response
        self._limit = MAX_ANSWER_BYTES
        self._ends = math.inf if ends is None else ends
        self._parts: list[bytes] = []
        self._size = 0
        self._decompressor: Decompressor | None = None
        if "content-encoding" in response.headers:
            self._undo(response.headers.get_list("content-encoding", split_commas=True))

    @property
    def is_here(self) -> bool:
        """Whether there is nothing to read: a transport of the caller's own may answer with a body at once."""
        return self.answer.is_stream_consumed

    def take(self, chunk: bytes) -> bool:
        """Keep a piece as it came off the wire; False when nothing more is to be read."""
        if time.monotonic() > self._ends:
            raise httpx.ReadTimeout("the answer goes on and on", request=self.answer.request)
        if self._decompressor is not None:
            try:
                chunk = self._decompressor.feed(chunk, self._limit - self._size + 1)
            except DecodingError as error:
                self._cannot_be_decompressed(error)
                return False
        self._size += len(chunk)
        if self._size > self._limit:
            self.answer.damage = f"its body is longer than {self._limit} bytes"
            self.answer.too_long = True
            return False
        self._parts.append(chunk)
        return True

    def whole(self) -> Response:
        # What httpx's own `read()` leaves behind, so that everyone after us finds the body there.
        self.answer._content = b"".join(self._parts)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - no public way
        return self.answer

    def _undo(self, codings: list[str]) -> None:
        try:
            self._decompressor = decompressor_for(codings)
        except DecodingError as error:
            self._cannot_be_decompressed(error)  # and is read as it is: it may say something all the same

    def _cannot_be_decompressed(self, error: DecodingError) -> None:
        self.answer.damage = f"its body cannot be decompressed ({error})"
