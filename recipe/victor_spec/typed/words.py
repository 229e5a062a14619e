"""The words of arguments, as types: those of the settings, and those of the document's enums."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .settings import SettingsError


@dataclass(frozen=True, slots=True)
class WordsType:
    """A type of some words."""

    name: str
    words: Sequence[str]
    is_enum: bool = False
    """Whether the document has the words as an enum: a member of an enum is taken, too."""


def default_name(function: str, argument: str) -> str:
    """The name of the words of an argument that the settings do not name. No other one has it."""
    parts = f"{function}_{argument}".split("_")
    return "".join(part[:1].upper() + part[1:] for part in parts) + "Word"


def words_types(named: Mapping[str, Sequence[str]], enums: Iterable[WordsType]) -> list[WordsType]:
    """The types of the words in the settings and in enums, each once.

    Raises SettingsError for a name that two different enums have.
    """
    types = {name: WordsType(name, words) for name, words in named.items()}
    for each in enums:
        if types.setdefault(each.name, each) != each:
            raise SettingsError(
                f"words: {each.name} is the name of two enums with other words: write another one "
                "for one of them."
            )
    return list(types.values())
