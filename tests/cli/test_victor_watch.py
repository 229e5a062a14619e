"""`victor rfp watch`: each change as it happens."""

from __future__ import annotations

import json
import signal

import pytest

from tests.cli.victor_command import Command
from victor_ext.sandbox import Sandbox

BY_COMMAND = pytest.mark.victor_sandbox(auto=None)


@pytest.fixture
def inbound(victor_sandbox: Sandbox) -> str:
    return victor_sandbox.create_inbound()


@BY_COMMAND
def test_each_change_is_a_line_until_the_end(command: Command, victor_sandbox: Sandbox, inbound: str) -> None:
    with command.started("rfp", "watch", inbound) as process:
        assert process.stdout
        assert process.stdout.readline().split()[2:] == ["UTC", "pending"]
        victor_sandbox.move(inbound, "processing")
        assert process.stdout.readline().split()[2:] == ["UTC", "processing"]
        victor_sandbox.move(inbound, "failed", "Account closed")
        assert process.stdout.readline().split()[2:] == ["UTC", "failed", "Account", "closed"]
        assert process.wait() == 0


@BY_COMMAND
def test_json_is_the_whole_record_a_line(command: Command, victor_sandbox: Sandbox, inbound: str) -> None:
    with command.started("rfp", "watch", inbound, "--json") as process:
        assert process.stdout
        assert json.loads(process.stdout.readline())["status"] == "pending"
        victor_sandbox.move(inbound, "expired")
        record = json.loads(process.stdout.readline())
        assert (record["id"], record["status"], record["is_terminal"]) == (inbound, "expired", True)
        assert process.wait() == 0


@BY_COMMAND
def test_until_stops_at_a_status(command: Command, victor_sandbox: Sandbox, inbound: str) -> None:
    victor_sandbox.move(inbound, "processing")
    ran = command("rfp", "watch", inbound, "--until", "pending")
    assert ran.status == 0, "processing is beyond pending"
    assert "processing" in ran.out


@BY_COMMAND
def test_ending_otherwise_is_status_1(command: Command, victor_sandbox: Sandbox, inbound: str) -> None:
    victor_sandbox.move(inbound, "declined")
    ran = command("rfp", "watch", inbound, "--until", "completed", "--json")
    assert (ran.status, ran.error["type"]) == (1, "Conflict")
    assert ran.json["status"] == "declined"


@BY_COMMAND
def test_not_getting_there_in_time_is_status_1(command: Command, inbound: str) -> None:
    ran = command("rfp", "watch", inbound, "--timeout", "0.1")
    assert ran.status == 1
    assert "did not reach a final status within 0.1 s: it is pending" in ran.err
    ran = command("rfp", "watch", inbound, "--timeout", "0", "--until", "accepted")
    assert "did not reach accepted within 0 s: it is pending" in ran.err


@BY_COMMAND
def test_a_passing_outage_is_outlived(command: Command, victor_sandbox: Sandbox, inbound: str) -> None:
    victor_sandbox.move(inbound, "completed")
    # The client itself does not try this status again.
    for operation in ("list", "get"):
        victor_sandbox.inject("status", operation=operation, status=501)
    ran = command("rfp", "watch", inbound)
    assert ran.status == 0
    assert "Still watching" in ran.err
    assert "completed" in ran.out


def test_a_status_that_there_is_not(command: Command, victor_sandbox: Sandbox, inbound: str) -> None:
    ran = command("rfp", "watch", inbound, "--until", "paid")
    assert (ran.status, ran.out) == (2, "")
    assert "--until is 'paid'" in ran.err


def test_an_unknown_id_is_status_1_at_once(command: Command) -> None:
    assert command("rfp", "watch", "NOPE").status == 1


@BY_COMMAND
def test_ctrl_c_stops_watching(command: Command, victor_sandbox: Sandbox, inbound: str) -> None:
    with command.started("rfp", "watch", inbound) as process:
        assert process.stdout
        process.stdout.readline()
        ran = command.stopped(process, signal.SIGINT)
    assert (ran.status, ran.err) == (130, "")


@BY_COMMAND
def test_a_terminal_shows_signs_of_life_and_keeps_the_lines(
    command: Command, victor_sandbox: Sandbox, inbound: str
) -> None:
    ran = command.at_terminal("rfp", "watch", inbound, "--timeout", "0.3")
    assert ran.status == 1
    assert f"watching {inbound}" in ran.out
    assert "UTC  pending" in ran.out


@BY_COMMAND
def test_a_silent_provider_does_not_keep_it_beyond_its_time(
    command: Command, victor_sandbox: Sandbox, inbound: str
) -> None:
    victor_sandbox.inject("stall", operation="list", times=None)
    ran = command("rfp", "watch", inbound, "--timeout", "0.1")
    assert ran.status == 1
    assert "the deadline of 1 s has passed" in ran.err
    assert f"{inbound} did not reach a final status within 0.1 s: it could not be read" in ran.err


@BY_COMMAND
def test_a_status_that_could_not_be_judged_at_first_is_judged_later(
    command: Command, victor_sandbox: Sandbox, inbound: str
) -> None:
    victor_sandbox.inject("status", status=501, operation="list", skip=1)  # never tried again by itself
    ran = command("rfp", "watch", inbound, "--until", "pending", "--timeout", "20")
    assert (ran.status, ran.out.count("pending")) == (0, 1)


def test_a_time_that_is_none_is_refused(command: Command) -> None:
    ran = command("rfp", "watch", "R1", "--timeout", "nan")
    assert (ran.status, ran.err) == (
        2,
        "Error: --timeout is nan and must be seconds, 0 or more, up to 2592000 (30 days).\n",
    )
