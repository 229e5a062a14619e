"""The URL of a server, with values for the variables in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

_HOST_TEXT: Final = re.compile(r"[\w.~:-]*", re.ASCII)
_PATH_TEXT: Final = re.compile(r"[\w.~:%/-]*", re.ASCII)


class ServerVariable(NamedTuple):
    """A variable of a server, such as `region`."""

    default: str | None = None
    """The document's value; None when it has none."""
    values: tuple[str, ...] = ()
    """The allowed values; () when any is."""


Declared = Mapping[str, Mapping[str, ServerVariable]]
"""The variables of each server of the document, by its URL as it stands there."""


def filled(url: str, given: Mapping[str, str], servers: Declared) -> str:
    """The URL with a value for each variable in it: the given one, else the document's default.

    Raises ValueError for a variable without a value, for a value that is not one of the document's or would change the
    rest of the URL, and for a given name that the URL does not have.
    """
    declared = servers.get(url.rstrip("/"), {})
    names = re.findall(r"{([^{}]+)}", url)
    if strange := [name for name in given if name not in names]:
        known = f"it has {', '.join(names)}" if names else "it has none"
        raise ValueError(f"{strange[0]!r} is no variable of the server {url}: {known}.")

    def value(match: re.Match[str]) -> str:
        variable = declared.get(match[1], ServerVariable())
        text = given.get(match[1], variable.default)
        before = url[: match.start()]
        allowed = _PATH_TEXT if "/" in before.partition("://")[2] else _HOST_TEXT
        is_free = "://" not in before or match[1] not in given  # it is the whole beginning, or the document's own text
        if variable.values:
            is_good, wanted = text in variable.values, f"one of {', '.join(variable.values)}"
        else:
            is_good, wanted = text is not None and (is_free or bool(allowed.fullmatch(text))), "a part of a URL"
        if text is None or not is_good:
            shown = "has no default" if text is None else f"cannot be {text!r}"
            raise ValueError(f"The variable {match[1]} of the server {url} {shown}: write {wanted}.")
        return text

    return re.sub(r"{([^{}]+)}", value, url)
