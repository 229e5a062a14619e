"""When two ids, references or texts are the same, and which texts can be stored: for all payment
systems, files and databases.
"""

import re
import unicodedata

GUID = re.compile(r"[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}", re.IGNORECASE)
_BLANKS = " \t\n\v\f\r"
HALF_CHARACTER = (
    "holds half of a character (a lone surrogate): pass the text as it was before it was cut"
)
"""What is wrong with text that UTF-8 has no bytes for."""


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
