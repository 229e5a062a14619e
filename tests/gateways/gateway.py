"""A gateway of other people between a client and a sandbox: a process on a free port of this
machine, from Debian's package.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

INSTALLED = Path(sys.prefix) / "gateways"
"""Where `make .venv/gateways` unpacks the packages."""
PATIENCE = 30.0


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Gateway:
    """A program with a configuration, in a folder of its own, in front of a provider.

    In the text of the configuration, PORT, PROVIDER, FOLDER and INSTALLED stand for what they
    name.
    """

    def __init__(self, command, configuration, provider, folder):
        self._folder = folder
        self._words = {
            "PORT": str(free_port()),
            "PROVIDER": provider.url.removeprefix("http://"),
            "FOLDER": str(folder),
            "INSTALLED": str(INSTALLED),
        }
        self._command = [self._filled(word) for word in command]
        self._configuration = configuration
        self._process = None
        self.url = f"http://127.0.0.1:{self._words['PORT']}"

    def _filled(self, text):
        for word, value in self._words.items():
            text = text.replace(word, value)
        return text

    def __enter__(self):
        self._start()
        return self

    def __exit__(self, *_):
        self._stop()

    def log(self):
        """All that it has said."""
        return "".join(file.read_text() for file in sorted(self._folder.glob("*.log")))

    def _start(self):
        self._folder.mkdir(exist_ok=True)
        (self._folder / "conf").write_text(self._filled(self._configuration))
        libraries = ":".join(map(str, INSTALLED.glob("usr/lib/*-linux-gnu*")))
        with (self._folder / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                env={**os.environ, "LD_LIBRARY_PATH": libraries},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._wait_until(lambda: self._listens() or self._process.poll() is not None)
        assert self._process.poll() is None, self.log()

    def _wait_until(self, is_done):
        ends = time.monotonic() + PATIENCE
        while not is_done():
            assert time.monotonic() < ends, self.log()
            time.sleep(0.02)

    def _listens(self):
        with suppress(OSError), socket.create_connection(("127.0.0.1", int(self._words["PORT"]))):
            return True
        return False

    def _stop(self):
        """End it with all of its workers, also those of earlier configurations."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._wait_until(lambda: not self._listens())
