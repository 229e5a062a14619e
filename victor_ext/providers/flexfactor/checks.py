"""Checks of arguments, before anything is sent. There are few, because the provider documents hardly any limits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from itertools import accumulate
from typing import cast

from victor_ext.money import Money
from victor_ext.privacy import kind_of, one_line
from victor_ext.runtime.core import validation
from victor_ext.runtime.core.json_values import is_mapping, is_object

from .settings import GUID

MOST = 2**31 - 1
"""The largest whole number that is not an amount: a page, a status, a quantity."""

_MOST_CENTS = 10**15
"""An amount of up to fifteen digits keeps its digits as a JSON number (IEEE 754, binary64)."""

_MOST_LEVELS = 64
"""The deepest nesting of an `extra_body`."""

_NO_ID = re.compile(r"[\x00-\x1f\x7f-\x9f]|\A\.{1,2}\Z")
"""What no part of a path can hold: control characters, and the names `.` and `..`."""

_MOST_CHARACTERS = 10_000
_CARD_NUMBER = re.compile("[0-9]{13,19}")
_LONGEST_CARD = 19
_GROUPS = re.compile(r"(?<!\w)[0-9]+(?:[\W_]{1,3}[0-9]+)*(?!\w)")
_NO_TEXT = frozenset({"Cf", "Mn"})
"""Characters without a width: they divide digits, and nobody sees it."""
_CARD_NAMES = ("card", "paymentmethod", "paymentinstrument")


class Validation(validation.Validation):
    def path_id(self, field: str, value: object) -> None:
        """An id that becomes a part of a path, now or later. The path has it percent-encoded."""
        self.text(field, value)
        if isinstance(value, str) and _NO_ID.search(value):
            message = f"{field} is '.' or '..', or has a control character, so no path can hold it: write another id."
            self.note(field, "characters", message)

    def key(self, field: str, value: object) -> None:
        wanted = "a GUID as text, such as idempotency_key_for('invoice', 1042) makes"
        self.matching(field, value, GUID, wanted, required=False)

    def amount(self, field: str, value: object, *, zero: bool = False) -> None:
        """An amount above zero; `zero` allows zero, too."""
        if not isinstance(value, Money):
            what = f"not {kind_of(value)}: write Money.of('44.23', 'USD'), or Money(4423, 'USD') in cents"
            self.note(field, "type", f"{field} must be Money, {what}.")
        elif value.decimals != 2:
            what = f"has {value.decimals} decimals: how FlexFactor, which counts hundredths, takes it is not documented"
            self.note(field, "currency", f"{field} is in {value.currency}, which {what}.")
        elif value.minor_units < (not zero):
            self.note(field, "range", f"{field} is {value} and must be above zero.")
        elif value.minor_units >= _MOST_CENTS:
            self.note(field, "range", f"{field} must have at most fifteen digits.")

    def no_card_numbers(self, field: str, value: object, *, about_a_card: bool = False) -> None:
        """No card number in a value about a card: alone, among other words, or at any depth; and none as a name.

        With `about_a_card=False` only the members whose names say so are about a card: the last digit of another number
        may happen to be right. No message shows the number.
        """
        for place in dict.fromkeys(_places_of_card_numbers(value, field, about_a_card, _MOST_LEVELS)):
            what = "looks like a card number (13 to 19 digits with a check digit), and a card is named by its token"
            hint = 'see "A token for the card" in docs/flexfactor.md'
            self.note(place, "card_number", f"{place} {what} alone: {hint}.")

    def fields(self, field: str, value: object) -> None:
        """Names and texts of the merchant's own."""
        if is_object(value):
            for name, text in value.items():
                self.text(f"a name in {field}", name)
                if not has_card_number(name):  # else `no_card_numbers` says so, and shows none
                    self.text(f"{field}[{name!r}]", text)
        else:
            self.note(field, "type", f"{field} must be a dict of text to text, not {kind_of(value)}.")


def has_card_number(value: object) -> bool:
    """Whether text is a card number, or has one among other words (as on a magnetic stripe). A GUID in it is none."""
    text = GUID.sub("GUID", _text_of(value))
    return _is_card_number(re.sub(r"[\W_]", "", text)) or any(map(_is_card_number, _joined_groups(text)))


def _places_of_card_numbers(value: object, place: str, about_a_card: bool, levels: int) -> Iterator[str]:  # noqa: FBT001 - as its caller
    if levels == 0:
        return
    if is_mapping(value):
        for name, item in value.items():
            if has_card_number(name):
                yield place
                continue
            folded = re.sub(r"[\W_]", "", name).casefold() if isinstance(name, str) else ""
            is_about = about_a_card or folded == "pan" or any(word in folded for word in _CARD_NAMES)
            # The outermost member about a card is named: within it, a name may say more than it should.
            inner = f"{place}.{one_line(name)}" if folded and not about_a_card else place
            yield from _places_of_card_numbers(item, inner, is_about, levels - 1)
    elif isinstance(value, list | tuple):
        for item in cast("list[object]", value):
            yield from _places_of_card_numbers(item, place, about_a_card, levels - 1)
    elif about_a_card and has_card_number(value):
        yield place


def _text_of(value: object) -> str:
    """Text or a number with digits of ASCII, and without invisible characters; empty for any other value."""
    if isinstance(value, int | Decimal):
        number = Decimal(value)
        return f"{number:.0f}" if number.adjusted() < _LONGEST_CARD else ""
    text = value[:_MOST_CHARACTERS] if isinstance(value, str) else ""
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
            yield from accumulate(groups[first : first + _LONGEST_CARD])


def _is_card_number(digits: str) -> bool:
    """Whether text is 13 to 19 digits, the last of them a check digit (ISO/IEC 7812-1)."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return bool(_CARD_NUMBER.fullmatch(digits)) and (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0
