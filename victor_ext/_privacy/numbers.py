"""Numbers of accounts and cards in a text: a number is its digits, whatever stands between them.

Times, amounts, addresses, UUIDs and the numbers of lines have many digits, too. They are kept.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import accumulate

from .hiding import HIDDEN, mask

_BETWEEN = (
    r"(?:&nbsp;|%20|%2[Dd]"
    r"|[\s()\xad\u200b-\u200f\u2060\ufeff.\-\u2010-\u2015\u2212/\xb7\u2022_]){1,3}"
)
"""What people and programs write between the groups of a number."""
_SHORTEST = 5  # digits in one piece that may be a number of an account
_SHORTEST_IN_GROUPS = 9  # digits in several groups that may be one: a date has eight
_SHORTEST_IN_A_NAME = 15  # digits in groups behind letters, as in `INV-1042-2026-0007`
_CARD = range(13, 20)  # the digits of a card

_YEAR, _MONTH, _DAY = r"(?:19|20|21)\d\d", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_ORDERS = (_YEAR, _MONTH, _DAY), (_DAY, _MONTH, _YEAR), (_MONTH, _DAY, _YEAR)
_ORDERED = "|".join(mark.join(parts) for mark in ("-", r"\.", "/") for parts in _ORDERS)
_DATE = rf"(?:{_ORDERED})(?![0-9A-Za-z])"
_CLOCK = r"[0-2]?\d:[0-5]\d(?::[0-6]\d(?:[.,]\d+)?)?(?:\s?(?:Z|[+-][0-2]\d:?[0-5]\d))?"
_MOMENT = rf"(?:{_DATE}|{_YEAR}-{_MONTH}-{_DAY}T{_CLOCK})(?:\s{_CLOCK})?|{_CLOCK}"
_COMPACT_MOMENT = rf"{_YEAR}[01]\d[0-3]\dT?\d{{6}}Z"
_UUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IP_ADDRESS = rf"{_OCTET}(?:\.{_OCTET}){{3}}(?![.\d])"
_RESULT_CODE = r"\d{3}\.\d{3}\.\d{3}(?![.\d])"  # EastPay's, as in 800.100.153
_CENTS = r"[.,]\d{1,2}(?![.,/]?\d)"
_THOUSANDS = "|".join(rf"(?:{mark}\d{{3}})+" for mark in (" ", ",", r"\.", "'", "\xa0", "\u202f"))
_AMOUNT = rf"[1-9]\d{{0,2}}(?:{_THOUSANDS}){_CENTS}|(?:0|[1-9]\d{{0,9}}){_CENTS}"
_DECIMALS = rf"(?:0|[1-9]\d{{0,9}})\.\d{{3,}}(?!\d|{_BETWEEN}\d)"
_PLACE = (
    r"(?i:line|row|item|page|column|char|character|position|offset|byte)s?(?:\s|#|:|\.){0,3}"
    r"(?:0|[1-9]\d{0,6})(?:\sof\s\d{1,7})?(?!\s?\d)"
)
_VERSION = r"v\d+(?:\.\d+)+"
_KEPT = (
    rf"(?<![0-9A-Za-z])(?:{_UUID}|{_MOMENT}|{_COMPACT_MOMENT}|{_PLACE}|{_VERSION})"
    r"(?![0-9A-Za-z])"
    rf"|(?<![\w.])(?:{_IP_ADDRESS}|{_RESULT_CODE}|{_AMOUNT}|{_DECIMALS})"
)
_GROUPS = rf"\d+(?:{_BETWEEN}(?!{_DATE})\d+)*"
_KEPT_OR_NUMBER = rf"(?P<kept>{_KEPT})|{_GROUPS}"
_ONE_PIECE = rf"\d{{{_SHORTEST},}}"
_IBANS = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 "
    "DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 "
    "IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 "
    "MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 "
    "SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
)
"""The countries, and the lengths of their IBANs, as SWIFT's registry has them."""
_LENGTHS_OF_IBANS = {each[:2]: int(each[2:]) for each in _IBANS.split(" ")}
_MARK = r"(?:&#?\w+;|[^\w]{1,3})"
_CARD_IN_GROUPS = (
    rf"(?<!\d)(?:\d{{4}}({_MARK})\d{{4}}\1\d{{4}}\1\d{{4}}(?:\1\d{{1,3}})?"
    rf"|\d{{4}}({_MARK})\d{{6}}\2\d{{5}})(?!\d)"
)
"""Digits as they stand on a card, with any mark between them."""
_IBAN = rf"(?<![0-9A-Za-z])(?!{_UUID})[A-Z]{{2}}\d\d(?:(?:{_BETWEEN})?[A-Z\d]){{11,30}}"
_IN_IBAN = rf"{_BETWEEN}|([A-Z\d])"
_DAY_OR_AMOUNT = rf"{_DATE}|{_AMOUNT}"
_DIGITS = rf"\d+(?:{_BETWEEN}\d+)*"


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """A compiled pattern: when it is first needed, since all of them take 5 ms, and a call that
    succeeds needs none.
    """
    return re.compile(text)


