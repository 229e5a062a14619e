"""Ctrl-C in a long statement of SQLite.

Python runs the handlers of signals between its own instructions, and there are none while SQLite is
at work. So SQLite calls a function of Python now and then (`SignalWatch`), in which they run.
"""

import sqlite3
from collections.abc import Iterator

_STEPS = 250_000
"""The steps of SQLite between two calls: less than 0.1 s."""


class SignalWatch:
    """Lets the handlers of signals run during the statements of a connection.

    What a handler raises, such as `KeyboardInterrupt`, ends the statement: `sqlite3` then raises an
    `OperationalError` of its own, in place of which `taken` has to be raised.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._raised: BaseException | None = None
        calls = self._calls()
        next(calls)
        # Of a function, a handler runs before its first line, where nothing can catch the error.
        connection.set_progress_handler(calls.__next__, _STEPS)

    def taken(self) -> BaseException | None:
        """Return what a handler of a signal has raised during the last statement, once; None:
        nothing.
        """
        raised = self._raised
        self._raised = None
        return raised

    def _calls(self) -> Iterator[int]:
        """Yield, for each call, whether the statement has to end."""
        while True:
            try:
                yield int(self._raised is not None)
            except GeneratorExit:
                return
            except BaseException as error:  # noqa: BLE001 - it is raised again, by who takes it
                self._raised = error
