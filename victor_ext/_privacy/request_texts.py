"""What a request says of persons, cards and accounts, which its response may repeat."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from .hiding import HIDDEN, is_object, is_sequence
from .numbers import digits_of, hide_digits

SHORTEST = 3
"""Characters of a text that is hidden: a shorter one occurs in any sentence."""

_SHORTEST_NUMBER = 6
"""Digits of a number that is hidden however it is written."""

_LONGEST = 20_000
"""Characters of a response's text that are read: a message shows far less of it."""

_WORDS = r"[0-9A-Za-z]+|[^\W_]"
"""Words of ASCII letters and digits. Any other letter is one by itself: Chinese has no spaces."""


class PrivateTexts:
    """Texts of a request that its response may repeat, and messages hide.

    A text is recognized by its words in their order, in any letter case, whatever stands between
    the words: also as JSON, where some letters are escaped. A number is recognized by its digits.
    Without any text, an object is false.
    """

    __slots__ = ("_lengths", "_numbers", "_phrases")

    def __init__(self, texts: Iterable[str]) -> None:
        self._phrases: set[tuple[str, ...]] = set()
        # of all phrases that begin with a word: how many words they have
        self._lengths: dict[str, set[int]] = {}
        self._numbers: set[str] = set()
        for text in texts:
            digits = digits_of(text)
            if len(digits) >= _SHORTEST_NUMBER:
                self._numbers.add(digits)
            if len(text.strip()) >= SHORTEST:
                for form in (text, json.dumps(text), json.dumps(text, ensure_ascii=False)):
                    self._add(form)

    def __bool__(self) -> bool:
        return bool(self._phrases)

    def hide(self, text: str) -> str:
        """The text with the private ones hidden. The number of these does not change the time."""
        text = text[:_LONGEST]
        if not self:
            return text
        matches = [*re.finditer(_WORDS, text)]
        words = [match[0].casefold() for match in matches]
        pieces: list[str] = []
        end = 0  # of the last text that was hidden
        place = 0  # the number of a word
        while place < len(words):
            length = self._longest_at(words, place)
            if length == 0:
                place += 1
                continue
            pieces.append(text[end : matches[place].start()])
            place += length
            end = matches[place - 1].end()
        pieces.append(text[end:])
        return hide_digits(HIDDEN.join(pieces), self._numbers)

    def _add(self, text: str) -> None:
        """Hide the words of a text from now on."""
        phrase = tuple(word.casefold() for word in re.findall(_WORDS, text))
        if phrase:
            self._phrases.add(phrase)
            self._lengths.setdefault(phrase[0], set()).add(len(phrase))

    def _longest_at(self, words: Sequence[str], place: int) -> int:
        """How many words the longest private text has that begins at this word; 0: none does."""
        longest = 0
        for length in self._lengths.get(words[place], ()):
            phrase = tuple(words[place : place + length])
            # Near the end of the text the phrase is cut short, and may be another one.
            if length > longest and len(phrase) == length and phrase in self._phrases:
                longest = length
        return longest


def texts_within(
    body: Any, is_public: Callable[[str], bool], *, numbers: bool, place: str = ""
) -> Iterator[str]:
    """The texts of a JSON body that are not public; with `numbers`, its numbers, too.

    `is_public` is asked for each place in the body, such as `payer.email`; items of a list have the
    place of the list. `place` is that of `body`, where it is a part of another body.
    """
    if is_object(body):
        for name, member in body.items():
            inner = f"{place}.{name}".lstrip(".")
            if not is_public(inner):
                yield from texts_within(member, is_public, numbers=numbers, place=inner)
    elif is_sequence(body):
        for item in body:
            yield from texts_within(item, is_public, numbers=numbers, place=place)
    elif isinstance(body, str):
        yield body
    elif numbers and isinstance(body, int | float) and not isinstance(body, bool):
        yield str(body)
