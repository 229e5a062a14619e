"""Private texts of a request, which the provider may repeat in its response, and which no message may show."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from victor_ext.runtime.core.json_values import is_list, is_object

HIDDEN = "[hidden]"
SHORTEST = 3
"""Characters. A shorter text occurs in any sentence, so it is not hidden."""


def texts_within(body: Any, is_public: Callable[[str], bool], *, numbers: bool = False) -> Iterator[str]:
    """The texts of a JSON body that are not public.

    Args:
        body: The body.
        is_public: Whether a member is public, by its place in the body, such as `payer.email`; items of a list have
            the place of the list.
        numbers: Whether numbers count as texts.
    """
    yield from _texts(body, "", is_public, numbers)


def _texts(value: Any, place: str, is_public: Callable[[str], bool], numbers: bool) -> Iterator[str]:  # noqa: FBT001 - recursion
    if is_object(value):
        for name, each in value.items():
            inner = f"{place}.{name}".lstrip(".")
            if not is_public(inner):
                yield from _texts(each, inner, is_public, numbers)
    elif is_list(value):
        for each in value:
            yield from _texts(each, place, is_public, numbers)
    elif isinstance(value, str):
        yield value
    elif numbers and isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def pattern_of(texts: Iterable[str], *, whole_words: bool = False, flags: int = 0) -> re.Pattern[str] | None:
    """A pattern that finds any of the texts that are long enough to be hidden; None when there is none.

    Args:
        texts: The texts.
        whole_words: Whether a text counts only where no ASCII letter or digit is next to it.
        flags: Of the module `re`.
    """
    kept = sorted({text for text in texts if len(text) >= SHORTEST}, key=len, reverse=True)  # no part of one remains
    if not kept:
        return None
    alternatives = "|".join(map(re.escape, kept))
    return re.compile(f"(?<![0-9A-Za-z])(?:{alternatives})(?![0-9A-Za-z])" if whole_words else alternatives, flags)
