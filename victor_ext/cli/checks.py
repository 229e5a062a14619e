"""What a command checks itself, put together with what the client finds: everything wrong is said at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from victor_ext import Problem


class Checks:
    """Collects what is wrong with the options of a command. Nothing may be sent before `finish`."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def moment(self, name: str, text: str | None, *, needed: bool = False) -> datetime | None:
        """A moment from Zulu time; None, and perhaps a problem, when there is none in the text."""
        from victor_ext import InvalidRequest, Problem, zulu  # noqa: PLC0415 - `victor --help` needs none of them

        if text is None:
            if needed:
                self._problems.append(Problem(name, "required", f"{name} is missing."))
            return None
        try:
            return zulu.parse(text)
        except InvalidRequest as error:
            # It was asked about a text: here the text has a name.
            self._problems += [Problem(name, found.code, f"{name}: {found.message}") for found in error.problems]
            return None

    def run(self, check: Callable[[], object]) -> None:
        """Let the client check: a call that sends nothing yet."""
        from victor_ext import InvalidRequest  # noqa: PLC0415 - see above

        try:
            check()
        except InvalidRequest as error:
            self._problems += error.problems

    def finish(self, doing: str) -> None:
        """Raise `InvalidRequest` with all that was found, if there was anything."""
        from victor_ext import InvalidRequest  # noqa: PLC0415 - see above

        if self._problems:
            raise InvalidRequest.of(self._problems, doing=doing)
