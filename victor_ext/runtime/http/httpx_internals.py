"""All that this package uses of httpx beyond its public interface.

It does without where a release has moved it.
"""

import re

import httpx

_LONGEST = 4096  # characters; a longer one goes to httpx, which has a limit


def url_below(base: httpx.URL, target: str) -> httpx.URL:
    """The URL of a path and a query below a base URL, as `httpx.URL` reads the text of both: `base`
    and `target`.

    To read it takes a tenth of a call's time. Where all of `target` is usual, the base's parts are
    taken over unread. The base has no query, and the target begins with a slash. Raises
    `httpx.InvalidURL`.
    """
    usual = _AS_IT_IS.fullmatch(target) if len(target) <= _LONGEST and "/." not in target else None
    return (
        httpx.URL(str(base).removesuffix("/") + target)
        if usual is None
        else _appended(base, *usual.groups())
    )


def _appended(base: httpx.URL, path: str, query: str | None) -> httpx.URL:
    parts = base._uri_reference  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    url = httpx.URL.__new__(httpx.URL)
    path = parts.path.removesuffix("/") + path
    replaced = parts._replace(path=path, query=query)
    url._uri_reference = replaced  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return url


def _appends() -> bool:
    """Whether `_appended` is right with this release of httpx."""
    try:
        made = _appended(httpx.URL("https://api.example/v1/"), "/a%20b", "c=d")
    except AttributeError:
        return False
    return made == httpx.URL("https://api.example/v1/a%20b?c=d")


def transports_of(client: object) -> list[object]:
    """The transports of a client of httpx or httpx2, with its mounts'.

    None, with a release that has moved them.
    """
    mounts: dict[object, object] = getattr(client, "_mounts", {})
    return [getattr(client, "_transport", None), *mounts.values()]


_NOTHING = "(?!)"
_AS_IT_IS = re.compile(
    r"(/[\w.~!$&'()*+,;=:@/%-]*)(?:\?([\w.~!$&'()*+,;=:@/?%-]*))?" if _appends() else _NOTHING,
    re.ASCII,
)
"""A path, and perhaps a query, in which httpx leaves every character as it is (RFC 3986, 3.3 and
3.4).
"""
