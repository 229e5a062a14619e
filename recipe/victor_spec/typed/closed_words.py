"""The only words that an argument takes: their type, and how they are checked."""

from typing import Any

from .settings import Choices


def type_of(words: Choices) -> str:
    """The type: a number is taken, too, where the words are names of numbers."""
    known = f"Literal[{', '.join(map(repr, words))}]"
    return known if isinstance(words, list) else f"int | {known}"


def annotation_of(name: str, words: Choices) -> str:
    """The annotation of an argument: of numbers, one is taken, or several."""
    return name if isinstance(words, list) else f"{name} | Sequence[{name}]"


def row_of(words: Choices, numbers: dict[str, Any]) -> dict[str, Any]:
    """How they are checked; `numbers` are the limits of the numbers that they are names of."""
    if isinstance(words, list):
        return {"kind": "one_of", "words": tuple(words)}
    ends = {name: limit for name, limit in numbers.items() if name in ("least", "most")}
    return {"kind": "numbers", "names": dict(words), **ends}
