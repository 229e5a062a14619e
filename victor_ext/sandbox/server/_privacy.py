"""What may be shown: no credentials, the last four digits of long numbers; and files that nobody
else may read.
"""

import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress

HIDDEN = "…"
_SECRET = re.compile("authorization|cookie|secret|signature|token|api.?key", re.IGNORECASE)
_SECRET_MEMBER = re.compile(r'("\w*(?:secret|token|signature|private)\w*": )"[^"]*"', re.IGNORECASE)
_LONG_ENOUGH = re.compile(r"(?<![\w-])([0-9]{5,})([0-9]{4})(?![\w-])")
"""A number that stands alone: the digits of a key, such as a UUID, are no account."""
_OWNER_ALONE = 0o600


def shown_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by name, with credentials hidden. The values of a repeated name are joined with a
    comma.
    """
    shown: dict[str, str] = {}
    for name, value in headers:
        label, text = name.decode("latin-1"), value.decode("latin-1")
        if _SECRET.search(label):
            scheme, space, _ = text.partition(" ")
            text = f"{scheme} {HIDDEN}" if space else HIDDEN
        shown[label] = f"{shown[label]}, {text}" if label in shown else text
    return shown


def masked(text: str) -> str:
    """A text in which of each long number only the last four digits stand."""
    return _LONG_ENOUGH.sub(lambda match: "•" * len(match[1]) + match[2], text)


def one_line(text: str) -> str:
    """The beginning of a text on one line, with the last four digits of a long number only."""
    return masked("".join(c if c.isprintable() else "?" for c in text[:200]))


def body_text(body: bytes) -> str:
    """A body for people: JSON with indentation, without credentials and whole long numbers."""
    text = body.decode("utf-8", "replace")
    with suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return masked(_SECRET_MEMBER.sub(rf'\1"{HIDDEN}"', text))


def open_private(path: str | os.PathLike[str], flags: int) -> int:
    """Open or create a file that only its owner may read; returns its descriptor."""
    return os.open(path, flags | os.O_CREAT, _OWNER_ALONE)
