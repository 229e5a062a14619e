"""In production, a person is asked before anybody is asked for money and before money moves."""

import pytest

from tests.bulk.bulk_runs import rows, write_csv
from tests.cli.test_victor_create import words
from tests.cli.victor_command import Command, calls

pytestmark = [pytest.mark.pull_request, pytest.mark.victor_sandbox(environment="production")]


@pytest.fixture
def command(command):
    """The command, which takes the sandbox for production."""
    return Command({**command.environment, "VICTOR_ENVIRONMENT": "production"})


@pytest.mark.parametrize(
    ("typed", "status", "sent"), [("y\n", 0, 1), ("n\n", 1, 0), ("\n", 1, 0), ("\x04", 130, 0)]
)
def test_a_create_in_production_asks_for_a_confirmation(
    command, victor_sandbox, typed, status, sent
):
    ran = command.at_terminal(*words(), typed=typed)
    assert (ran.status, calls(victor_sandbox, "create")) == (status, sent), ran
    assert "This asks acme000001 for 44.23 USD, to be paid to ****3645." in ran.err
    assert f"Do it in production (production, {victor_sandbox.url})? [y/N]" in ran.err
    assert ("Not confirmed. Nothing was sent." in ran.err) == (status == 1)


def test_a_command_without_a_terminal_moves_no_money_in_production_without_yes(
    command, victor_sandbox
):
    """What moves no money is not asked about."""
    request_id = victor_sandbox.create_inbound()
    for line in (words(), ["rfp", "accept", request_id, "--notes", "Yes"]):
        ran = command.in_a_process(*line)
        assert (ran.status, ran.out, calls(victor_sandbox, "create", "respond")) == (2, "", 0)
        assert "pass --yes to confirm" in ran.err
    for line in (["get", request_id], ["list"], ["decline", request_id, "--notes", "No"]):
        assert command("rfp", *line).status == 0
    assert command(*words(), "--yes").status == 0


@pytest.fixture
def send(tmp_path):
    """The words that send a batch with a state of its own."""
    file = write_csv(tmp_path / "invoices.csv", rows(2))
    state = f"sqlite:///{tmp_path}/state.sqlite"
    return ["bulk", "send", str(file), "--key-column", "invoice_no", "--state", state]


def test_a_batch_in_production_asks_for_a_confirmation(command, victor_sandbox, send):
    assert command.in_a_process(*send).status == 2
    ran = command.at_terminal(*send, typed="n\n")
    assert (ran.status, calls(victor_sandbox, "create")) == (1, 0)
    assert "2 rows: 2 new (5.46 USD). Those that are new ask their payers for money." in ran.err
    ran = command.at_terminal(*send, typed="y\n")
    assert (ran.status, "to send" in ran.err) == (0, False)  # the question has said it
    assert calls(victor_sandbox, "create") == 2
    ran = command.at_terminal("bulk", "resume", *send[-2:], typed="n\n")
    assert "0 of 2 rows are not settled" in ran.err


def test_without_a_terminal_production_needs_a_state_that_is_named_and_not_new(
    command, victor_sandbox, send, tmp_path
):
    """A person at the terminal is asked, and sees which state it is."""
    *send, _, state = send
    environment = {**command.environment, "XDG_STATE_HOME": str(tmp_path)}
    command = Command({**environment, "VICTOR_BULK_KEY": "a secret for tests, of some length"})
    for line in (send, ["bulk", "status"], ["bulk", "worker"]):
        ran = command.in_a_process(*line)
        assert (ran.status, "name the state that the others use" in ran.err) == (2, True)
    named = {"VICTOR_BULK_STATE": state}
    ran = command.in_a_process(*send, "--yes", **named)
    assert (ran.status, calls(victor_sandbox, "create")) == (2, 0)
    assert f"first batch of Victor in production in the state {state}" in ran.err
    assert "if there is none, add --new-state" in ran.err
    assert command.in_a_process(*send, "--yes", "--new-state", **named).status == 0
    assert command.in_a_process(*send, "--yes", **named).status == 0
    assert calls(victor_sandbox, "create") == 2
    ran = command.at_terminal(*send, typed="n\n")
    assert f"the state sqlite:///{tmp_path}/victor/bulk.sqlite" in ran.err
    assert ran.status == 1
