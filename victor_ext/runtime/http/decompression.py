"""Decompressing an answer piece by piece, and never more of it than is wanted.

The HTTP library decompresses whatever came at once, as often as the answer says it was compressed: a thousand
bytes on the wire then become gigabytes in memory before anybody can count them.
"""

from __future__ import annotations

import zlib

from victor_ext.redaction import redact_excerpt

CODINGS = "gzip, deflate"
"""What is asked for (`Accept-Encoding`), and read."""

_EITHER_HEADER = zlib.MAX_WBITS | 32
_NO_HEADER = -zlib.MAX_WBITS


class DecodingError(Exception):
    """The body cannot be decompressed; the message says why."""


class Decompressor:
    """Undoes one content coding: `gzip` or `deflate`."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_EITHER_HEADER)
        self._begun = False

    def feed(self, data: bytes, most: int) -> bytes:
        """What the next piece holds, at most so many bytes of it; the rest of a piece that holds more is lost.

        Raises:
            DecodingError: It is not compressed so.
        """
        first, self._begun = not self._begun, True
        try:
            return self._stream.decompress(data, most)
        except zlib.error as error:
            if not first:
                raise DecodingError(str(error)) from None
        # Some servers say `deflate` and leave the header away that belongs to it.
        self._stream = zlib.decompressobj(_NO_HEADER)
        try:
            return self._stream.decompress(data, most)
        except zlib.error as error:
            raise DecodingError(str(error)) from None


def decompressor_for(codings: list[str]) -> Decompressor | None:
    """What undoes these codings (the values of `Content-Encoding`); None when there are none.

    Raises:
        DecodingError: One that was not asked for, or more than one.
    """
    named = [coding for coding in (each.strip().lower() for each in codings) if coding not in ("", "identity")]
    if not named:
        return None
    if len(named) > 1:
        raise DecodingError(f"it was compressed {len(named)} times")
    if named[0] not in ("gzip", "x-gzip", "deflate"):
        raise DecodingError(f"{redact_excerpt(named[0])!r} was not asked for")
    return Decompressor()
