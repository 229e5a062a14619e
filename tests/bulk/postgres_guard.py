"""Ends a PostgreSQL server when the tests that use it have ended, however they ended.

`python postgres_guard.py FOLDER` waits for the end of its standard input: that comes when the
process of the tests closes it, or is killed. Then nothing that runs for the folder is left, nor the
folder.
"""

import shutil
import signal
import sys
from contextlib import suppress

import psutil

PROGRAMS = ("initdb", "pg_ctl", "postgres")
ROUNDS = 10
"""A program that ends may have started the next one."""


def processes_of(folder):
    """What runs for this folder."""
    return [
        process
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] in PROGRAMS and folder in " ".join(process.info["cmdline"] or ())
    ]


def main(folder):
    """Wait, end the processes at once, and remove the folder."""
    sys.stdin.read()
    for _ in range(ROUNDS):
        processes = processes_of(folder)
        if not processes:
            break
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGQUIT)
        psutil.wait_procs(processes, timeout=10)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
