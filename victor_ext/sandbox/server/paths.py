"""The paths that are the sandbox's own, and not the provider's."""

from __future__ import annotations

CONTROL = "/_sandbox"
PAGE = "/"
DOCS = "/docs"


def is_control(path: str) -> bool:
    """Whether a path belongs to the control API."""
    return path == CONTROL or path.startswith(CONTROL + "/")


def is_page(method: str, path: str) -> bool:
    """Whether a call is for one of the pages, unless a provider has an operation there."""
    return method in ("GET", "HEAD") and path in (PAGE, DOCS)
