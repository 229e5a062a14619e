"""Whether a response has the values that were sent, with one comparer for each kind of value.

What is there and differs is another's. What is there and cannot be read confirms nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from enum import Enum, auto
from typing import Any

from victor_ext.ids import is_same_id, says_nothing, words_of
from victor_ext.privacy import one_line

from .json_values import flag_of, is_list, is_object

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?")
_MOST_BITS = 1024
"""Python refuses to write much longer whole numbers."""


class Likeness(Enum):
    """What a response says of a value that was sent.

    Nothing, blanks and stars alone are `UNSAID`.
    """

    SAME = auto()
    OTHER = auto()
    UNREADABLE = auto()
    UNSAID = auto()


Comparer = Callable[[Any, Any], bool | None]
"""Whether a value of a response is the one that was sent; None if it cannot be read."""


def likeness(compare: Comparer, sent: object, received: object) -> Likeness:
    if says_nothing(received):
        return Likeness.UNSAID
    if type(received) is str and received == sent:
        return Likeness.SAME
    is_same = compare(sent, received)
    if is_same is None:
        return Likeness.UNREADABLE
    return Likeness.SAME if is_same else Likeness.OTHER


Values = Sequence[tuple[str, Comparer, object, object]]
"""Values that a response may repeat: the name of each, how it is compared, what was sent, and what
was received.
"""


def values(
    kinds: Mapping[str, Comparer], sent: Callable[[str], object], received: Callable[[str], object]
) -> Values:
    """The values that were sent, by their names."""
    return [
        (name, kind, value, received(name))
        for name, kind in kinds.items()
        if (value := sent(name)) is not None
    ]


def first_that_is(wanted: Likeness, values: Values) -> str | None:
    """The name of the first value of which the response says this."""
    for name, compare, sent, received in values:
        if likeness(compare, sent, received) is wanted:
            return name
    return None


def of_another(what: str, values: Values) -> str | None:
    """Why a body is known to be about another one of these: it came late, or from a cache."""
    other = first_that_is(Likeness.OTHER, values)
    if other is None:
        return None
    return f"its body is about another {what}: its {other} is not the one that was sent"


def cannot_be_read(values: Values) -> str | None:
    """Why a body that repeats values does not confirm them, or None."""
    odd = first_that_is(Likeness.UNREADABLE, values)
    return None if odd is None else f"its {odd} cannot be read"


def about_another(asked: str, named: object, what: str, part: str = "body") -> str | None:
    """Why a body, or a part of it, that names an id is not known to be about what was asked for, or
    None.
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


def is_about_one_of(ids: Iterable[object], named: object) -> bool:
    """Whether a part names one of these ids, or none at all."""
    for text in filter(None, map(as_id, ids)):
        if likeness(same_id, text, named) in (Likeness.SAME, Likeness.UNSAID):
            return True
    return False


def as_id(value: object) -> str | None:
    """An id that is text or a whole number, as text; None for any other value."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:d}" if value.bit_length() < _MOST_BITS else None
    return value if isinstance(value, str) else None


def _by_text(is_same: Callable[[str, str], bool]) -> Comparer:
    """A comparer of text and whole numbers."""

    def compare(sent: str, received: object) -> bool | None:
        text = as_id(received)
        return None if text is None else is_same(sent, text)

    return compare


same_id = _by_text(is_same_id)  # ids and keys
same_text = _by_text(
    lambda sent, text: words_of(sent) == words_of(text)
)  # white space makes no difference
same_word = _by_text(lambda sent, text: not _differ(_words(sent), _words(text)))
"""Compares words of an enumeration, and account numbers: in any letter case, also if stars hide a
part of them.
"""


def same_flag(sent: object, received: object) -> bool | None:
    """Compare flags, also those that come as text. Nothing that was sent is false."""
    flag = flag_of(received)
    return None if flag is None else flag is bool(sent)


def same_amount(read: Callable[[object], Decimal | None]) -> Comparer:
    """A comparer of exact amounts, which `read` reads from numbers and from text."""

    def compare(sent: object, received: object) -> bool | None:
        amount = read(received)
        return None if amount is None else amount == read(sent)

    return compare


def differs(sent: object, received: object) -> bool:
    """Whether a response has another value than JSON of any shape that was sent. A value that is
    missing is none.

    Unicode form, letter case (also of names), white space, `44.2` and `"44.20"`, and a masked
    `****3645` make no difference. Values of different shapes, such as a text and an object, cannot
    be compared.
    """
    if is_object(sent) and is_object(received):
        named = {name.lower(): value for name, value in received.items()}
        return any(differs(value, named.get(name.lower())) for name, value in sent.items())
    if is_list(sent) and is_list(received):
        return len(sent) != len(received) or any(map(differs, sent, received))
    if sent == received or not (_is_leaf(sent) and _is_leaf(received)):
        return False
    return _differ(_words(sent), _words(received))


def _is_leaf(value: object) -> bool:
    return value is not None and not isinstance(value, dict | list)


def compared_leaves(
    sent: object, received: object, name: str = ""
) -> Iterator[tuple[str, Likeness]]:
    """What was received says of each value within JSON that was sent, by its place."""
    if is_object(sent):
        own = received if is_object(received) else {}
        for member, value in sent.items():
            place = f"{name}.{member}" if name else member
            yield from compared_leaves(value, own.get(member), place)
    elif is_list(sent):
        items = received if is_list(received) else []
        if is_list(received) and len(items) != len(sent):
            yield name, Likeness.OTHER
            return
        for number, value in enumerate(sent):
            item = items[number] if items else None
            yield from compared_leaves(value, item, f"{name}[{number}]")
    elif sent is not None:
        yield name, _leaf_likeness(sent, received)


def _leaf_likeness(sent: object, received: object) -> Likeness:
    said = likeness(_same_leaf, sent, received)
    if says_nothing(sent) and said is Likeness.UNSAID:  # there is nothing that could be said
        return Likeness.SAME
    return said


def _same_leaf(sent: object, received: object) -> bool | None:
    return None if is_object(received) or is_list(received) else not differs(sent, received)


def _differ(one: str, other: str) -> bool:
    start, stars, end = other.partition("*")
    if stars:
        return not (one.startswith(start) and one.endswith(end.rpartition("*")[2]))
    if _NUMBER.fullmatch(one) and _NUMBER.fullmatch(other):
        return Decimal(one) != Decimal(other)
    return one != other


def _words(value: object) -> str:
    return words_of(f"{value:f}" if isinstance(value, Decimal) else str(value)).casefold()
