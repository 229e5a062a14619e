"""Whether a response has the values that were sent, with one comparer for each kind of value.

A value that differs belongs to another request. A value that cannot be read confirms nothing.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, auto
from typing import Any

from victor_ext._privacy import one_line
from victor_ext._values.ids import is_same_id, says_nothing, storable, words_of

from .json_values import (
    decimal_of,
    flag_of,
    is_list,
    is_object,
    list_or_empty,
    member_in_any_case,
    object_or_empty,
)
from .validation import as_date

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?")
_MOST_BITS = 1024
"""Python refuses to write much longer whole numbers."""


class Likeness(Enum):
    """What a response says of a value that was sent. `UNSAID`: the value is missing there, or is
    blanks and stars alone.
    """

    SAME = auto()
    OTHER = auto()
    UNREADABLE = auto()
    UNSAID = auto()


Comparer = Callable[[Any, Any], bool | None]
"""Whether a value of a response is the one that was sent; None if it cannot be read."""


def likeness(compare: Comparer, sent: object, received: object) -> Likeness:
    """What a received value says of one that was sent."""
    if says_nothing(received):
        return Likeness.UNSAID
    if type(received) is str and received == sent:
        return Likeness.SAME
    is_same = compare(sent, received)
    if is_same is None:
        return Likeness.UNREADABLE
    return Likeness.SAME if is_same else Likeness.OTHER


def worst(said: Sequence[Likeness]) -> Likeness:
    """What several places of a response say of one value that was sent: another value at one of
    them counts, then one that cannot be read.
    """
    for is_like in _WORST_FIRST:
        if is_like in said:
            return is_like
    return Likeness.UNSAID


_WORST_FIRST = (Likeness.OTHER, Likeness.UNREADABLE, Likeness.SAME)


Comparisons = Mapping[str, Likeness]
"""What a response says of each value that was sent, by the name of the value."""


def compared(
    comparers: Mapping[str, Comparer],
    sent: Callable[[str], object],
    received: Callable[[str], object],
    needed: Collection[str] = (),
) -> dict[str, Likeness]:
    """What a response says of each value that was sent, by the name of the value.

    `comparers` has how a value is compared, by its name; `sent` and `received` return the value
    with a name. None was not sent. A value of which the response says nothing is left out, unless
    it is `needed`.
    """
    comparisons: dict[str, Likeness] = {}
    for name, compare in comparers.items():
        value = sent(name)
        if value is None:
            continue
        is_like = likeness(compare, value, received(name))
        if is_like is not Likeness.UNSAID or name in needed:
            comparisons[name] = is_like
    return comparisons


def _first_that_is(wanted: Likeness, comparisons: Comparisons) -> str | None:
    """The name of the first value with this likeness; None: no value has it."""
    return next((name for name, is_like in comparisons.items() if is_like is wanted), None)


def of_another(what: str, comparisons: Comparisons) -> str | None:
    """Why a body is about another thing of this kind, because it came late or from a cache; None:
    it is not known to be.
    """
    other = _first_that_is(Likeness.OTHER, comparisons)
    if other is None:
        return None
    return f"its body is about another {what}: its {other} is not the one that was sent"


def cannot_be_read(comparisons: Comparisons) -> str | None:
    """Why a body that repeats values does not confirm them, or None."""
    odd = _first_that_is(Likeness.UNREADABLE, comparisons)
    return None if odd is None else f"its {odd} cannot be read"


def about_another(asked: str, named: object, what: str, part: str = "body") -> str | None:
    """Why a body, or a part of it, is not known to be about the id that was asked for; None: it
    names that id, or none at all.
    """
    is_like = likeness(same_id, asked, named)
    if is_like is Likeness.UNREADABLE:
        return (
            f"its {part} does not say which {what} it is about: the id is neither text nor a "
            "whole number"
        )
    if is_like is Likeness.OTHER:
        return f"its {part} is about another {what}, {one_line(named)}"
    return None


def as_id(value: object) -> str | None:
    """An id that is text or a whole number, as text; None for any other value."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:d}" if value.bit_length() < _MOST_BITS else None
    return value if isinstance(value, str) else None


