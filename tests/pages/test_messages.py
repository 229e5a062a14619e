"""The messages that the page about trouble quotes are those of the package: who searches for one finds it."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.pages.page import ROOT

pytestmark = pytest.mark.slow
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
OF_LIBRARIES = {"Name or service not known", "certificate verify failed"}
"""What the system and its libraries say. The package passes it on."""
HEADINGS = re.findall(r"\*\*(.+?)\*\*", PAGE, re.DOTALL)
CODE = {" ".join(code.split()) for heading in HEADINGS for code in re.findall(r"`([^`]+)`", heading)} - OF_LIBRARIES
QUOTES = [
    quote.strip()
    for code in sorted(CODE)
    for quote in re.sub(r" \([A-Z].*\)$", "", code).split("...")
    if quote.strip().count(" ") >= 2
]
VALUE = "\0"


@cache
def texts() -> set[str]:
    """The sentences of the package, with `VALUE` for each value of an f-string."""
    found: set[str] = set()
    for path in (ROOT / "victor_ext").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr | ast.Constant):
                parts = node.values if isinstance(node, ast.JoinedStr) else [node]
                found.add("".join(str(part.value) if isinstance(part, ast.Constant) else VALUE for part in parts))
    return {text for text in found if " " in text and "\n" not in text}


def is_in(quote: str, text: str) -> bool:
    """Whether a text has the words of a quote, or values in place of fewer than half of them."""
    words = [rf"(?:{re.escape(word)}|\S*{VALUE}\S*)" for word in quote.split()]
    found = re.search(" ".join(words), text)
    return found is not None and sum(VALUE in word for word in found[0].split()) < len(words) / 2


@pytest.mark.parametrize("quote", QUOTES)
def test_the_package_has_what_the_page_quotes(quote: str) -> None:
    assert any(is_in(quote, text) for text in texts())


def test_a_message_of_nobody_is_noticed() -> None:
    assert len(QUOTES) > 15
    assert not any(is_in("amount is a double, which cannot hold cents exactly", text) for text in texts())
