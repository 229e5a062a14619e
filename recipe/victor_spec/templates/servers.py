"""The URL of a server, with values for the variables in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

_HOST_TEXT: Final = re.compile(r"[\w.~:-]*", re.ASCII)
_PATH_TEXT: Final = re.compile(r"[\w.~:%/-]*", re.ASCII)


class ServerVariable(NamedTuple):
    """A variable of a server, such as `region`: its default, and the allowed values; () when any
    is.
    """

    default: str | None = None
    values: tuple[str, ...] = ()


Declared = Mapping[str, Mapping[str, ServerVariable]]
"""The variables of each server of the document, by its URL as it stands there."""


def filled(url: str, given: Mapping[str, str], servers: Declared) -> str:
    """The URL with a value for each variable in it: the given one, else the document's default.

    Raises ValueError for a variable without a value, for a value that is not one of the document's
    or would change the rest of the URL, and for a given name that the URL does not have.
    """
    declared = servers.get(url.rstrip("/"), {})
    names = re.findall(r"{([^{}]+)}", url)
    if strange := [name for name in given if name not in names]:
        known = f"it has {', '.join(names)}" if names else "it has none"
        raise ValueError(f"{strange[0]!r} is no variable of the server {url}: {known}.")

    def value(match: re.Match[str]) -> str:
        name, before = match[1], url[: match.start()]
        variable = declared.get(name, ServerVariable())
        text, wanted = (
            given.get(name, variable.default),
            ", ".join(variable.values) or "a part of a URL",
        )
        if text is None:
            raise ValueError(
                f"The variable {name} of the server {url} has no default: write {wanted}."
            )
        allowed = _PATH_TEXT if "/" in before.partition("://")[2] else _HOST_TEXT
        # At its beginning, it may be all of the URL.
        is_good = (
            text in variable.values
            if variable.values
            else allowed.fullmatch(text) or "://" not in before
        )
        if name in given and not is_good:
            raise ValueError(
                f"The variable {name} of the server {url} cannot be {text!r}: write {wanted}."
            )
        return text

    return re.sub(r"{([^{}]+)}", value, url)
