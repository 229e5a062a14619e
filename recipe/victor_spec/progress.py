"""What a slow command is doing: one line on a terminal, from the third second on."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import TextIO

SLOW = 2.0
"""Seconds after which a command is slow."""
WIDTH = 79
"""The characters of the line: one that is wrapped would not be written over."""


class Line:
    """The line; nothing is written before the command is slow, and nothing is left of it."""

    def __init__(self, stream: TextIO, seconds: float = SLOW) -> None:
        self._stream = stream
        self._text = ""
        self._is_slow = False
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self.begin)
        self._timer.daemon = True
        self._timer.start()

    def show(self, text: str) -> None:
        """Show a step in place of the one before; an empty text shows none."""
        with self._lock:
            self._text = text
            if self._is_slow:
                self._write()

    def close(self) -> None:
        self._timer.cancel()
        self.show("")

    def begin(self) -> None:
        """Show the step of now, and each later one."""
        with self._lock:
            self._is_slow = True
            self._write()

    def _write(self) -> None:
        # The name of a document may have characters that steer a terminal.
        printable = "".join(filter(str.isprintable, self._text))
        self._stream.write(f"\r\x1b[K{printable[:WIDTH]}")
        self._stream.flush()


_lines: list[Line] = []
"""The line of the command that runs; empty in a program of its own."""


@contextmanager
def shown_on(stream: TextIO) -> Generator[None]:
    """Show the steps on a stream that is a terminal; on no other one."""
    if not stream.isatty():
        yield
        return
    line = Line(stream)
    _lines.append(line)
    try:
        yield
    finally:
        _lines.remove(line)
        line.close()


@contextmanager
def step(text: str) -> Generator[None]:
    """Say what is done, as long as it is: `shop.yaml: reading`."""
    for line in _lines:
        line.show(text)
    try:
        yield
    finally:
        for line in _lines:
            line.show("")
