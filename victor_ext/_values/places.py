"""Which addresses of a provider are one place: whom stored calls, rows and accounts belong to."""

import httpx

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def place_of(url: str | httpx.URL) -> str:
    """The place of a URL, which is the URL itself. All sandboxes on this machine are one place,
    because their ports change.
    """
    is_here = httpx.URL(url).host in _LOOPBACK
    return "this machine" if is_here else str(url).rstrip("/")
