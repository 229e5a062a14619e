"""Headers and bodies of the last calls, for the page. They are kept in memory only, and are redacted when shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from victor_ext.sandbox.server.response import Response

Header = tuple[bytes, bytes]

_KEPT = 200
_LARGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Content:
    """What one call said, and what it was answered; of a body over 64 KiB, its beginning."""

    headers: tuple[Header, ...]
    body: bytes
    response: Response | None
    """None: there was no response. It is kept as it was made, also when a fault kept it from arriving."""


class ContentLog:
    """The contents of the last calls by their number in the record."""

    def __init__(self) -> None:
        self._kept: dict[int, Content] = {}

    def keep(self, number: int, headers: Iterable[Header], body: bytes, response: Response | None) -> None:
        """Keep the content of a call, and forget that of the oldest one."""
        self._kept[number] = Content(tuple(headers), body[:_LARGEST], response)
        if len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]

    def keep_bytes(self, number: int, request: bytes) -> None:
        """Keep a request that was cut off, as far as it came."""
        head, _, body = request.partition(b"\r\n\r\n")
        fields = [line.partition(b":") for line in head.split(b"\r\n")[1:]]
        self.keep(number, [(name.lower(), value.strip()) for name, colon, value in fields if colon], body, None)

    def get(self, number: int) -> Content | None:
        """The content of one call, while it is remembered."""
        return self._kept.get(number)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
