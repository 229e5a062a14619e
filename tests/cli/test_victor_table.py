"""`victor rfp list` in the width of a terminal: a table with fewer columns, then cards."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len

from tests.cli.test_victor_create import words
from tests.cli.victor_command import Command
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow
LONG = "Rent of March for the flat in 12 Long Street, third floor, without the heating"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def shown(command: Command, columns: int, *words: str) -> list[str]:
    ran = command.at_terminal("rfp", *words, columns=columns)
    assert (ran.status, ran.err) == (0, "")
    found = COLOUR.sub("", ran.out).splitlines()
    assert max(map(cell_len, found)) <= columns
    return found


@pytest.mark.parametrize(
    ("columns", "headings"),
    [
        (80, ["ID", "STATUS", "AMOUNT", "DUE", "PAYEE", "NOTES"]),
        (140, ["ID", "STATUS", "DIRECTION", "AMOUNT", "DUE", "CREATED (UTC)", "PAYER", "PAYEE", "REFERENCE", "NOTES"]),
    ],
)
def test_a_table_fits_the_terminal_with_what_one_decides_by(
    command: Command, victor_sandbox: Sandbox, columns: int, headings: list[str]
) -> None:
    request_id = victor_sandbox.create_inbound("1500.00", notes=LONG, ultimate_creditor="City Power")
    heading, first, *_ = shown(command, columns, "list", "--direction", "inbound")
    assert re.split(r"\s{2,}", heading) == headings
    assert first.split()[:2] == [request_id, "pending"]
    assert "1500.00" in first
    assert LONG[:15] in first
    assert first.endswith("…")
    assert cell_len(first) == columns
    assert "City Power" in first


def test_100_columns_have_the_whole_reference(command: Command) -> None:
    reference = "INV-2026-03-1042"
    command(
        *words(payer_counterparty_id="aPayerOf16Letter", client_reference_id=reference, notes=LONG), "--amount", "44.23"
    )
    heading, first, *_ = shown(command, 100, "list", "--direction", "outbound", "--limit", "1")
    assert re.split(r"\s{2,}", heading) == ["ID", "STATUS", "AMOUNT", "DUE", "PAYER", "REFERENCE", "NOTES"]
    assert f" {reference} " in first


def test_the_payers_of_inbound_requests_are_read_when_they_are_asked_for(
    command: Command, victor_sandbox: Sandbox
) -> None:
    victor_sandbox.create_inbound("1500.00", notes=LONG)
    heading, first, *_ = shown(command, 80, "list", "--direction", "inbound", "--payers", "--limit", "1")
    name = str(victor_sandbox.requests()[-1]["payer_name"])
    assert re.split(r"\s{2,}", heading) == ["ID", "STATUS", "AMOUNT", "DUE", "PAYER", "NOTES"]
    assert name[:11] in first
    listed = command("rfp", "list", "--payers", "--limit", "1", "--json").json
    assert (listed["payer"]["name"], listed["network"]) == (name, "RTP")
    assert [each.operation for each in victor_sandbox.received()].count("get") == 2


def test_a_terminal_of_60_columns_gets_cards_that_cut_nothing(command: Command, victor_sandbox: Sandbox) -> None:
    request_id = victor_sandbox.create_inbound("1500.00", notes=LONG, ultimate_creditor="City Power")
    text = "\n".join(shown(command, 60, "list", "--limit", "1"))
    assert text.startswith(f"{request_id}  pending\n  DIRECTION      inbound\n  AMOUNT         1500.00\n")
    assert re.search(r"^  PAYEE          City Power \*{4}\d{4}$", text, re.MULTILINE)
    assert LONG in re.sub(r"\n +", " ", text)
    assert "…" not in text
    assert "REFERENCE" not in text  # it has none


@pytest.mark.parametrize("columns", [60, 80])
def test_one_request_continues_its_values_below_themselves(
    command: Command, victor_sandbox: Sandbox, columns: int
) -> None:
    request_id = victor_sandbox.create_inbound(notes=LONG)
    text = "\n".join(shown(command, columns, "get", request_id))
    assert LONG in re.sub(r"\n {20}", " ", text)


def test_what_is_no_terminal_gets_every_column_in_full(command: Command, victor_sandbox: Sandbox) -> None:
    victor_sandbox.create_inbound(notes=LONG, ultimate_creditor="City Power")
    heading, first, *_ = command("rfp", "list").out.splitlines()
    assert heading.split()[-2:] == ["REFERENCE", "NOTES"]
    assert first.endswith(LONG)
    assert "City Power ****" in first


def test_a_page_that_needs_more_room_has_a_heading_of_its_own(command: Command, victor_sandbox: Sandbox) -> None:
    victor_sandbox.create_inbound("123456789012.00", notes=LONG)
    victor_sandbox.create_inbound("1.00", notes="Short")
    heading, _, second, last = shown(command, 80, "list", "--limit", "2", "--page-size", "1")
    assert "DUE" in heading
    assert "PAYEE  " in heading
    assert re.split(r"\s{2,}", second) == ["ID", "STATUS", "AMOUNT", "PAYEE", "NOTES"]
    assert "123456789012.00" in last


def test_a_letter_of_two_columns_counts_for_two(command: Command, victor_sandbox: Sandbox) -> None:
    victor_sandbox.create_inbound(notes="\u5bb6\u8cc3" * 30)
    for columns in (60, 80, 140):
        shown(command, columns, "list", "--limit", "1")
