"""Card numbers: where one stands in place of a token, nothing is sent."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeGuard

from victor_ext.privacy import one_line
from victor_ext.runtime.core.json_values import is_list

_SHORTEST, _LONGEST = 13, 19
_MOST_LEVELS = 50
_MOST_CHARACTERS = 10_000
_GROUPS = re.compile(r"(?<!\w)[0-9]+(?:[\W_]{1,3}[0-9]+)*(?!\w)")
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_NO_TEXT = frozenset({"Cf", "Mn"})
"""Characters without a width: they divide digits, and nobody sees it."""
_CARD_NAMES = ("card", "paymentmethod", "paymentinstrument")


def is_card_number(value: object) -> bool:
    """Whether text or a number is that of a card: 13 to 19 digits, the last of them a check digit (ISO/IEC 7812-1).

    The digits may be of any script, and anything but letters may divide them.
    """
    text = _text_of(value)
    return text is not None and _is_number(re.sub(r"[\W_]", "", text))


def has_card_number(value: object) -> bool:
    """Whether text is a card number, or has one among other words (as on a magnetic stripe). A GUID in it is none."""
    text = _text_of(value)
    if text is None:
        return False
    text = _GUID.sub("GUID", text)
    return _is_number(re.sub(r"[\W_]", "", text)) or any(map(_is_number, _joined_groups(text)))


def places_of_card_numbers(members: object, *, about_a_card: bool = False) -> Iterator[str]:
    """The members of a JSON value with a card number, as `details.paymentMethod`, without the name that is one itself.

    Args:
        members: Any value; what is nested more deeply than JSON is written here is not searched.
        about_a_card: Whether all of it is about a card. Otherwise only members are whose name says so, because an
            order may have a number whose last digit happens to be right. A name is never a card number.
    """
    yield from dict.fromkeys(_places(members, "", about_a_card, _MOST_LEVELS))


def _places(value: object, place: str, about_a_card: bool, levels: int) -> Iterator[str]:  # noqa: FBT001 - as its caller
    if levels == 0:
        return
    if _is_mapping(value):
        for name, item in value.items():
            if has_card_number(name):
                yield place
                continue
            inner = f"{place}.{one_line(name)}".lstrip(".") if isinstance(name, str) else place
            # The outermost member about a card is named: within it, a name may say more than it should.
            named = place if about_a_card else inner
            yield from _places(item, named, about_a_card or _is_about_a_card(name), levels - 1)
    elif is_list(value):
        for item in value:
            yield from _places(item, place, about_a_card, levels - 1)
    elif about_a_card and has_card_number(value):
        yield place


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_about_a_card(name: object) -> bool:
    folded = re.sub(r"[\W_]", "", name).casefold() if isinstance(name, str) else ""
    return folded == "pan" or any(word in folded for word in _CARD_NAMES)


def _text_of(value: object) -> str | None:
    """Text or a whole number with digits of ASCII, and without invisible characters. None: it is neither."""
    if isinstance(value, Decimal):
        whole = value.is_finite() and 0 <= value.adjusted() < _LONGEST and value == value.to_integral_value()
        return f"{value:.0f}" if whole else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if 0 <= value < 10**_LONGEST else None
    if not isinstance(value, str):
        return None
    text = str(value)[:_MOST_CHARACTERS]
    if text.isascii():
        return text
    normal = unicodedata.normalize("NFKC", text)
    return "".join(
        str(unicodedata.decimal(char, char)) for char in normal if unicodedata.category(char) not in _NO_TEXT
    )


def _joined_groups(text: str) -> Iterator[str]:
    """The groups of digits in a text, each alone and with those that follow."""
    for match in _GROUPS.finditer(text):
        groups = re.findall("[0-9]+", match[0])
        for first in range(len(groups)):
            joined = ""
            for group in groups[first:]:
                joined += group
                if len(joined) > _LONGEST:
                    break
                yield joined


def _is_number(digits: str) -> bool:
    if not (_SHORTEST <= len(digits) <= _LONGEST and digits.isascii() and digits.isdigit()):
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0