def mask_numbers(text: str) -> str:
    """The text with each number that may be that of an account or a card masked as by `mask`: only
    the last four characters stay.

    Such a number has five digits or more in one piece, or nine or more in groups; behind letters
    that are joined to it fifteen, or the check digit of a card. An IBAN has its letters, too.
    """
    return _pattern(_KEPT_OR_NUMBER).sub(_masked, _without_cards_and_ibans(text))


def mask_spaced_numbers(text: str) -> str:
    """Mask the account and card numbers in a text that may be an id, which no blank divides: those
    in groups with blanks between them, those that are written as on a card, and IBANs. What
    `mask_numbers` masks beside them may be the id.
    """
    return _pattern(_KEPT_OR_NUMBER).sub(_masked_if_spaced, _without_cards_and_ibans(text))


def _without_cards_and_ibans(text: str) -> str:
    return _pattern(_IBAN).sub(_masked_iban, _pattern(_CARD_IN_GROUPS).sub(_masked_card, text))


def _masked_card(match: re.Match[str]) -> str:
    digits = match[0].replace(match[1] or match[2], "")
    return mask(match[0]) if is_of_a_card(digits_of(digits)) else match[0]


def _masked_if_spaced(match: re.Match[str]) -> str:
    text = match[0]
    groups = re.findall(r"\d+", text)
    if match["kept"] is not None or len(groups) < 2:
        return text
    has_blanks = re.search(r"[^0-9A-Za-z._/-]", text) is not None
    is_account = has_blanks and _is_of_an_account(groups, match.string[: match.start()])
    return mask(text) if is_account else text


def _masked(match: re.Match[str]) -> str:
    text = match[0]
    if match["kept"] is not None:
        return text
    groups = re.findall(r"\d+", text)
    if len(groups) > 1 and _is_of_an_account(groups, match.string[: match.start()]):
        return mask(text)
    return _pattern(_ONE_PIECE).sub(lambda piece: mask(piece[0]), text)


def _is_of_an_account(groups: list[str], before: str) -> bool:
    """Whether groups of digits are one number, and not several: numbers of lines, parts of a name.

    `before` is what stands before them.
    """
    digits = digits_of("".join(groups))
    if is_of_a_card(digits):
        return True
    is_in_a_name = re.search(r"[A-Za-z][_./-]$", before) is not None
    shortest = _SHORTEST_IN_A_NAME if is_in_a_name else _SHORTEST_IN_GROUPS
    if max(map(len, groups)) >= _SHORTEST_IN_GROUPS:
        return False  # one of them is the number
    are_single = [len(group) for group in groups].count(1) * 2 > len(groups)
    return len(digits) >= shortest and not are_single


def is_of_a_card(digits: str) -> bool:
    """Whether a text is 13 to 19 digits of ASCII, the last of them the check digit of a card
    (ISO/IEC 7812-1).
    """
    if len(digits) not in _CARD or not (digits.isascii() and digits.isdecimal()):
        return False
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(sum(divmod(number, 10)) for number in doubled) % 10 == 0


def _masked_iban(match: re.Match[str]) -> str:
    """An IBAN masked: what has the length of its country and the right check digits (ISO 13616)."""
    text = match[0]
    chars = [char for char in _pattern(_IN_IBAN).finditer(text) if char[1]]
    length = _LENGTHS_OF_IBANS.get(text[:2], len(chars) + 1)
    if length > len(chars):
        return text
    compact = "".join(char[1] for char in chars[:length])
    number = "".join(str(int(char, 36)) for char in compact[4:] + compact[:4])
    if int(number) % 97 != 1:
        return text
    end = chars[length - 1].end()
    return mask(text[:end]) + text[end:]


def digits_of(text: str) -> str:
    """The digits of a text that is a number, in ASCII, whatever stands between them; empty for any
    other, for a day and for an amount.
    """
    if _pattern(_DAY_OR_AMOUNT).fullmatch(text):
        return ""
    digits = re.sub(_BETWEEN, "", text)
    return "".join(str(unicodedata.decimal(char)) for char in digits) if digits.isdecimal() else ""


def hide_digits(text: str, numbers: Iterable[str]) -> str:
    """The text without these numbers, which are digits, whatever stands between them there."""
    own = frozenset(numbers)
    longest = max(map(len, own), default=0)

    def hidden(match: re.Match[str]) -> str:
        groups = [*map(digits_of, re.split(_BETWEEN, match[0]))]
        for first in range(len(groups)):
            # No group is empty, so that a longer beginning has a longer number.
            if not own.isdisjoint(accumulate(groups[first : first + longest])):
                return HIDDEN
        return match[0]

    return _pattern(_DIGITS).sub(hidden, text) if own else text
