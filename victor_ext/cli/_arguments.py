"""Options that are the arguments of a method of Victor's client.

Which arguments there are, and of which kind, is read from the rows of the generated package; what
they mean, from the docstring of the method.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from typing import Any, ClassVar, NamedTuple

from ._document import Rows, rows_of, texts_of
from ._options import day, decimal, moments, number, option, whole_number
from ._session import Session

_TIME = "zulu"
_DAY = "day"


class _OptionKind(NamedTuple):
    """How an argument of one kind is an option: its type, what the help writes for its value, and
    its parser.
    """

    type: Any
    metavar: str | None
    parser: Callable[[str], object] | None = None
    sentence: str = ""
    """What its help says beside the text about the argument."""


_KINDS = {
    "text": _OptionKind(str, "TEXT"),
    "choice": _OptionKind(str, "TEXT"),
    "one_of": _OptionKind(str, "TEXT"),
    "dollars": _OptionKind(str, "USD"),
    _DAY: _OptionKind(str, "DATE"),
    _TIME: _OptionKind(str, "TIME", sentence="In Zulu time."),
    "integer": _OptionKind(int, "N", parser=whole_number()),
    "number": _OptionKind(float, "N", parser=number()),
    "decimal": _OptionKind(str, "N", parser=decimal),
    "flag": _OptionKind(bool, None),
}
"""The kinds of rows that an option can be. An argument of another kind, such as an object, is for
Python.
"""


class MethodSession(Session):
    """The options of a command that calls one method: those of all commands, and the arguments of
    its operation.

    A subclass names the operation. It declares an option itself where the command has more to say
    than the method, and for what is no row of the operation.
    """

    rows: ClassVar[Rows] = {}
    """The rows of the operation that are options."""

    def __init_subclass__(cls, operation: str, without: tuple[str, ...]) -> None:
        """Add an option for each argument of the operation that the class does not declare.

        `without` names the other parameters of the command. As with an option of all commands, an
        argument of the same name is for Python.
        """
        taken = {*without, *(each.name for each in fields(Session))}
        cls.rows = {
            name: row
            for name, row in rows_of(operation).items()
            if name not in taken and row.get("kind", "text") in _KINDS
        }
        texts = texts_of(operation)
        by_hand = inspect.get_annotations(cls)
        annotations: dict[str, Any] = {}
        for name, row in cls.rows.items():
            kind = _kind_of(row)
            annotations[name] = by_hand.get(name, kind.type | None)
            if name not in by_hand:
                text = _help_of(texts.get(name, ""), row)
                setattr(cls, name, option(text, kind.metavar, parser=kind.parser))
        cls.__annotations__ = annotations | by_hand
        super().__init_subclass__()

    def arguments(self, doing: str, check: Callable[..., object] = dict) -> dict[str, Any]:
        """Return the arguments of the method: words for days are dates, and times are moments.

        Args:
            doing: As for `moments`.
            check: As for `moments`; it is called with all arguments.

        Raises:
            InvalidRequest: A time cannot be read, or `check` has found problems.
        """
        arguments = self.own_options
        times: dict[str, str | None] = {}
        for name, row in self.rows.items():
            kind = row.get("kind")
            if kind == _DAY:
                arguments[name] = day(arguments[name])
            elif kind == _TIME:
                times[name] = arguments.pop(name)
        return arguments | moments(times, doing=doing, check=partial(check, **arguments))


def _kind_of(row: Mapping[str, Any]) -> _OptionKind:
    return _KINDS[row.get("kind", "text")]


def _help_of(text: str, row: Mapping[str, Any]) -> str:
    """Return the text about an argument as that of an option: without marks of Python, with the
    words that the document has, and whether the call needs it.
    """
    text = re.sub(r'`"?(.*?)"?`', r"\1", text)
    text = re.sub(r" ?None: [^.]*\.", "", text)
    sentences = [text, _kind_of(row).sentence]
    if not all(re.search(rf"\b{word}\b", text) for word in row.get("words", ())):
        sentences.append(f"One of {', '.join(row['words'])}.")
    if row.get("required"):
        sentences.append("[needed]")
    return " ".join(filter(None, sentences))
