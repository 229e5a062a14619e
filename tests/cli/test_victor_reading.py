"""`victor rfp get` and `victor rfp list`: tables that fit the terminal for people, JSON for
programs.
"""

import re
from inspect import signature

import pytest
from pytest_httpx import HTTPXMock
from rich.cells import cell_len
from typer.testing import CliRunner
from victor_api.typed.arguments import list_payment_requests

from tests.cli.test_victor_create import words
from tests.cli.victor_command import Command, calls
from victor_ext import Status
from victor_ext.cli.app import app
from victor_ext.sandbox import Sandbox

pytestmark = [pytest.mark.pull_request, pytest.mark.hours]
ZULU_2000 = "2000-01-01T00:00:00Z"


def test_get_shows_what_is_known(command: Command, victor_sandbox: Sandbox) -> None:
    request_id = victor_sandbox.create_inbound(
        "1500.00", notes="Deposit", ultimate_creditor="City Power"
    )
    ran = command("rfp", "get", request_id)
    assert (ran.status, ran.err) == (0, "")
    lines = dict(re.split(r"\s{2,}", line, maxsplit=1) for line in ran.out.splitlines())
    assert lines["Payment request"] == request_id
    assert (lines["Status"], lines["Amount"], lines["Notes"]) == (
        "pending",
        "1500.00 USD",
        "Deposit",
    )
    assert re.fullmatch(r"\*{4}\d{4}", lines["Payer account"])
    assert (
        command("rfp", "get", request_id, "--json")
        .json["payer"]["account_number"]
        .endswith(lines["Payer account"][-4:])
    )


@pytest.mark.victor_sandbox(demo_data=True)
def test_list_is_a_table_in_line(command: Command, victor_sandbox: Sandbox) -> None:
    for amount in ("0.99", "123456.78", "10"):
        victor_sandbox.create_inbound(amount)
    ran = command("rfp", "list")
    assert (ran.status, ran.err) == (0, "")
    heading, *rows = ran.out.splitlines()
    assert len(rows) == 5
    end = heading.index("AMOUNT") + len("AMOUNT")
    amounts = [row[:end].split()[-1] for row in rows]
    assert amounts == ["10.00", "123456.78", "0.99", "1500.00", "129.95"]
    assert all(row[end : end + 2] == "  " for row in rows)
    assert {row[heading.index("STATUS") :].split()[0] for row in rows} == {"pending"}
    assert not any(line.endswith(" ") for line in [heading, *rows])


def test_list_reads_no_further_than_the_limit(command: Command, victor_sandbox: Sandbox) -> None:
    for _ in range(5):
        victor_sandbox.create_inbound()
    ran = command("rfp", "list", "--limit", "3", "--page-size", "2", "--json")
    assert len(ran.json_lines) == 3
    assert calls(victor_sandbox, "list") == 2


