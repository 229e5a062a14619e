"""Docstrings of generated functions and methods: what the settings say of an operation, what the
document says of its arguments, and their limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from textwrap import indent, wrap

from .plans import Argument
from .settings import MethodSettings, sentence

_WITHOUT_VALUE = re.compile(r"(?:^|(?<=[.)] ))None: [^.]*\.$")
"""The last sentence about an argument that says what None means."""


def docstring_of(
    own: MethodSettings, summary: str, arguments: Iterable[Argument], width: int
) -> str:
    """The docstring, in Google's style. `summary` is that of the document."""
    sections = [_paragraphs(own.text or summary, width)]
    described = ((each.name, _words_about(each, own)) for each in arguments)
    sections.append(_entries("Args", described, width))
    if own.returns:
        returned = indent(_filled(sentence(own.returns), width - 4), " " * 4)
        sections.append(f"Returns:\n{returned}")
    raised = ((name, sentence(reason)) for name, reason in own.raises.items())
    sections.append(_entries("Raises", raised, width))
    if own.examples:
        session = indent(own.examples.rstrip(), " " * 4)
        sections.append(f"Examples:\n{session}")
    return "\n\n".join(filter(None, sections))


def _paragraphs(text: str, width: int) -> str:
    first, *others = re.split(r"\n\s*\n", text.strip())
    paragraphs = [_filled(first, width, behind='"""')]
    for each in others:
        is_code = each.startswith(" ")
        paragraphs.append(each if is_code else _filled(each, width))
    return "\n\n".join(paragraphs)


def _entries(heading: str, entries: Iterable[tuple[str, str]], width: int) -> str:
    """A section of names with what is said of each, if anything; empty without any."""
    lines = [line for name, words in entries if words for line in _entry(name, words, width)]
    return "\n".join([f"{heading}:", *lines]) if lines else ""


def _entry(name: str, words: str, width: int) -> Iterator[str]:
    first, *others = _filled(f"{name}: {words}", width - 8).splitlines()
    yield f"    {first}"
    for line in others:
        yield f"        {line}"


def _filled(text: str, width: int, behind: str = "") -> str:
    """A paragraph in lines of that width, the first of which stands behind something."""
    lines = wrap(
        " ".join(text.split()),
        width,
        initial_indent=behind,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).removeprefix(behind)


def _words_about(argument: Argument, own: MethodSettings) -> str:
    """What is said of an argument: by the settings, else by the document."""
    words = own.arguments.get(argument.name)
    if words is None:
        return argument.description or (f"`{argument.place}`." if argument.place else "")
    return _with_limits(sentence(words), argument)


def _with_limits(words: str, argument: Argument) -> str:
    """What the settings say of an argument, with the limits that they do not say: before what None
    means, and the server's default after it.
    """
    without_value = _WITHOUT_VALUE.search(words)
    end = len(words) if without_value is None else without_value.start()
    sentences = [words[:end].rstrip()]
    if argument.limits and argument.limits not in words:
        sentences.append(argument.limits)
    sentences.append(words[end:])
    if argument.server_default:
        sentences.append(f"(The server's default: {argument.server_default}).")
    return " ".join(filter(None, sentences))
