"""What `victor bulk` tells a person to do next: in the order of the sheet, and by commands that run
as they are shown.
"""

import re
import shlex
import subprocess

import pytest

from tests.bulk.bulk_runs import (
    asked_once,
    outbound,
    referenced,
    respond_to_creates,
    row,
    rows,
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
    """Also with how long keys are kept: without it, what the provider may have forgotten would be
    sent again.
    """
    respond_to_creates(victor_sandbox, 503)
    ways = ("--patience", "0", "--deadline", "0.5")
    bulk.write(referenced(2), ODD)
    assert bulk.send(ODD, *ways, *state).status == 3
    words = ("--workers", "2", "--key-retention", "2m", "--patience", "0")
    resumed = bulk("resume", *words, "--deadline", "0.5", *state)
    assert resumed.status == 3
    first, *_ = commands_in(resumed.err)
    kept = ["--workers", "2", "--key-retention", "120", "--patience", "0", "--deadline", "0.5"]
    assert shlex.split(first) == ["victor", "bulk", "resume", "--batch", ODD, *state, *kept]
    assert typed(bulk, f"  {first}\n")["resume"].status == 3


def test_the_commands_of_a_restored_state_run_as_they_are(bulk, victor_sandbox, sender, state):
    sender.store(rows(1), state=state[1], batch="march")
    held = bulk("hold", *state)
    released = typed(bulk, held.err)["release"]
    assert released.out.startswith("Released. 1 row")
    assert "march: 1 row: " in typed(bulk, released.err)["resume"].out
    asked_once(victor_sandbox, [])


def test_a_row_to_decide_about_comes_with_the_command_that_decides(bulk, victor_sandbox, state):
    assert bulk.send(rows(1), *state).status == 0
    (asked,) = outbound(victor_sandbox)
    victor_sandbox.move(asked["id"], "declined")
    decide = bulk.send([row(1, amount="7.00")], *state)
    assert decide.status == 1
    again = typed(bulk, decide.err, KEY="INV-1", NAME="Ann Lee", WHY="it was declined")["ask-again"]
    resumed = typed(bulk, again.err)["resume"]
    assert (resumed.status, resumed.out) == (0, "invoices.csv: 1 row: 1 created\n")


def test_lines_are_told_in_the_order_of_the_sheet_whatever_their_keys_are(bulk):
    """Also if there are so many that only the first ones are told."""
    assert bulk.send(rows(130)).status == 0
    changed = [row(number, amount="999.00") for number in range(1, 126)]
    copied = [row(number, invoice_no=f"inv-{number}") for number in range(126, 131)]
    mixed = bulk.send([*copied[:1], *changed, *copied[1:]], "--batch", "march", "--dry-run")
    lines = [int(number) for number in re.findall(r"^Line (\d+): ", mixed.err, re.MULTILINE)]
    assert lines == [*range(2, 23), *range(128, 132)]
    assert "And 105 more like line 3." in mixed.err


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_invalid_rows_that_stop_a_sheet_come_with_the_option_that_sets_them_aside(bulk, options):
    named = "set it aside with --skip-invalid."
    assert named in bulk.send([row(1), row(2, amount="0")], *options).err
    assert named not in bulk.send("invoices.csv", "--skip-invalid", *options).err
    assert named not in bulk.send([row(1), row(1)], *options).err
