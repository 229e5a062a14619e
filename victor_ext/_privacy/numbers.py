"""Numbers of accounts and cards in texts of others: only their last four characters are shown."""

from __future__ import annotations

import re

from .hiding import mask

_BETWEEN = r"(?:&\w+;|%20|[^\w,:;+|@]{1,3}|_)"
"""What people and programs write between the groups of a number."""
_UUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_DATE = r"(?:(?:19|20)\d\d[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.](?:19|20)\d\d)(?!\d)"
_NAME = r"[A-Za-z]{2,}[-_/]\d{1,6}(?:[-_/]\d{1,6}){0,2}(?![-_/]?\d)"  # INV-1042-2026-0007
_MOMENT = r"\d{8}T\d{6}Z?"
_CLOCK = r"\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?"
_CODE = r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){2,3}(?![\w.])"  # an IP address, a result code
_AMOUNT = r"(?<![\w.,])(?:\d{1,3}(?:[ ,.'\u202f\xa0]\d{3}){1,3}|\d{1,9})[.,]\d\d(?!\d)"
_IBAN = rf"\b(?!RF)[A-Z]{{2}}\d\d(?:{_BETWEEN}?[A-Z\d]){{11,30}}\b"
_NUMBER = rf"(?<!\d)\d{{2,}}(?:{_BETWEEN}(?!{_DATE})\d+)*"
_KEPT = rf"(?P<kept>{_UUID}|{_DATE}|{_MOMENT}|{_CLOCK}|{_NAME}|{_CODE}|{_AMOUNT})"
_ANY = rf"{_KEPT}|(?P<iban>{_IBAN})|{_NUMBER}"
_SHORTEST, _SHORTEST_IN_GROUPS = 7, 9  # digits that may be a number of an account
_CARD = range(13, 20)  # the digits of a card


def mask_numbers(text: str) -> str:
    """The text with each number that may be that of an account or a card masked as by `mask`: seven
    digits or more in one piece, nine or more in groups of two or more, and IBANs. Dates, times,
    amounts, UUIDs and names such as `INV-1042` are kept.
    """
    return re.sub(_ANY, _masked, text)


def mask_spaced_numbers(text: str) -> str:
    """Mask the account and card numbers in a text that may be an id, which no blank divides."""
    in_groups = r"\d{3,} +\d{2,}(?: +\d+)+|\d{4}(?:-\d{4}){3}"
    return re.sub(rf"(?P<kept>{_UUID})|(?P<iban>{_IBAN})|{in_groups}", _masked, text)


def _masked(match: re.Match[str]) -> str:
    text = match[0]
    if match["kept"] is not None:
        return text
    if match["iban"] is not None:
        chars = re.sub(_BETWEEN, "", text)
        number = "".join(str(int(char, 36)) for char in chars[4:] + chars[:4])
        return mask(text) if int(number) % 97 == 1 else text
    groups = re.findall(r"\d+", text)
    if len(groups) > 1 and min(map(len, groups[:-1])) > 1:
        return mask(text) if len("".join(groups)) >= _SHORTEST_IN_GROUPS else text
    return re.sub(rf"\d{{{_SHORTEST},}}", lambda piece: mask(piece[0]), text)


def is_of_a_card(digits: str) -> bool:
    """Whether a text is 13 to 19 digits of ASCII, the last of them the check digit of a card
    (ISO/IEC 7812-1).
    """
    if len(digits) not in _CARD or not (digits.isascii() and digits.isdecimal()):
        return False
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(sum(divmod(number, 10)) for number in doubled) % 10 == 0
