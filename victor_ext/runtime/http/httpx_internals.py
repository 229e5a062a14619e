"""The httpx clients that generated operations send with: a request that cannot be written is an error of ours."""

from __future__ import annotations

from typing import Any

import httpx

from victor_ext.errors import InvalidRequest
from victor_ext.redaction import redact_excerpt

_NOT_TO_BE_WRITTEN = (httpx.InvalidURL, ValueError, TypeError, OverflowError, RecursionError)
"""Of a text that no URL or header can hold, of a number that JSON has not, of an object of an unknown type."""


class _Writing:
    """What is said of a request that cannot be written, in both clients."""

    def build_request(self, *args: Any, **kwargs: Any) -> httpx.Request:
        """The request. Raises `InvalidRequest`."""
        client: Any = super()
        try:
            request: httpx.Request = client.build_request(*args, **kwargs)
        except _NOT_TO_BE_WRITTEN as error:
            why = redact_excerpt(str(error)) or type(error).__name__
        else:
            return request
        raise InvalidRequest(f"The request cannot be written, and nothing was sent: {why.rstrip('.')}.")


class HttpClient(_Writing, httpx.Client):
    """With blocking calls."""


class AsyncHttpClient(_Writing, httpx.AsyncClient):
    """With awaited calls."""
