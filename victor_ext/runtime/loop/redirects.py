"""What is sent once more as it was: the body in each attempt, and the request to the address of a redirect."""

from __future__ import annotations

import httpx

from victor_ext.errors import InvalidRequest

from .evidence import SAFE_METHODS

MAX_REDIRECTS = 5  # of one call
_ASKED = "victor_ext.asked_url"


def asked_url(request: httpx.Request) -> httpx.URL:
    """The URL that the call asked for, before any redirect: the response has to be about what that names."""
    url: httpx.URL = request.extensions.get(_ASKED, request.url)
    return url


def keep_content(request: httpx.Request) -> bool:
    """Read the body into memory, so that each attempt sends the same bytes. False for one that must be awaited.

    Raises:
        InvalidRequest: It has another length than the request says: a file that was read before, in whole or in part.
    """
    if not isinstance(request.stream, httpx.SyncByteStream):
        return False
    declared, length = request.headers.get("content-length"), len(request.read())
    if declared is not None and declared != str(length):
        raise InvalidRequest(
            f"The request cannot be sent, and nothing was sent: of its body of {declared} bytes, {length} are left to "
            "read. Pass the bytes, or a file that stands at its beginning."
        )
    return True


def redirected(request: httpx.Request, response: httpx.Response, resent: frozenset[int]) -> httpx.Request | None:
    """The request to the address that a response redirects to, within the origin: the token is for no other; else None.

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
        own = [pair for pair in request.headers.raw if not pair[0].lower().startswith((b"content-", b"transfer-"))]
        return httpx.Request("GET", url, headers=own, extensions=extensions)
    return httpx.Request(request.method, url, headers=request.headers, content=request.content, extensions=extensions)


def origin_of(url: httpx.URL) -> tuple[bytes, bytes, int | None]:
    return url.raw_scheme, url.raw_host, url.port
