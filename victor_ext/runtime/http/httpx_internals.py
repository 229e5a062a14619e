"""All that this package uses of httpx beyond its public interface.

Where a release of httpx has moved such a part, the package does without.
"""

import re

import httpx

_LONGEST = 4096  # characters of a target; a longer one goes to httpx, which has a limit


def url_below(base: httpx.URL, target: str) -> httpx.URL:
    """The URL of a target (a path, perhaps with a query) below a base URL, as `httpx.URL` reads the
    text of both.

    To read the text takes a tenth of a call's time. Where httpx would leave all of the target as it
    is, the parts of the base are taken over unread. The base has no query, and the target begins
    with a slash. Raises `httpx.InvalidURL`.
    """
    match = None
    if len(target) <= _LONGEST and "/." not in target:  # httpx resolves `.` and `..`
        match = _AS_IT_IS.fullmatch(target)
    if match is None:
        return httpx.URL(str(base).removesuffix("/") + target)
    return _with_target(base, *match.groups())


def _with_target(base: httpx.URL, path: str, query: str | None) -> httpx.URL:
    """The base URL with a path appended to its own, and with a query; neither is read."""
    parts = base._uri_reference  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    url = httpx.URL.__new__(httpx.URL)
    path = parts.path.removesuffix("/") + path
    replaced = parts._replace(path=path, query=query)
    url._uri_reference = replaced  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return url


def _can_append() -> bool:
    """Whether `_with_target` is right with this release of httpx."""
    try:
        url = _with_target(httpx.URL("https://api.example/v1/"), "/a%20b", "c=d")
    except AttributeError:
        return False
    return url == httpx.URL("https://api.example/v1/a%20b?c=d")


def transports_of(client: object) -> list[object]:
    """The transports of a client of httpx or httpx2, those of its mounts included.

    With a release that has moved them, the only item is None.
    """
    mounts: dict[object, object] = getattr(client, "_mounts", {})
    return [getattr(client, "_transport", None), *mounts.values()]


_NOTHING = "(?!)"
_AS_IT_IS = re.compile(
    r"(/[\w.~!$&'()*+,;=:@/%-]*)(?:\?([\w.~!$&'()*+,;=:@/?%-]*))?" if _can_append() else _NOTHING,
    re.ASCII,
)
"""A path, and perhaps a query, in which httpx leaves every character as it is (RFC 3986, 3.3 and
3.4).
"""
