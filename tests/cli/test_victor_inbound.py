"""`victor rfp accept`, `decline` and `watch`: an answer is sent once, and each change is shown as
it happens.
"""

import shlex

import pytest

from tests.cli.victor_command import calls

pytestmark = [pytest.mark.slow, pytest.mark.victor_sandbox(auto=None)]


@pytest.fixture
def inbound(victor_sandbox):
    return victor_sandbox.create_inbound("129.95", amount_modification_allowed=True)


@pytest.mark.victor_sandbox(accepted_amount="requested")
def test_an_answer_shows_the_request_as_it_was_answered(command, victor_sandbox, inbound):
    part = ("--notes", "Paid in part", "--modified-amount", "100.00", "--json")
    for ran in (
        command("rfp", "accept", inbound, *part),
        command("rfp", "get", inbound, "--json"),
    ):
        shown = [ran.json[name] for name in ("id", "status", "amount")]
        assert (ran.status, shown) == (0, [inbound, "accepted", "100.00"])
        assert ran.json["response"]["notes"] == "Paid in part"
    declined = command("rfp", "decline", victor_sandbox.create_inbound(), "--notes", "Not ours")
    assert (declined.status, declined.err) == (0, "")
    assert "declined" in declined.out


def test_an_answer_of_unknown_outcome_ends_with_status_3_and_the_command_to_look(
    command, victor_sandbox, inbound
):
    victor_sandbox.inject("lose_answer", operation="respond")
    victor_sandbox.inject("status", operation="get", times=None)
    ran = command("rfp", "accept", inbound, "--notes", "Yes", "--deadline", "1", "--json")
    assert (ran.status, ran.out) == (3, "")
    assert (ran.error["outcome"], ran.error["idempotency_key"]) == ("unknown", None)
    assert ran.error["notes"]
    assert calls(victor_sandbox, "respond") == 1

    victor_sandbox.clear_faults()
    look = command(*shlex.split(ran.error["next_command"])[1:])
    assert (look.status, look.json["status"]) == (0, "accepted")


def test_watch_prints_each_change_of_status_in_a_line_until_a_final_status(
    command, victor_sandbox, inbound
):
    with command.started("rfp", "watch", inbound) as process:
        assert process.stdout
        for status, *words in (("pending",), ("processing",), ("failed", "Account", "closed")):
            if status != "pending":
                victor_sandbox.move(inbound, status, " ".join(words) or None)
            assert process.stdout.readline().split()[2:] == ["UTC", status, *words]
        assert process.wait() == 0