def _comparer_of_text(is_same: Callable[[str, str], bool]) -> Comparer:
    """A comparer of texts and whole numbers, by their texts. A received text is `storable`."""

    def compare(sent: object, received: object) -> bool | None:
        text = as_id(received)
        return None if text is None else is_same(storable(str(sent)), text)

    return compare


same_id = _comparer_of_text(is_same_id)
"""Compares ids and keys."""
same_text = _comparer_of_text(lambda sent, text: words_of(sent) == words_of(text))
"""Compares texts. White space makes no difference."""
same_word = _comparer_of_text(
    lambda sent, text: _may_be_shown_as(words_of(sent).casefold(), words_of(text).casefold())
)
"""Compares words of an enumeration, and account numbers: in any letter case, also if stars hide a
part of them.
"""


def same_flag(sent: object, received: object) -> bool | None:
    """Compare flags, also those that are text. A flag that was not sent is false."""
    flag = flag_of(received)
    own = bool(sent) if flag_of(sent) is None else flag_of(sent)
    return None if flag is None else flag is own


def same_amount(read: Callable[[object], Decimal | None]) -> Comparer:
    """A comparer of exact amounts, which `read` reads from numbers and from text."""

    def compare(sent: object, received: object) -> bool | None:
        amount = read(received)
        return None if amount is None else amount == read(sent)

    return compare


def _number_of(value: object) -> Decimal | None:
    """A number, also from its text; None for any other value."""
    if isinstance(value, str):
        text = value.strip()
        return Decimal(text) if _NUMBER.fullmatch(text) else None
    return decimal_of(value)


Moments = Callable[[object], datetime | None]
"""Reads an aware moment of a response; None: it cannot be read."""


def same_moment(read: Moments) -> Comparer:
    """A comparer of moments, in any zones. A provider may leave out, or round, what is finer than a
    second.
    """

    def compare(sent: object, received: object) -> bool | None:
        first, second = read(sent), read(received)
        if first is None or second is None:
            return None
        return abs(first - second) < timedelta(seconds=1)

    return compare


def same_day(read: Moments) -> Comparer:
    """A comparer of dates. A provider may write a date as its midnight."""

    def day_of(value: object) -> date | None:
        day = as_date(value)
        if day is not None:
            return day
        moment = read(value)
        return None if moment is None or moment.time() != time() else moment.date()

    def compare(sent: object, received: object) -> bool | None:
        day = day_of(received)
        return None if day is None else day == day_of(sent)

    return compare


def moment_of(value: object) -> datetime | None:
    """A moment of ISO 8601 that has a zone; None for any other value."""
    try:
        moment = datetime.fromisoformat(value.strip().upper()) if isinstance(value, str) else None
    except ValueError:
        return None
    return None if moment is None or moment.utcoffset() is None else moment


def _same_json(sent: object, received: object) -> bool | None:
    """Compare JSON of any shape, as `compared_leaves` does; what is missing within it does not
    count. None: nothing in it can be compared.
    """
    said = {is_like for _, is_like in compared_leaves(sent, received)} - {Likeness.UNSAID}
    if Likeness.OTHER in said:
        return False
    is_same = sent == received or said == {Likeness.SAME}
    return True if is_same else None


_same_number = same_amount(_number_of)
_NO_TABLES: Mapping[str, Mapping[str, Any]] = {}
_BY_KIND: Mapping[object, Comparer] = {
    "text": same_text,
    "word": same_word,
    "uuid": same_id,
    "flag": same_flag,
    **dict.fromkeys(("whole", "number", "decimal"), _same_number),
    "moment": same_moment(moment_of),
    "day": same_day(moment_of),
}


def comparer_of(kind: Any) -> Comparer:
    """The comparer of the values that a document declares, by their kind in a generated table of
    members or arguments. Without a comparer of its own a value is compared as JSON.
    """
    if isinstance(kind, tuple):  # the words of an enum
        return same_word
    return _BY_KIND.get(kind, _same_json) if isinstance(kind, str) else _same_json


