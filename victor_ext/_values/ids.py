"""When two ids, references or texts are the same, or may be (`skeleton_of`); and which texts can be
seen and stored: for all payment systems, files and databases.
"""

import re
import unicodedata

GUID = re.compile(r"[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}", re.IGNORECASE)
_BLANKS = " \t\n\v\f\r"
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Characters that are letters, marks or symbols to Unicode, and that no font draws."""
HALF_CHARACTER = (
    "holds half of a character (a lone surrogate): pass the text as it was before it was cut"
)
"""What is wrong with text that UTF-8 has no bytes for."""
_MOST_SHOWN = 80
"""The maximum number of characters of a text that a message shows."""


def trimmed(text: str | None) -> str | None:
    """Return the text without ASCII blanks around it, or None if nothing is left."""
    return (text or "").strip(_BLANKS) or None


def says_nothing(value: object) -> bool:
    """Return whether a value has nothing that could be compared: it is None, or blanks and stars
    alone.
    """
    return value is None or (isinstance(value, str) and not value.strip(" \t\r\n*").strip())


def in_one_form(text: str) -> str:
    """Return the text in one Unicode form, NFC: an `ü` may be one character or two."""
    # Not NFKC: what that changes, such as a raised digit, may be a fact.
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


def words_of(text: str) -> str:
    """Return the words of a text, in one form and with one space between them."""
    return " ".join(in_one_form(text).split())


def reference_of(reference: object) -> str:
    """Return the text of a reference, so that two are the same if their texts are equal; an empty
    text for None.
    """
    return "" if reference is None else in_one_form(str(reference)).strip()


KEPT_AS_TEXT = re.compile(r'="((?:[^"]|"")*)"')
"""A cell such as `="01042"`: a formula by which tools keep a spreadsheet from dropping zeros."""
_SAME_KEY = str.maketrans(
    {
        "\N{MINUS SIGN}": "-",
        "\N{HYPHEN BULLET}": "-",
        "\N{FRACTION SLASH}": "/",
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{ARABIC DECIMAL SEPARATOR}": ".",
        "\N{ARABIC THOUSANDS SEPARATOR}": ",",
    }
)
"""Characters that programs write when a person presses the key of another one."""
_GUID_DIGITS = re.compile(
    r"\{?([0-9a-f]{8})(-?)([0-9a-f]{4})\2([0-9a-f]{4})\2([0-9a-f]{4})\2([0-9a-f]{12})\}?",
    re.IGNORECASE,
)


def guid_digits(text: str) -> str | None:
    """Return the 32 digits of a GUID in small letters, as programs write it: in capitals, without
    hyphens, in braces. None: the text is no GUID; digits alone are a number.
    """
    guid = _GUID_DIGITS.fullmatch(text)
    if guid is None or text.isdecimal():
        return None
    first, _, *rest = guid.groups()
    return "".join([first, *rest]).lower()


_NUMBER = re.compile(
    r"(?P<sign>[+-]?)"
    # 1,042 and 01,042 are 1042; 0.042 and 10.42 have no groups.
    r"(?P<whole>0*[1-9][0-9]{0,2}(?P<group>[,.' ])[0-9]{3}(?:(?P=group)[0-9]{3})*|[0-9]+)"
    r"(?:(?!(?P=group))[,.](?P<fraction>[0-9]*))?"
)


def skeleton_of(text: str) -> str:
    """Return what is left of a text when it is taken through spreadsheets, copied and typed again:
    texts with one skeleton may name one thing.

    Compatibility forms and letter case are folded, invisible characters fall, blanks are joined,
    each dash is `-`, each digit is of ASCII, and the quotes of spreadsheets fall: `'1042`,
    `="1042"`. Only in a text that is one number, leading zeros, separators before groups of three
    digits, a plus sign and zeros at the end of a fraction fall: `01042`, `1,042` and `1042.0` are
    `1042`; `10.42` and `1-042` are not. Of a GUID, its digits are left.
    """
    typed = unicodedata.normalize("NFKC", text)
    if not (typed.isascii() and typed.isprintable()):
        typed = "".join(map(_typed, typed)).translate(_SAME_KEY)
    folded = unicodedata.normalize("NFKC", typed.casefold())
    plain = _unquoted(" ".join(folded.split()))
    digits = guid_digits(plain)
    if digits is not None:
        return digits
    number = _NUMBER.fullmatch(plain)
    if number is None:
        return plain or text.strip()
    shortest = _shortest_number(number)
    # 1.0420 is 1.042, which is 1042.
    return shortest if shortest == plain else skeleton_of(shortest)


def _typed(char: str) -> str:
    """Return a character as the key of a keyboard has it; empty for one that cannot be seen."""
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    if unicodedata.category(char) == "Pd":
        return "-"
    return char if char.isspace() or is_visible(char) else ""


def _unquoted(text: str) -> str:
    """Return a text without the quotes by which spreadsheets and tools mark it as text."""
    while True:
        formula = KEPT_AS_TEXT.fullmatch(text)
        plain = text.removeprefix("'") if formula is None else formula[1].replace('""', '"')
        if plain == text:
            return text
        text = plain.strip()


def _shortest_number(number: re.Match[str]) -> str:
    """Return the shortest text of a number."""
    digits = re.sub("[^0-9]", "", number["whole"]).lstrip("0") or "0"
    fraction = (number["fraction"] or "").rstrip("0")
    shortest = f"{digits}.{fraction}" if fraction else digits
    return f"-{shortest}" if number["sign"] == "-" and shortest != "0" else shortest


def is_visible(char: str) -> bool:
    """Whether a font draws a character; a space counts as drawn."""
    return char.isprintable() and char not in _BLANK_LETTERS


def visible(text: str) -> str:
    """Return the text with each character that cannot be seen as its code point, such as
    `<U+200B>`.
    """
    return "".join(char if is_visible(char) else f"<U+{ord(char):04X}>" for char in text)


def unseen_in(text: str) -> str:
    """Return what is wrong with text that begins or ends with a space, or has a character that
    cannot be seen, as the end of a sentence; empty: nothing is.
    """
    if text == text.strip() and text.isprintable() and _BLANK_LETTERS.isdisjoint(text):
        return ""
    return (
        "begins or ends with a space, or holds a character that cannot be seen: "
        f"{visible(text)[:_MOST_SHOWN]!r}"
    )


def without_unseen(text: str) -> str:
    """Return the text without what `unseen_in` refuses."""
    spaced = "".join(" " if char.isspace() else char for char in text)
    return "".join(filter(is_visible, spaced)).strip()


def problem_of_typed_id(id: str) -> str:
    """Return what is wrong with the `id` that a person has typed, as a sentence; empty: nothing
    is.
    """
    wrong = unseen_in(id) if id else "is empty"
    return wrong and f"id {wrong}: write the id alone, as the provider has it."


def canonical_id(text: str | None) -> str | None:
    """Return the text of an id, so that two are the same if their texts are equal; None for an
    empty id.

    Letter case makes no difference in a UUID, and does in any other id.
    """
    exact = trimmed(None if text is None else in_one_form(text))
    return exact.lower() if exact is not None and GUID.fullmatch(exact) else exact


def is_same_id(one: str | None, other: str | None) -> bool:
    """Return whether two ids are the same."""
    return canonical_id(one) == canonical_id(other)


def storable(text: str) -> str:
    """Return the text in a form that each database, file and terminal takes.

    Half of a character, for which UTF-8 has no bytes, and the character zero are written as Python
    writes them: `\\ud83d`, `\\x00`.
    """
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
