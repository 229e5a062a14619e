"""A block of commands can be typed into zsh, the shell of macOS, as into bash.

A comment behind a command is an argument there: a block holds commands alone, and words stand above
it.
"""

import re

import pytest
from sybil import Document
from sybil.parsers.markdown.lexers import FencedCodeBlockLexer

from tests.pages.page import PAGES, name_of

COMMENT = re.compile(r"(?:^|\s)#.*", re.MULTILINE)
SET_BY_ZSH = re.compile(
    r"\b(?:argv|status|pipestatus|signals|(?:cd|f|mail|man|module_)?path)(?:=|\s+in\b)"
)


def blocks():
    """The commands of each block, by its page and line."""
    lexer = FencedCodeBlockLexer("sh|console")
    commands = {}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for region in lexer(Document(text, str(page))):
            source = region.lexemes["source"]
            if region.lexemes["language"] == "console":
                typed = re.findall(r"^\$ ((?:.*\\\n)*.*\n)", source, re.MULTILINE)
                source = "".join(typed)
            line = text.count("\n", 0, region.start) + 1
            commands[f"{name_of(page)}:{line}"] = source
    return commands


BLOCKS = blocks()
each_block = pytest.mark.parametrize("block", BLOCKS)


@each_block
def test_a_block_holds_commands_alone(block):
    assert COMMENT.findall(BLOCKS[block]) == [], "write the words above the block"


@each_block
def test_a_block_sets_nothing_that_zsh_sets_itself(block):
    assert SET_BY_ZSH.findall(BLOCKS[block]) == []