def _may_be_shown_as(sent: str, received: str) -> bool:
    """Whether a received text may be one that was sent: stars in it stand for any text."""
    start, stars, end = received.partition("*")
    if not stars:
        return sent == received
    return sent.startswith(start) and sent.endswith(end.rpartition("*")[2])


_same_shown_text = _comparer_of_text(
    lambda sent, text: _may_be_shown_as(words_of(sent), words_of(text))
)


def same_exactly(sent: object, received: object) -> bool | None:
    """Compare a value whose kind is not declared, by the type that it was sent with: a text is a
    text. A number that was received for a text may have lost its spelling.
    """
    if is_object(received) or is_list(received):
        return None
    if isinstance(sent, bool):
        return same_flag(sent, received)
    if not isinstance(sent, str):
        return _same_number(sent, received)
    is_shown = _same_shown_text(sent, received)
    if is_shown or isinstance(received, str):
        return is_shown
    return None if _same_number(sent, received) else False


def _same_leaf(sent: object, received: object) -> bool | None:
    """Compare as `same_exactly` does, and texts in any letter case: such a text is no sign of
    another payment, where all else is the same.
    """
    are_texts = isinstance(sent, str) and isinstance(received, str)
    return (same_word if are_texts else same_exactly)(sent, received)


def compared_leaves(
    sent: object,
    received: object,
    name: str = "",
    kind: Any = None,
    tables: Mapping[str, Mapping[str, Any]] = _NO_TABLES,
    *,
    undeclared: Comparer = _same_leaf,
) -> Iterator[tuple[str, Likeness]]:
    """The place of each value in JSON that was sent, and what the JSON that was received says of
    it.

    A value is compared by its kind. A text is a text: Unicode form and white space make no
    difference to it, letter case and the spelling of a number do. A masked `****3645` is like each
    text with this end. A number has any spelling, and names of members any letter case. A list of
    another length is compared as a whole.

    Args:
        sent: What was sent, which stands at `name`.
        received: What was received for it.
        name: The place of both; empty for the whole.
        kind: The kind of what was sent, as in `tables`; None: it is not known.
        tables: The kinds of the members of the document's models, by name.
        undeclared: Compares values whose kind is not known.
    """
    if is_object(sent):
        own = object_or_empty(received)
        kinds: Mapping[str, Any] = tables.get(kind, {}) if isinstance(kind, str) else {}
        for member, value in sent.items():
            place = f"{name}.{member}" if name else member
            said = member_in_any_case(own, member)
            own_kind = kinds.get(member)
            yield from compared_leaves(value, said, place, own_kind, tables, undeclared=undeclared)
    elif is_list(sent):
        items = list_or_empty(received)
        if is_list(received) and len(items) != len(sent):
            yield name, Likeness.OTHER
            return
        kind_of_item = kind[0] if is_list(kind) else None
        for number, value in enumerate(sent):
            item = items[number] if items else None
            place = f"{name}[{number}]"
            yield from compared_leaves(
                value, item, place, kind_of_item, tables, undeclared=undeclared
            )
    elif sent is not None:
        is_like = likeness(_comparer_of_leaf(kind, undeclared), sent, received)
        is_nothing = is_like is Likeness.UNSAID and says_nothing(sent)
        yield name, Likeness.SAME if is_nothing else is_like  # nothing was sent, nor received


def _comparer_of_leaf(kind: Any, undeclared: Comparer) -> Comparer:
    """The comparer of values of a kind that are no objects and no lists."""
    if kind == "text":
        return same_exactly
    is_declared = isinstance(kind, tuple) or (isinstance(kind, str) and kind in _BY_KIND)
    return comparer_of(kind) if is_declared else undeclared


def is_contradicted(sent: object, received: object) -> bool:
    """Whether JSON that was received has another value than was sent."""
    return any(is_like is Likeness.OTHER for _, is_like in compared_leaves(sent, received))
