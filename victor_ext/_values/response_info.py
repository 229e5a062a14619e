"""What a record, a page or an error says of the response that it was made from."""

from collections.abc import Callable

import httpx

from victor_ext._values.opaque import Opaque

__all__ = ("ResponseInfo",)


class ResponseInfo(Opaque):
    """The response of a call without its body: what to write to a log, and to quote to the
    provider's support.

    Of a call that makes several requests, it is that of the last one. Records, pages of a list and
    errors have it; it is None if no response came, and for what no call returned, such as a
    notification. Records that differ only in it are equal.

    Attributes:
        status_code: The HTTP status.
        headers: The headers, without cookies.
        attempts: The number of times that the call was sent.
    """

    status_code: int
    headers: httpx.Headers
    attempts: int
    _names: tuple[str, ...] = ()  # headers that may carry the provider's id of the exchange
    _request_id: str | None = None  # it, if none of them does
    _shown: Callable[[str], str] = str  # what of it is shown

    @property
    def request_id(self) -> str | None:
        """The provider's id of the exchange, or None."""
        in_headers = (self.headers[name] for name in self._names if name in self.headers)
        id = next(in_headers, self._request_id)
        return None if id is None else self._shown(id)

    def __repr__(self) -> str:
        shown = (
            f"status_code={self.status_code}, request_id={self.request_id!r}, "
            f"attempts={self.attempts}"
        )
        return f"{type(self).__name__}({shown})"
