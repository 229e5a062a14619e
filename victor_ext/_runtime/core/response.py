"""Reading the whole body of a response, within a limit on its size and time.

`ReceivedBody` takes the pieces and says what is wrong; `read` and `aread` feed it, in either mode;
`Response` is the result.
"""

from __future__ import annotations

import codecs
import math
import zlib
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Any

import httpx

from victor_ext._privacy import SecretBuffer, SecretBytes, body_of, one_line, redact_excerpt
from victor_ext._runtime.core.clock import monotonic
from victor_ext._runtime.core.json_values import parsed
from victor_ext._values.response_info import ResponseInfo
from victor_ext.errors import VictorError

_MOST_OBJECTS = 100_000  # a page of 1,000 payments has a tenth of it
_KEPT_BYTES = 100_000  # of a body with more of them
MAX_RESPONSE_BYTES = 4 * 1024 * 1024
"""The longest body that is read, after decompression, unless the client sets `max_response_bytes`:
a page of a thousand payment requests has about 1 MiB, and JSON of 32 MiB becomes 800 MiB of
objects."""

CODING = "gzip"
"""The content coding that is asked for (`Accept-Encoding`) and read."""

_GZIP = zlib.MAX_WBITS | 16

# Of JSON, and of text. A codec is imported when it is first looked up, and a call imports nothing.
for _encoding in (
    "utf-8-sig",
    *(f"utf-{bits}{end}" for bits in (16, 32) for end in ("", "-le", "-be")),
    "iso-8859-1",
):
    codecs.lookup(_encoding)

_UNPARSED = object()

NOT_READ: Any = object()
"""The value of `Response.parsed` before a generated parser has read the response."""

OPERATION = "victor_ext.operation"
"""The extension of a request with its `Operation`, the row in the table of its system."""

TELLS_ITS_END = "victor_ext.tells_its_end"
"""The extension of a response whose stream raises `ClosedWithoutNotice`. With a transport that does
not, a body that was cut looks like a body that has ended.
"""


class ClosedWithoutNotice(httpx.ReadError):
    """A TLS connection was closed without a closure alert, perhaps by somebody on the way (RFC
    8446, 6.1).
    """


class Response(httpx.Response):
    """A response that has been read, and whose JSON is parsed at most once, for the loop and the
    generated code.
    """

    damage: str | None = None  # why the body is not what was sent (bad compression, too long)
    too_long: bool = False  # than the limit, so that another attempt would bring the same
    is_secret: bool = False  # the body is read as `SecretObject`s
    header_names: AbstractSet[bytes] = frozenset()  # in lower case, as they came
    attempts: int  # of the call, when it has ended
    request_id_headers: tuple[str, ...] = ()  # those of the `Behaviour`
    request_id_in_body: Callable[[Response], str | None] | None = None  # that of the `Behaviour`
    # what the generated parser made of the body; `NOT_READ` where the attempt loop did not call it
    parsed: Any = NOT_READ
    unusable: Callable[[Response, str], VictorError] | None = None
    """Makes the error of the call from the response and the reason, for code above the loop that
    cannot use it.
    """
    whole: bytes | bytearray | None = None
    """The body as it was read, which `content` copies where these are secret bytes (see
    `_privacy.body_of`).
    """
    _parsed: Any = _UNPARSED

    @property
    def content(self) -> bytes:
        return super().content if self.whole is None else bytes(self.whole)

    def read(self) -> bytes:
        return super().read() if self.whole is None else bytes(self.whole)

    async def aread(self) -> bytes:
        return await super().aread() if self.whole is None else bytes(self.whole)

    def info(self) -> ResponseInfo:
        """What a record keeps of the response. It does not refer to the response, whose request
        holds a token.
        """
        read = self.request_id_in_body
        request_id = None if read is None else read(self)
        return ResponseInfo(
            self.status_code,
            self.headers,
            self.attempts,
            self.request_id_headers,
            request_id,
            one_line,
        )

    def json(self, **kwargs: Any) -> Any:
        """The body as JSON.

        Raises `ValueError` where the body is not JSON, is nested too deeply to read, or was cut.
        """
        if self.too_long:
            raise ValueError(self.damage)
        if kwargs:
            return parsed(body_of(self), **kwargs)
        if self._parsed is _UNPARSED:
            self._parsed = parsed(body_of(self), is_secret=self.is_secret)
        return self._parsed


def read(body: ReceivedBody) -> Response:
    """Read the whole body, and return its response.

    Raises httpx's errors when the connection breaks, or when the body is not complete in time.
    """
    if body.was_read():
        return body.whole()
    try:
        for chunk in body.response.iter_raw():
            if not body.take(chunk):
                break
    except ClosedWithoutNotice as error:
        body.end_with(error)
    finally:
        body.response.close()
    return body.whole()


async def aread(body: ReceivedBody) -> Response:
    """Read the whole body with awaited calls, and return its response. The errors are those of
    `read`.
    """
    if body.was_read():
        return body.whole()
    try:
        async for chunk in body.response.aiter_raw():
            if not body.take(chunk):
                break
    except ClosedWithoutNotice as error:
        body.end_with(error)
    finally:
        await body.response.aclose()
    return body.whole()


