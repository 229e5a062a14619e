"""`victor rfp accept` and `victor rfp decline`: sent once, and looked up when in doubt."""

from __future__ import annotations

import shlex

import pytest

from tests.cli.victor_command import Command
from victor_ext.sandbox import Sandbox


@pytest.fixture
def inbound(victor_sandbox: Sandbox) -> str:
    return victor_sandbox.create_inbound("129.95", amount_modification_allowed=True)


def sent(sandbox: Sandbox) -> int:
    return [exchange.operation for exchange in sandbox.received()].count("respond")


def test_accept(command: Command, victor_sandbox: Sandbox, inbound: str) -> None:
    ran = command("rfp", "accept", inbound, "--notes", "Paid in part", "--modified-amount", "100.00", "--json")
    assert ran.status == 0
    assert (ran.json["id"], ran.json["status"], ran.json["amount"]) == (inbound, "accepted", "100.00")
    assert ran.json["response"]["notes"] == "Paid in part"


def test_decline(command: Command, inbound: str) -> None:
    ran = command("rfp", "decline", inbound, "--notes", "Not ours")
    assert (ran.status, ran.err) == (0, "")
    assert "declined" in ran.out
    assert command("rfp", "get", inbound, "--json").json["status"] == "declined"


def test_a_second_answer_is_refused(command: Command, inbound: str) -> None:
    assert command("rfp", "accept", inbound, "--notes", "Yes").status == 0
    ran = command("rfp", "decline", inbound, "--notes", "No", "--json")
    assert (ran.status, ran.error["outcome"]) == (1, "rejected")


@pytest.mark.parametrize("verb", ["accept", "decline"])
def test_notes_are_needed(command: Command, victor_sandbox: Sandbox, inbound: str, verb: str) -> None:
    assert "--notes is missing" in command("rfp", verb, inbound).err
    ran = command("rfp", verb, inbound, "--notes", "x" * 151)
    assert ran.status == 2
    assert "--notes has 151 characters" in ran.err
    assert sent(victor_sandbox) == 0


def test_a_modified_amount_is_checked(command: Command, victor_sandbox: Sandbox, inbound: str) -> None:
    fixed = victor_sandbox.create_inbound("129.95")
    for request, amount, message in (
        (inbound, "1,5", "--modified-amount is '1,5'"),
        (fixed, "100", "--modified-amount is 100, and the request allows no amount but 129.95: leave it out"),
    ):
        ran = command("rfp", "accept", request, "--notes", "Yes", "--modified-amount", amount)
        assert ran.status == 2
        assert message in ran.err
    assert sent(victor_sandbox) == 0


def test_a_lost_answer_is_read_back(command: Command, victor_sandbox: Sandbox, inbound: str) -> None:
    victor_sandbox.inject("lose_answer", operation="respond")
    ran = command("rfp", "accept", inbound, "--notes", "Yes", "--json")
    assert (ran.status, ran.json["status"]) == (0, "accepted")
    assert sent(victor_sandbox) == 1


def test_a_doubt_that_stays_is_status_3_and_says_where_to_look(
    command: Command, victor_sandbox: Sandbox, inbound: str
) -> None:
    victor_sandbox.inject("lose_answer", operation="respond")
    victor_sandbox.inject("status", operation="get", times=None)
    ran = command("rfp", "accept", inbound, "--notes", "Yes", "--deadline", "1", "--json")
    assert (ran.status, ran.out) == (3, "")
    assert (ran.error["outcome"], ran.error["idempotency_key"]) == ("unknown", None)
    assert ran.error["notes"]
    assert sent(victor_sandbox) == 1

    victor_sandbox.clear_faults()
    look = command(*shlex.split(ran.error["next_command"])[1:])
    assert (look.status, look.json["status"]) == (0, "accepted")


def test_a_doubt_reads_well_for_people(command: Command, victor_sandbox: Sandbox, inbound: str) -> None:
    victor_sandbox.inject("status", operation="respond")
    ran = command("rfp", "decline", inbound, "--notes", "No")
    assert ran.status == 3
    assert "Outcome: unknown" in ran.err
    assert "has no response yet" in ran.err
    assert f"  victor rfp get {inbound}\n" in ran.err
