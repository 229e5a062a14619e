"""Bodies of requests that are not bytes yet: files and iterators, which a second attempt could not read again."""

from __future__ import annotations

import httpx

from victor_ext.errors import InvalidRequest


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
