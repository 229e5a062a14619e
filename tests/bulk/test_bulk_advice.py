"""What `victor bulk` tells a person to do next: in the order of the sheet, and by commands that run
as they are shown.
"""

import re
import shlex
import subprocess

import pytest

from tests.bulk.bulk_runs import (
    asked_once,
    referenced,
    respond_to_creates,
    row,
)
from tests.cli.victor_command import SCRIPT, Ran

pytestmark = pytest.mark.pull_request
ODD = "it's $HOME & \N{LATIN SMALL LETTER A WITH DIAERESIS}.csv"
"""The name of a file that a shell would take apart."""


def commands_in(shown):
    """The commands that stand on lines of their own."""
    return re.findall(r"^  (victor .*)$", shown, re.MULTILINE)


def typed(bulk, shown, **words):
    """Type each command that is shown into a shell, the last one first. `words` replace its words
    in capital letters. Returns how each one ended, by its name.
    """
    variables = {**bulk.environment, "PATH": f"{SCRIPT.parent}:/usr/bin:/bin"}
    ended = {}
    for line in reversed(commands_in(shown)):
        command = line
        for word, value in words.items():
            command = re.sub(rf"\b{word}\b", shlex.quote(value), command)
        ran = subprocess.run(
            ["sh", "-c", command],
            cwd=bulk.folder,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode != 2, (command, ran.stderr)
        ended[shlex.split(command)[2]] = Ran(ran.returncode, ran.stdout, ran.stderr)
    return ended


@pytest.fixture
def state(bulk):
    """The option that names a state of our own, in a file with a blank in its name."""
    return ("--state", f"sqlite:///{bulk.folder}/our state.sqlite")


def test_each_command_that_is_shown_runs_as_it_is(bulk, victor_sandbox, state):
    bulk.write([*referenced(2), row(3, amount="0")], ODD)
    respond_to_creates(victor_sandbox, 503)
    sent = bulk.send(ODD, "--skip-invalid", "--patience", "0", "--deadline", "0.5", *state)
    assert sent.status == 3
    victor_sandbox.clear_faults()
    ended = typed(bulk, sent.err, KEY="INV-1", ID="an-id", NAME="Ann", HOW="a list")
    assert [*ended] == ["export", "resolve", "resume"]
    assert len(ended["export"].table) == 3
    assert ended["resume"].out == f"{ODD}: 3 rows: 2 created, 1 refused\n"
    asked_once(victor_sandbox, referenced(2)[1:])


def test_resume_goes_on_as_the_person_has_said(bulk, victor_sandbox, state):
    """The state has how long keys are kept."""
    respond_to_creates(victor_sandbox, 503)
    ways = ("--patience", "0", "--deadline", "0.5")
    bulk.write(referenced(2), ODD)
    assert bulk.send(ODD, *ways, *state).status == 3
    words = ("--workers", "2", "--keys-kept", "2h", "--patience", "0")
    resumed = bulk("resume", *words, "--deadline", "0.5", *state)
    assert resumed.status == 3
    first, *_ = commands_in(resumed.err)
    kept = ["--workers", "2", "--patience", "0", "--deadline", "0.5"]
    assert shlex.split(first) == ["victor", "bulk", "resume", "--batch", ODD, *state, *kept]
    assert typed(bulk, f"  {first}\n")["resume"].status == 3
