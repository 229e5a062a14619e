"""Docstrings of generated functions and methods: what the settings say of an operation, what the
document says of its arguments, and their limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from textwrap import fill, indent

from .plans import Argument
from .settings import MethodSettings, sentence

_QUOTES = '"""'
"""What the first line stands behind."""
_BEFORE_NONE = re.compile(r"(?:^|(?<=[.)]) )(?=None: [^.]*\.$)")
"""Before the last sentence about an argument, if that says what None means."""


def docstring_of(
    own: MethodSettings, summary: str, arguments: Iterable[Argument], width: int
) -> str:
    """The docstring, in Google's style. `summary` is that of the document."""
    paragraphs = re.split(r"\n\s*\n", _QUOTES + (own.text or summary).strip())
    sections = [text if text.startswith(" ") else _filled(text, width) for text in paragraphs]
    described = {argument.name: _words_about(argument, own) for argument in arguments}
    sections.append(_entries("Args", described, width))
    if own.returns:
        sections.append(f"Returns:\n{_filled(sentence(own.returns), width, margin=4)}")
    sections.append(_entries("Raises", own.raises, width))
    if own.examples:
        sections.append(f"Examples:\n{indent(own.examples.rstrip(), ' ' * 4)}")
    return "\n\n".join(filter(None, sections)).removeprefix(_QUOTES)


def _entries(heading: str, entries: Mapping[str, str], width: int) -> str:
    """A section of names with what is said of each, if anything; empty without any."""
    texts = [f"{name}: {sentence(words)}" for name, words in entries.items() if words]
    lines = [_filled(text, width, margin=8).removeprefix(" " * 4) for text in texts]
    return "\n".join([f"{heading}:", *lines]) if lines else ""


def _filled(text: str, width: int, margin: int = 0) -> str:
    """A paragraph in lines of that width, which includes the margin."""
    lines = fill(text, width - margin, break_long_words=False, break_on_hyphens=False)
    return indent(lines, " " * margin)


def _words_about(argument: Argument, own: MethodSettings) -> str:
    """What is said of an argument: by the settings, else by the document.

    The limits that the settings do not say stand before what None means, and the server's default
    comes last.
    """
    if argument.name not in own.arguments:
        return argument.description or (f"`{argument.place}`." if argument.place else "")
    words = sentence(own.arguments[argument.name])
    meaning, *none = _BEFORE_NONE.split(words)
    sentences = [meaning]
    if argument.limits not in words:
        sentences.append(argument.limits)
    sentences += none
    if argument.server_default:
        sentences.append(f"(The server's default: {argument.server_default}).")
    return " ".join(filter(None, sentences))