class ReceivedBody:
    """The part of a body that was received, up to `most` bytes, and its response.

    `began` and `ends` are monotonic times: when the request was sent, and until when the body has
    to be complete.
    """

    def __init__(
        self,
        response: httpx.Response,
        request: httpx.Request,
        began: float,
        ends: float | None,
        most: int,
    ) -> None:
        # The class of a response that the transport made is changed in place: a copy would cost
        # more than all the rest here.
        response.__class__ = Response
        assert isinstance(response, Response)
        response.request = request
        response.is_secret = getattr(request.extensions.get(OPERATION), "is_secret", False)
        # The words behind the status are anybody's, of any length, and the repr of a response shows
        # them. Without them it shows those of the standard.
        response.extensions.pop("reason_phrase", None)
        # Looked up here: each look into the headers of httpx goes through all of them.
        names = response.header_names = {name.lower() for name, _ in response.headers.raw}
        if b"set-cookie" in names:
            # httpx would send the cookie with every later call. No call may depend on an earlier
            # one, and with a cookie that is not ASCII no later request could be built.
            del response.headers["set-cookie"]
        self.response = response
        self._limit = most
        self._began = began
        self._ends = math.inf if ends is None else ends
        self._content = SecretBuffer()
        # why the body may not be whole, unless it is JSON that can be parsed
        self._doubt: str | None = None
        # httpx decompresses whole pieces, as often as the response says it was compressed: a
        # thousand bytes could become gigabytes in memory before anything counts them.
        self._decompressor: Any = None
        if b"content-encoding" in names:
            values = response.headers.get_list("content-encoding", split_commas=True)
            words = [value.strip().lower() for value in values]
            codings = [word for word in words if word not in ("", "identity")]
            if codings in ([CODING], ["x-gzip"]):
                self._decompressor = zlib.decompressobj(_GZIP)
            elif codings:  # the body is read as it is: a message may quote it
                self._cannot_be_decompressed(
                    f"{redact_excerpt(', '.join(codings))!r} was not asked for"
                )

    def was_read(self) -> bool:
        """Whether the body was read before, by a caller's transport or by a hook; then take its
        bytes.

        Raises `httpx.ReadError` where the bytes were not kept.
        """
        if not self.response.is_stream_consumed:
            return False
        try:
            content = SecretBuffer(self.response.content)
        except httpx.StreamError as error:
            raise httpx.ReadError(
                "its body was already consumed", request=self.response.request
            ) from error
        if len(content) > self._limit:
            self._is_too_long()
        self._content = content
        self._decompressor = None
        return True

    def take(self, chunk: bytes) -> bool:
        """Keep a piece of the body as it was received. Returns False when no more is to be read."""
        if monotonic() > self._ends:
            raise httpx.ReadTimeout(
                "the response did not end in time", request=self.response.request
            )
        if self._decompressor is not None:
            if self._decompressor.eof:  # zlib would keep what follows, without a limit
                self._doubt = _FOLLOWED
                return False
            try:
                chunk = SecretBytes(
                    self._decompressor.decompress(chunk, self._limit - len(self._content) + 1)
                )
            except zlib.error as error:
                self._cannot_be_decompressed(str(error))
                return False
            if self._decompressor.unused_data:
                self._doubt = _FOLLOWED
            else:
                self._doubt = None if self._decompressor.eof else _CUT
        if len(self._content) + len(chunk) > self._limit:
            self._is_too_long()
            return False
        self._content += chunk
        return True

    def end_with(self, error: ClosedWithoutNotice) -> None:
        """Note that the connection was closed. Raises the error where the body itself says where it
        ends, and has not ended.
        """
        if not self._ends_with_connection():
            raise error
        if self._decompressor is None:  # a compressed body says itself where it ends
            self._doubt = _NO_NOTICE

    def _ends_with_connection(self) -> bool:
        """Whether the end of the connection is that of the body (RFC 9112, 6.3)."""
        response = self.response
        if response.status_code in (204, 304) or response.request.method == "HEAD":
            return False
        return response.header_names.isdisjoint((b"content-length", b"transfer-encoding"))

    def _is_too_long(self) -> None:
        self.response.damage = f"its body is longer than {self._limit} bytes (max_response_bytes)"
        self.response.too_long = True

    def whole(self) -> Response:
        """The response with the body that was received, and with what is wrong as its `damage`."""
        content = self._content
        response = self.response
        if len(content) > _MOST_OBJECTS:
            beginnings = content.count(b"{") + content.count(b"[")
            if beginnings > _MOST_OBJECTS:
                # Each becomes an object of Python, and in a list a record: four kilobytes of gzip
                # would fill the memory.
                response.damage = f"its body has more than {_MOST_OBJECTS} objects and lists"
                del content[_KEPT_BYTES:]
        response.whole = content
        response.elapsed = timedelta(seconds=monotonic() - self._began)
        if TELLS_ITS_END not in response.extensions and self._doubt is None and self._may_be_cut():
            self._doubt = _NO_NOTICE
        if self._doubt is not None and response.damage is None and not _is_whole_json(response):
            response.damage = self._doubt
        return response

    def _may_be_cut(self) -> bool:
        """Whether the body ended with a TLS connection of whose end nothing is known (RFC 9112,
        9.8).
        """
        is_tls = self.response.request.url.scheme == "https"
        version: bytes = self.response.extensions.get("http_version", b"")
        return (
            is_tls
            and version.startswith(b"HTTP/1")
            and self._decompressor is None
            and self._ends_with_connection()
        )

    def _cannot_be_decompressed(self, why: str) -> None:
        self.response.damage = f"its body cannot be decompressed ({why})"


_CUT = "its body cannot be decompressed (its end is missing)"
_FOLLOWED = "something follows its compressed body"
_NO_NOTICE = (
    "the connection may have been cut: its end, which is that of the body, came without notice"
)


def _is_whole_json(response: Response) -> bool:
    """Whether the body is a JSON object or list, which themselves say where they end."""
    try:
        return isinstance(response.json(), dict | list)
    except ValueError:
        return False
