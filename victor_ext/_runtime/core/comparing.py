"""Whether a response has the values that were sent. Values are compared by the kind that the
document declares, never by how a text looks (`same`).

A value that differs belongs to another request. A value that cannot be read confirms nothing.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any

from victor_ext._values.ids import canonical_id, says_nothing, storable, words_of

from .json_values import (
    decimal_of,
    flag_of,
    is_list,
    is_object,
    list_or_empty,
    object_or_empty,
)
from .validation import as_date

_NUMBER = re.compile(r"-?[0-9]{1,31}(?:\.[0-9]{1,30})?")
_MOST_BITS = 1024
"""Python refuses to write much longer whole numbers."""


class Likeness(IntEnum):
    """What a response says of a value that was sent. Of several, the least one counts."""

    OTHER = 1
    UNREADABLE = 2
    SAME = 3
    UNSAID = 4


Comparisons = Mapping[str, Likeness]
"""What a response says of each value that was sent, by the name of the value."""


def same(sent: object, received: object, kind: object = None) -> Likeness:
    """What a received value says of one that was sent: nothing, if it is blanks and stars alone.

    A text is a text: Unicode form and white space make no difference to it, letter case and the
    spelling of a number do. Words, and UUIDs, have any letter case, numbers any spelling, also as
    text. In a received text, several stars stand for any text: `****3645`.

    Args:
        sent: The value that was sent. Empty text: it was left out.
        received: The value in its place in a response.
        kind: What a generated table says of the value; or `id`. None, and what has no values of its
            own: the type of `sent` counts.
    """
    if says_nothing(received):
        return Likeness.UNSAID
    if type(received) is str and received == sent:
        return Likeness.SAME
    read = _reader_of(kind, sent)
    own, other = read(sent), read(received)
    if other is None:
        return Likeness.UNREADABLE
    is_same = own == other
    if isinstance(own, str) and "**" in other:
        first, *_, last = other.split("*")
        is_same = own.startswith(first) and own.endswith(last)
    if is_same:
        return Likeness.SAME
    # A text of digits that was received as a number may have had another spelling.
    is_number = not isinstance(received, str) and _number_of(sent) == received
    return Likeness.UNREADABLE if is_number else Likeness.OTHER


def compared(
    kinds: Mapping[str, object],
    sent: Mapping[str, object],
    received: Mapping[str, object],
    needed: Collection[str] = (),
) -> dict[str, Likeness]:
    """What a response says of each value that was sent, by the name of the value.

    `kinds` has the kind of each value, by its name. None was not sent. A value of which the
    response says nothing is left out, unless it is `needed`.
    """
    comparisons: dict[str, Likeness] = {}
    for name, kind in kinds.items():
        value = sent.get(name)
        is_like = same(value, received.get(name), kind)
        if value is not None and (is_like is not Likeness.UNSAID or name in needed):
            comparisons[name] = is_like
    return comparisons


def compared_leaves(
    sent: object, received: object, name: str, kind: Any, tables: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, Likeness]]:
    """The place of each value in JSON that was sent, and what the JSON that was received says of
    it. A list of another length is compared as a whole.

    `name` is the place of both, and `kind` the kind of what was sent, as in `tables`: those of the
    members of the document's models.
    """
    if is_object(sent):
        own = object_or_empty(received)
        kinds: Mapping[str, Any] = tables.get(kind, {}) if isinstance(kind, str) else {}
        for member, value in sent.items():
            place = f"{name}.{member}" if name else member
            yield from compared_leaves(value, own.get(member), place, kinds.get(member), tables)
    elif is_list(sent):
        items = list_or_empty(received)
        if is_list(received) and len(items) != len(sent):
            yield name, Likeness.OTHER
            return
        kind_of_item = kind[0] if is_list(kind) else None
        for number, value in enumerate(sent):
            item = items[number] if items else None
            yield from compared_leaves(value, item, f"{name}[{number}]", kind_of_item, tables)
    elif sent is not None:
        is_empty = says_nothing(sent) and says_nothing(received)
        yield name, Likeness.SAME if is_empty else same(sent, received, kind)


def mismatch(what: str, comparisons: Comparisons) -> str | None:
    """Why a body is not known to be about its request, by the values of it that it repeats; or
    None. That about another thing came late, or from a cache.
    """
    name = min(comparisons, key=comparisons.__getitem__, default="")
    is_like = comparisons.get(name)
    if is_like is Likeness.OTHER:
        return f"its body is about another {what}: its {name} is not that of the request"
    return f"its {name} cannot be read" if is_like is Likeness.UNREADABLE else None


def as_id(value: object) -> str | None:
    """An id that is text or a whole number, as text; None for any other value."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:d}" if value.bit_length() < _MOST_BITS else None
    return value if isinstance(value, str) else None


def moment_of(value: object) -> datetime | None:
    """A moment of ISO 8601 that has a zone; None for any other value."""
    try:
        moment = datetime.fromisoformat(value.strip().upper()) if isinstance(value, str) else None
    except ValueError:
        return None
    return None if moment is None or moment.utcoffset() is None else moment


def _second_of(value: object) -> datetime | None:
    """The second of a moment: a provider may leave out what is finer."""
    moment = moment_of(value)
    return None if moment is None else moment.replace(microsecond=0)


def _number_of(value: object) -> Decimal | None:
    if not isinstance(value, str):
        return decimal_of(value)
    text = value.strip()
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _text(form: Callable[[str], str | None]) -> Callable[[object], str | None]:
    """A reader of texts and whole numbers, in a form in which two that are the same are equal."""

    def read(value: object) -> str | None:
        text = as_id(value)
        return None if text is None else form(storable(text)) or ""

    return read


_READERS: Mapping[object, Callable[[object], Any]] = {
    "text": _text(words_of),
    "word": _text(lambda text: words_of(text).casefold()),
    **dict.fromkeys(("id", "uuid"), _text(canonical_id)),
    **dict.fromkeys(("whole", "number", "decimal", "dollars"), _number_of),
    "flag": flag_of,
    "moment": _second_of,
    "day": as_date,
}


def _reader_of(kind: object, sent: object) -> Callable[[object], Any]:
    if isinstance(kind, tuple):
        return _READERS["word"]  # one of an enum
    if isinstance(kind, str) and kind in _READERS:
        return _READERS[kind]
    if isinstance(sent, bool):
        return flag_of
    return _READERS["text"] if isinstance(sent, str) else _number_of
