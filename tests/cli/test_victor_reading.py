"""`victor rfp get` and `victor rfp list`: tables that fit the terminal for people, JSON for
programs.
"""

import re
from inspect import signature

import pytest
from rich.cells import cell_len
from victor_api.typed.methods import PaymentRequests

from tests.cli.test_victor_create import words

pytestmark = pytest.mark.pull_request
ZULU_2000 = "2000-01-01T00:00:00Z"


def test_get_shows_the_fields_of_a_request_with_a_masked_account(command, victor_sandbox):
    """Also where the terminal lacks letters."""
    request_id = victor_sandbox.create_inbound("1500.00", notes="Grüße")
    ran = command("rfp", "get", request_id)
    assert (ran.status, ran.err) == (0, "")
    lines = dict(re.split(r"\s{2,}", line, maxsplit=1) for line in ran.out.splitlines())
    shown = [lines[name] for name in ("Payment request", "Status", "Amount", "Notes")]
    assert shown == [request_id, "pending", "1500.00 USD", "Grüße"]
    assert re.fullmatch(r"\*{4}\d{4}", lines["Payer account"])
    whole = command("rfp", "get", request_id, "--json").json["payer"]["account_number"]
    assert whole.endswith(lines["Payer account"][-4:])
    ran = command.in_a_process("rfp", "get", request_id, PYTHONIOENCODING="ascii")
    assert r"Gr\xfc\xdfe" in ran.out


@pytest.mark.victor_sandbox(demo_data=True)
def test_list_prints_a_table_with_aligned_columns(command, victor_sandbox):
    """With every column in full where it is no terminal."""
    for amount in ("0.99", "123456.78", "10"):
        victor_sandbox.create_inbound(amount, notes=LONG)
    heading, *lines = command("rfp", "list").out.splitlines()
    assert heading.split()[-2:] == ["REFERENCE", "NOTES"]
    end = heading.index("AMOUNT") + len("AMOUNT  ")
    amounts = [line[:end].split()[2] for line in lines]
    assert amounts == ["10.00", "123456.78", "0.99", "1500.00", "129.95"]
    assert lines[0].endswith(LONG)
    empty = command("rfp", "list", "--status", "failed")
    assert (empty.status, empty.out) == (0, "")
    assert "No payment request passes these filters." in empty.err


def test_list_takes_every_filter(httpx_mock, bare_command):
    token = {"access_token": "t", "token_type": "Bearer", "expires": 4102444800000}
    httpx_mock.add_response(method="POST", json=token)
    httpx_mock.add_response(method="GET", json={"page": 0, "page_size": 50, "results": []})
    given = {"status": "pending", "direction": "inbound", "network_type": "RTP"}
    for name in {*signature(PaymentRequests.list).parameters} - {
        "self",
        "page",
        "page_size",
        "extra_query",
    }:
        value = ZULU_2000 if "datetime" in name else "2000-01-01" if "date" in name else "NOPE"
        given.setdefault(name, value)
    options = [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]
    credentials = {"VICTOR_CLIENT_ID": "client-1", "VICTOR_CLIENT_SECRET": "s3cret"}
    ran = bare_command("rfp", "list", *options, **credentials)
    assert ran.status == 0, ran
    assert dict(httpx_mock.get_requests()[-1].url.params).items() >= given.items()


def test_text_of_other_people_cannot_send_control_characters_to_a_terminal(command, victor_sandbox):
    evil = "\x1b[2Jpaid\u202e\n\x07"
    get = ("rfp", "get", victor_sandbox.create_inbound(notes=evil))
    for ran in (command(*get), command.at_terminal(*get)):
        assert ran.status == 0
        assert not [text for text in ("\x1b[2J", "\u202e", "\x07") if text in ran.out]
    assert command(*get, "--json").json["notes"] == evil
    assert "\u202e" not in command("bulk", "resume", "--batch", evil).err


def create(command, reference):
    return command(*words(client_reference_id=reference), "--json").json["id"]


def test_find_lists_what_bears_a_reference_in_a_window(command):
    made = create(command, "INV-7")
    create(command, "INV-71")
    find = ("rfp", "find", "INV-7", "--start-datetime", ZULU_2000)
    assert [record["id"] for record in command(*find, "--json").json_lines] == [made]
    assert [line.split()[0] for line in command(*find).out.splitlines()] == ["ID", made]
    for as_json in ((), ("--json",)):
        ran = command(*find, "--end-datetime", "2000-01-02T00:00:00Z", *as_json)
        assert (ran.status, ran.out) == (0, "")
        assert "None of the 0 requests from 1999-12-31T23:" in ran.err
        assert "This does not prove that none exists" in ran.err


LONG = "Rent of March for the flat in 12 Long Street, third floor, without the heating"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def shown(command, columns, *words):
    ran = command.at_terminal("rfp", *words, columns=columns)
    assert (ran.status, ran.err) == (0, "")
    found = COLOUR.sub("", ran.out).splitlines()
    assert max(map(cell_len, found)) <= columns
    return found


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_a_table_of_requests_fits_the_terminal(command, victor_sandbox, columns):
    victor_sandbox.create_inbound("1500.00", notes=LONG, ultimate_creditor="City Power")
    request_id = victor_sandbox.requests()[-1]["id"]
    heading, first = shown(command, columns, "list", "--direction", "inbound")
    assert heading.startswith("ID")
    assert first.startswith(request_id)
    assert "1500.00" in first
    assert first.endswith("\N{HORIZONTAL ELLIPSIS}")
