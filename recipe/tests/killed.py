"""A process that is killed, as by the kernel, at the n-th moment at which it changes a file.

`python -m tests.killed` reads tasks from its input, one a line, and plays each in a process of its
own: it forks, so that nothing is imported twice.
"""

import json
import os
import signal
import sys
from itertools import count
from pathlib import Path

from victor_spec.command_line import main
from victor_spec.replacement import replace_together

EVENTS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree"}
"""What Python tells before it changes a file."""
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def kill_at(moment, journal):
    """Kill this process at a moment from which on a journal exists: 0 is the one that makes it."""
    moments = count()
    is_counting = False

    def before(event, arguments):
        nonlocal is_counting
        is_change = event in EVENTS and (event != "open" or arguments[2] & WRITING)
        if not is_change:
            return
        is_counting = is_counting or str(arguments[0]) == journal
        if is_counting and next(moments) == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(before)


def play(task):
    """Do what a task says: run a command, or replace files."""
    if "command" in task:
        with open(os.devnull, "w") as nowhere:
            sys.stdout = sys.stderr = nowhere
            main(task["command"])
        return
    files = {name: text.encode() for name, text in task["files"].items()}
    document = Path(task["document"])
    package = [Path(path) for path in task["package"]]
    changelog = document.parent.parent / "CHANGELOG.md"
    replace_together(document, files, package=(*package,), changelog=(b"# New\n", changelog))


def was_killed(task):
    """Whether a task was killed before it came to its end."""
    child = os.fork()
    if not child:
        kill_at(task["moment"], task["journal"])
        play(task)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(was_killed(json.loads(line))), flush=True)