def test_list_takes_every_filter(httpx_mock: HTTPXMock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VICTOR_CLIENT_ID", "client-1")
    monkeypatch.setenv("VICTOR_CLIENT_SECRET", "secret-1")
    httpx_mock.add_response(
        method="POST", json={"access_token": "t", "token_type": "Bearer", "expires": 4102444800000}
    )
    httpx_mock.add_response(method="GET", json={"page": 0, "page_size": 50, "results": []})
    words = {"status": "pending", "direction": "inbound", "network_type": "RTP"}
    given = {
        name: words.get(
            name, ZULU_2000 if "datetime" in name else "2000-01-01" if "date" in name else "NOPE"
        )
        for name in signature(list_payment_requests).parameters.keys()
        - {"page", "page_size", "extra_query"}
    }
    options = [
        part for name, value in given.items() for part in (f"--{name.replace('_', '-')}", value)
    ]
    ran = CliRunner().invoke(app, ["rfp", "list", *options])
    assert ran.exit_code == 0, ran.output
    assert httpx_mock.get_requests()[-1].url.params.keys() >= given.keys()


def test_an_empty_list_says_so_beside_the_output(command: Command) -> None:
    ran = command("rfp", "list", "--status", "failed")
    assert (ran.status, ran.out) == (0, "")
    assert "No payment request passes these filters." in ran.err


def test_what_others_wrote_cannot_steer_a_terminal(
    command: Command, victor_sandbox: Sandbox
) -> None:
    evil = "\x1b[2Jpaid\u202e\n\x07"
    request_id = victor_sandbox.create_inbound(notes=evil)
    for ran in (command("rfp", "get", request_id), command.at_terminal("rfp", "get", request_id)):
        assert (
            ran.status,
            [text for text in ("\x1b[2J", "\u202e", "\x07") if text in ran.out],
        ) == (0, [])
    assert command("rfp", "get", request_id, "--json").json["notes"] == evil
    assert "\u202e" not in command("bulk", "resume", "batch", evil).err


def test_colour_is_for_terminals_that_want_it(command: Command, victor_sandbox: Sandbox) -> None:
    request_id = victor_sandbox.create_inbound()
    victor_sandbox.move(request_id, "completed")
    assert "\x1b[32mcompleted" in command.at_terminal("rfp", "list").out
    # Without colour a terminal still gets a heading in bold.
    assert "\x1b[32m" not in command.at_terminal("rfp", "list", NO_COLOR="1").out
    assert "\x1b" not in command.at_terminal("rfp", "list", "--json").out
    assert "\x1b" not in command("rfp", "list").out


def test_letters_that_the_terminal_lacks_do_not_cost_the_answer(
    command: Command, victor_sandbox: Sandbox
) -> None:
    request_id = victor_sandbox.create_inbound(notes="Grüße")
    ran = command.in_a_process("rfp", "get", request_id, PYTHONIOENCODING="ascii")
    assert ran.status == 0
    assert r"Gr\xfc\xdfe" in ran.out


def test_help_names_every_status(bare_command: Command) -> None:
    for name in ("list", "watch"):
        text = " ".join(bare_command("rfp", name, "--help").out.split())
        for status in Status:
            assert status.value in text


def create(command: Command, reference: str) -> str:
    return str(command(*words(client_reference_id=reference), "--json").json["id"])


def test_find_lists_what_bears_a_reference_in_a_window(command: Command) -> None:
    first, other, second = (
        create(command, reference) for reference in ("INV-7", "INV-71", "INV-7")
    )
    ran = command("rfp", "find", "INV-7", "--start-datetime", ZULU_2000, "--json")
    assert ran.status == 0
    assert {record["id"] for record in ran.json_lines} == {first, second}
    heading, *rows = command(
        "rfp", "find", "INV-71", "--start-datetime", ZULU_2000
    ).out.splitlines()
    assert heading.startswith("ID ")
    assert [row.split()[0] for row in rows] == [other]
    past = (
        "rfp",
        "find",
        "INV-7",
        "--start-datetime",
        ZULU_2000,
        "--end-datetime",
        "2000-01-02T00:00:00Z",
    )
    ran = command(*past)
    assert (ran.status, ran.out) == (0, "")
    assert "None of the 0 requests from 1999-12-31T23:" in ran.err
    assert "This does not prove that none exists" in ran.err
    said = ran.err
    ran = command(*past, "--json")
    assert (ran.out, ran.err) == ("", said)


def test_find_needs_a_reference_and_a_beginning(command: Command, victor_sandbox: Sandbox) -> None:
    assert (
        "REFERENCE must be text of 1 to 128 characters, and is empty"
        in command("rfp", "find", "", "--start-datetime", ZULU_2000).err
    )
    ran = command("rfp", "find", "INV-7", "--end-datetime", "last week")
    assert ran.status == 2
    assert (
        "--start-datetime is missing. --end-datetime is 'last week': write a Zulu time such as"
        in ran.err
    )
    assert calls(victor_sandbox, "list") == 0


def test_a_window_may_begin_with_a_day(command: Command) -> None:
    made = create(command, "INV-7")
    for name, shown in {
        "yesterday": [made],
        "2000-01-01": [made],
        "tomorrow": [],
        "9000-01-01": [],
    }.items():
        ran = command("rfp", "list", "--start-datetime", name, "--json")
        assert (ran.status, [record["id"] for record in ran.json_lines]) == (0, shown)


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
        (
            140,
            [
                "ID",
                "STATUS",
                "DIRECTION",
                "AMOUNT",
                "DUE",
                "CREATED (UTC)",
                "PAYER",
                "PAYEE",
                "REFERENCE",
                "NOTES",
            ],
        ),
    ],
)
def test_a_table_fits_the_terminal_with_what_one_decides_by(
    command: Command, victor_sandbox: Sandbox, columns: int, headings: list[str]
) -> None:
    request_id = victor_sandbox.create_inbound(
        "1500.00", notes=LONG, ultimate_creditor="City Power"
    )
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
        *words(payer_counterparty_id="aPayerOf16Letter", client_reference_id=reference, notes=LONG),
        "--amount",
        "44.23",
    )
    heading, first, *_ = shown(command, 100, "list", "--direction", "outbound", "--limit", "1")
    assert re.split(r"\s{2,}", heading) == [
        "ID",
        "STATUS",
        "AMOUNT",
        "DUE",
        "PAYER",
        "REFERENCE",
        "NOTES",
    ]
    assert f" {reference} " in first


def test_the_payers_of_inbound_requests_are_read_when_they_are_asked_for(
    command: Command, victor_sandbox: Sandbox
) -> None:
    victor_sandbox.create_inbound("1500.00", notes=LONG)
    heading, first, *_ = shown(
        command, 80, "list", "--direction", "inbound", "--payers", "--limit", "1"
    )
    name = str(victor_sandbox.requests()[-1]["payer_name"])
    assert re.split(r"\s{2,}", heading) == ["ID", "STATUS", "AMOUNT", "DUE", "PAYER", "NOTES"]
    assert name[:11] in first
    listed = command("rfp", "list", "--payers", "--limit", "1", "--json").json
    assert (listed["payer"]["name"], listed["network"]) == (name, "RTP")
    assert calls(victor_sandbox, "get") == 2


def test_a_terminal_of_60_columns_gets_cards_that_cut_nothing(
    command: Command, victor_sandbox: Sandbox
) -> None:
    request_id = victor_sandbox.create_inbound(
        "1500.00", notes=LONG, ultimate_creditor="City Power"
    )
    text = "\n".join(shown(command, 60, "list", "--limit", "1"))
    assert text.startswith(
        f"{request_id}  pending\n  DIRECTION      inbound\n  AMOUNT         1500.00\n"
    )
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


def test_what_is_no_terminal_gets_every_column_in_full(
    command: Command, victor_sandbox: Sandbox
) -> None:
    victor_sandbox.create_inbound(notes=LONG, ultimate_creditor="City Power")
    heading, first, *_ = command("rfp", "list").out.splitlines()
    assert heading.split()[-2:] == ["REFERENCE", "NOTES"]
    assert first.endswith(LONG)
    assert "City Power ****" in first


def test_a_page_that_needs_more_room_has_a_heading_of_its_own(
    command: Command, victor_sandbox: Sandbox
) -> None:
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
