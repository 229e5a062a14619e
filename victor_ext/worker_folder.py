"""The worker processes of one service, which answer for each other: see
`victor_ext.prometheus.Prometheus(folder=...)`.

Each process listens on a socket of its own in a folder that they share. Whoever is asked asks all
of them.
"""

import logging
import os
import secrets
import socket
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from . import ConfigurationError

__all__ = ("WorkerFolder",)

_PATIENCE = 5.0
"""Seconds that a process has for its answer."""
_QUESTION_BYTES = 64
_PAUSE = 0.1
"""Seconds before the next connection is taken after one could not be."""
_LOOK_SECONDS = 5.0
"""A process looks so often whether its socket is still in the folder."""
_log = logging.getLogger("victor_ext.prometheus")


class WorkerFolder:
    """The processes of one folder.

    Args:
        folder: Of one machine or container; it is made if it is missing, for its owner alone.
        answer: What this process says to a question.

    Raises:
        ConfigurationError: The folder cannot have a socket.
    """

    def __init__(self, folder: str | os.PathLike[str], answer: Callable[[str], str]) -> None:
        if not str(folder).strip():
            raise ConfigurationError(
                "folder is empty: name a folder that this process can write, such as "
                "/run/app/metrics."
            )
        self._folder = Path(folder)
        self._answer = answer
        self.join()
        joined = weakref.WeakMethod(self.join)
        if sys.platform != "win32":  # no process is forked there
            os.register_at_fork(after_in_child=lambda: _call(joined()))

    def join(self) -> None:
        """Listen in this process; a forked one has another socket than its parent."""
        self._own = self._folder / f"{os.getpid()}-{secrets.token_hex(4)}.sock"
        listener = self._listen()
        name = "victor_ext.prometheus"
        threading.Thread(target=self._serve, args=(listener,), name=name, daemon=True).start()

    def _listen(self) -> socket.socket:
        """Raises `ConfigurationError` if the folder cannot have the socket."""
        listener = _file_socket()
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            listener.bind(str(self._own))
        except OSError as error:
            listener.close()
            raise ConfigurationError(
                f"folder cannot have the socket of this process, {self._own}: {error}. Name a "
                "folder that this process can write, with a short path, such as /run/app/metrics."
            ) from None
        listener.listen()
        listener.settimeout(_LOOK_SECONDS)
        return listener

    def ask(self, question: str) -> Iterator[tuple[str, str | None]]:
        """Each process by its id, with its answer; None where it gives none in five seconds.

        The socket of a process that has ended is removed.
        """
        for path in sorted({*self._folder.glob("*.sock"), self._own}):
            process = path.name.partition("-")[0]
            if path == self._own:  # it counts, whatever became of its socket
                yield process, self._own_answer(question)
                continue
            try:
                yield process, _asked(path, question)
            except (ConnectionRefusedError, FileNotFoundError):
                path.unlink(missing_ok=True)
            except OSError:
                yield process, None

    def _own_answer(self, question: str) -> str | None:
        try:
            return self._answer(question)
        except Exception:  # noqa: BLE001 - a collector of the program's may raise anything
            _log.warning("There is no answer to %s.", question, exc_info=True)
            return None

    def _serve(self, listener: socket.socket) -> None:
        """Answer until the process ends: whatever one question does, the next one is answered."""
        while True:
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                listener = self._restored(listener)
                continue
            except OSError:  # such as for want of file descriptors
                time.sleep(_PAUSE)
                continue
            with connection, suppress(OSError):
                self._reply(connection)

    def _restored(self, listener: socket.socket) -> socket.socket:
        """The listener; another one if its socket was removed, such as by a cleaner of old files:
        without it, nobody would count this process.
        """
        with suppress(OSError):
            if self._own.exists():
                return listener
        try:
            restored = self._listen()
        except ConfigurationError as error:
            _log.warning("The other processes do not count this one: %s", error)
            return listener
        listener.close()
        return restored

    def _reply(self, connection: socket.socket) -> None:
        connection.settimeout(_PATIENCE)
        question = connection.recv(_QUESTION_BYTES).decode(errors="replace")
        answer = self._own_answer(question)
        if answer is not None:  # whoever asks says that there is none
            connection.sendall(answer.encode() + b"\0")


def _file_socket() -> socket.socket:
    """Raises `ConfigurationError` where a socket has no place in the file system."""
    if sys.platform == "win32":
        raise ConfigurationError(
            "folder needs sockets in the file system, which this system lacks: leave folder "
            "out, and call serve() with a port for each worker."
        )
    return socket.socket(socket.AF_UNIX)


def _asked(path: Path, question: str) -> str:
    """Raises OSError where there is no answer, or only a part of one."""
    with _file_socket() as connection:
        connection.settimeout(_PATIENCE)
        connection.connect(str(path))
        connection.sendall(question.encode())
        parts: list[bytes] = []
        while part := connection.recv(65_536):
            parts.append(part)
    answer = b"".join(parts)
    if not answer.endswith(b"\0"):
        raise ConnectionError("the answer has no end")
    return answer[:-1].decode()


def _call(join: Callable[[], None] | None) -> None:
    if join is not None:
        join()
