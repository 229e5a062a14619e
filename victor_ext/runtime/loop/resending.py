"""What is sent once more: the body in each attempt, the request after a redirect, and another token
after the credentials were refused.
"""

from collections.abc import Callable, Container
from typing import Protocol

import httpx

from victor_ext.errors import ConfigurationError, InvalidRequest, VictorError
from victor_ext.runtime.core.clock import ServerClock
from victor_ext.runtime.core.headers import header_complaint
from victor_ext.runtime.core.response import Response

from .evidence import SAFE_METHODS
from .flow import Flow

MAX_REDIRECTS = 5  # of one call
_ASKED = "victor_ext.asked_url"


def asked_url(request: httpx.Request) -> httpx.URL:
    """The URL that the call asked for, before any redirect: the response has to be about what that
    names.
    """
    url: httpx.URL = request.extensions.get(_ASKED, request.url)
    return url


def keep_content(request: httpx.Request) -> None:
    """Read the body into memory, so that each attempt sends the same bytes.

    Raises:
        InvalidRequest: It must be awaited; or has another length than the request says: a file that
            was read before, in whole or in part.
    """
    if not isinstance(request.stream, httpx.SyncByteStream):
        raise InvalidRequest(
            "The request cannot be sent, and nothing was sent: its body must be awaited, so it can "
            "be read only once. Pass the bytes."
        )
    declared = request.headers.get("content-length")
    length = len(request.read())
    if declared is not None and declared != str(length):
        raise InvalidRequest(
            f"The request cannot be sent, and nothing was sent: of its body of {declared} bytes, "
            f"{length} are left to read. Pass the bytes, or a file that stands at its beginning."
        )


def redirected(
    request: httpx.Request, response: httpx.Response, resent: frozenset[int]
) -> httpx.Request | None:
    """The request to the address that a response redirects to, within the origin: the token is for
    no other; else None.

    A write is sent again after the statuses in `resent` only, with the same method and body.
    """
    if not response.has_redirect_location:
        return None
    if request.method not in SAFE_METHODS and response.status_code not in resent:
        return None
    try:
        url = request.url.join(response.headers["location"])
    except httpx.InvalidURL:
        return None
    if origin_of(url) != origin_of(request.url):
        return None
    extensions = {_ASKED: request.url, **request.extensions}
    if request.method == "QUERY" and response.status_code == 303:  # the result is there (RFC 10008)
        own = [
            pair
            for pair in request.headers.raw
            if not pair[0].lower().startswith((b"content-", b"transfer-"))
        ]
        return httpx.Request("GET", url, headers=own, extensions=extensions)
    return httpx.Request(
        request.method, url, headers=request.headers, content=request.content, extensions=extensions
    )


def origin_of(url: httpx.URL) -> tuple[bytes, bytes, int | None]:
    """Scheme, host and port of a URL; the port is None for the scheme's own."""
    return url.raw_scheme, url.raw_host, url.port


SIGNED = "victor_ext.signed"
"""The extension of a request with two facts of its token: whether an earlier call used it, and the
skew of the clock that it was signed by, in seconds; None for a token that somebody else issued."""


Exchange = Callable[..., Flow[Response]]
"""Sends a request of an authenticator, such as one for a token, within the deadline of the call.

With `best_effort=True`, it is tried once, for `BEST_EFFORT_SECONDS` at most."""


class Authenticator(Protocol):
    """Puts a token on each attempt."""

    def authorize(
        self, request: httpx.Request, exchange: Exchange, seconds: float | None
    ) -> Flow[None]:
        """Set the header.

        Fetch a token with `exchange` if one is needed, within `seconds` (None: no bound).
        """
        ...

    def should_retry_unauthorized(self, request: httpx.Request) -> bool:
        """After a refusal of the credentials: drop the token, and say whether another may help.

        Once in a call. See `may_be_outdated`.
        """
        ...


def may_be_outdated(request: httpx.Request, clock: ServerClock) -> bool:
    """Whether a request's token may have been revoked since an earlier call, or was signed by a
    clock that is off.
    """
    is_kept, skew = request.extensions.get(SIGNED, (False, None))
    return is_kept or (skew is not None and clock.was_corrected_since(skew))


def may_try_another_token(
    authenticator: Authenticator,
    request: httpx.Request,
    response: Response | None,
    refusing_statuses: Container[int],
) -> bool:
    """Whether to send a request once more, with another token: its response has a status that
    refuses the credentials (401 nearly everywhere), and its token may be outdated.
    """
    if response is None or response.status_code not in refusing_statuses:
        return False
    try:
        return authenticator.should_retry_unauthorized(request)
    except VictorError:
        # No other credentials can be had: the call's error is the refusal, with its outcome and
        # key.
        return False


def sendable(request: httpx.Request, authorize: Flow[None]) -> Flow[None]:
    """Authorize. Raises `ConfigurationError` when the header cannot be sent: httpx's error would
    show the token.
    """
    try:
        yield from authorize
        complaint = _authorization_complaint(request)
    except UnicodeEncodeError:  # the error holds the token
        complaint = "holds a character beyond ASCII"
    if complaint is not None:
        raise ConfigurationError(
            f"The credentials made an Authorization header that cannot be sent: it {complaint}. "
            "Check the token."
        )


def _authorization_complaint(request: httpx.Request) -> str | None:
    value = next(
        (value for name, value in request.headers.raw if name.lower() == b"authorization"), None
    )
    return None if value is None else header_complaint(value)
