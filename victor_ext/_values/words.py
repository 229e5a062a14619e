"""Words of the providers that this package does not know yet."""

from typing import Self


class Word(str):
    """A word that this package does not know yet, such as a new status:
    `list(status=Word("canceled"))`.

    The arguments for statuses, directions, kinds and environments name their known words, so that a
    type checker refuses a misspelt one. A `Word` says that the spelling is intended: the client
    sends it as it is, without comparing it with the known words. It also serves text of which a
    checker knows nothing, such as a variable of the process environment.
    """

    __slots__ = ()

    def __new__(cls, word: str) -> Self:
        return super().__new__(cls, word)
