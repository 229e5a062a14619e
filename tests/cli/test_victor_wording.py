"""What the command says when something goes wrong: in words of the shell, about options that exist,
once.
"""

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from string import Template
from typing import Any

import pytest

from tests.cases import cases_beside
from tests.cli.test_victor_create import words
from tests.cli.victor_command import Command, Ran
from tests.providers.victor.test_victor_settings import encrypted_pem
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow

KEY = "773e5a85-068e-5a65-856b-5d2a6b01e0aa"
CREATE = words(idempotency_key=KEY)
# A call, a keyword argument, a type, code between backticks: none of them means anything at a
# shell.
PYTHON = re.compile(
    r"\w\([^()]*\)|\b[a-z_]+=|`|\b(?:None|True|False|Decimal|datetime|int|float|str|dict|tuple|bool|inf|\w+Error)\b"
    r"|\b[a-z]+_[a-z_]+\b|\b[0-9]+\.0\b(?!\.)|\+00:00"
)
# What looks like it and is none: options, what the provider said, an outcome.
ELSE = re.compile(r"--[a-z-]+|\bvictor_payment_request_id\b|\{.*\}|\[Errno \d+\]|\bnot_sent\b")


FAILURES: dict[str, dict[str, Any]] = cases_beside(__file__)["failures"]


def fail(what: str, command: Command, sandbox: Sandbox, *more: str) -> Ran:
    """Run one of the commands that fail; `more` are further words of it."""
    case, inbound, create = FAILURES[what], sandbox.create_inbound(), shlex.join(CREATE)
    answers = {word: f"rfp {word} {inbound} --notes Yes" for word in ("accept", "decline")}

    def run(line: str, *more: str, **settings: str) -> Ran:
        urls = {"url": sandbox.url, "tls": sandbox.url.replace("http:", "https:")}
        whole = Template(line).substitute(
            answers, create=create, ask=f"{create} --amount 2", **urls
        )
        return command(*shlex.split(whole), *more, **settings)

    if "before" in case:
        assert run(case["before"]).status == 0
    if "fault" in case:
        body = {"body": json.dumps(case["fault"]["body"])} if "body" in case["fault"] else {}
        sandbox.inject(**{**case["fault"], **body})
    return run(case["line"], *more, **case.get("settings", {}))


def speaks_python(ran: Ran) -> bool:
    return PYTHON.search(ELSE.sub("", ran.err)) is not None


@pytest.mark.parametrize("what", FAILURES)
def test_a_failure_is_told_in_words_of_the_shell(
    command: Command, victor_sandbox: Sandbox, what: str
) -> None:
    """What it `says` is there once, and what it should never say is not."""
    case = FAILURES[what]
    ran = fail(what, command, victor_sandbox)
    assert ran.status == case["status"], ran.err
    assert not speaks_python(ran), ran.err
    assert [(text, ran.err.count(text)) for text in case.get("says", [])] == [
        (text, 1) for text in case.get("says", [])
    ]
    assert not [text for text in case.get("never", []) if text in ran.err], ran.err


@pytest.mark.parametrize("line", cases_beside(__file__)["misuse"])
def test_what_cannot_be_meant_is_refused_in_plain_words_once(
    command: Command, tmp_path: Path, line: str
) -> None:
    (tmp_path / "good.csv").write_text("reference,amount\nINV-1,1.00\n")
    ran = replace(command, folder=tmp_path)(*shlex.split(line), VICTOR_BULK_KEY="k" * 16)
    assert (ran.status, ran.out) == (2, "")
    assert not speaks_python(ran), ran.err
    assert ran.err.startswith("Error: ")
    assert ran.err.endswith(("'.\n", ".\n", "Outcome: not_sent\n"))
    assert (
        re.search(
            r"See .* See |\.\.\. See|[^.][.?]\.$|\b1 characters|(int|float) range|--[a-z-]+=",
            ran.err,
        )
        is None
    )


def test_the_doctor_blames_a_wrong_address_on_no_secret(
    command: Command, victor_sandbox: Sandbox
) -> None:
    *_, path, _ = command("doctor", "--json", "--base-url", f"{victor_sandbox.url}/v7").json[
        "checks"
    ]
    assert (path["ok"], path["advice"]) == (False, "Check the path of VICTOR_BASE_URL.")
    ran = command("doctor", "--json", "--base-url", victor_sandbox.url.replace("http:", "https:"))
    tls = next(check for check in ran.json["checks"] if check["check"] == "TLS")
    assert (ran.status, tls["ok"]) == (2, False)
    assert (
        tls["advice"]
        == "Correct VICTOR_BASE_URL: another port, or http for a sandbox on this machine."
    )


def test_where_to_look_is_a_command_with_the_reference_and_the_time(
    command: Command, victor_sandbox: Sandbox
) -> None:
    victor_sandbox.inject("lose_answer", operation="create", work=True, times=None)
    ran = command(*CREATE, "--amount", "1", "--client-reference-id", "INV 7", "--deadline", "0.5")
    [look] = re.findall(
        r"look with 'victor (rfp find 'INV 7' --start-datetime [0-9T:Z-]+ --deadline 0.5)'", ran.err
    )
    victor_sandbox.clear_faults()
    found = command(*shlex.split(look), "--json")
    assert [record["client_reference_id"] for record in found.json_lines] == ["INV 7"]


@pytest.mark.parametrize(
    ("said", "next_command"),
    [
        ("anotherPayload", "list --direction outbound"),
        ("inProgress", "create "),
        ("conflict", "list --direction outbound"),
    ],
)
def test_only_a_repeat_that_can_end_otherwise_is_advice(
    command: Command, victor_sandbox: Sandbox, said: str, next_command: str
) -> None:
    command(*CREATE, "--amount", "1")
    victor_sandbox.inject(
        "status", operation="create", status=409, body=json.dumps({"error": said}), times=None
    )
    ran = command(*CREATE, "--amount", "2", "--deadline", "1", "--json")
    assert (ran.status, ran.error["outcome"]) == (3, "unknown")
    assert ran.error["next_command"].startswith(f"victor rfp {next_command}")
    victor_sandbox.clear_faults()
    conflict = command(*CREATE, "--amount", "2")
    [look] = re.findall(
        r"^This command only reads:\n  victor (rfp list .*)$", conflict.err, re.MULTILINE
    )
    assert [record["amount"] for record in command(*shlex.split(look), "--json").json_lines] == [
        "1"
    ]


def problems(ran: Ran) -> list[tuple[str | None, str]]:
    return [(problem["option"], problem["field"]) for problem in ran.error["problems"]]


def test_problems_name_options_that_there_are(command: Command) -> None:
    assert problems(command("rfp", "get", "NOPE", "--json")) == [
        ("ID", "victor_payment_request_id")
    ]
    command(*CREATE, "--amount", "1")
    assert problems(command(*CREATE, "--amount", "2", "--json")) == [
        ("--idempotency-key", "Idempotency-Key")
    ]


@pytest.mark.parametrize(("provider_field", "option", "field"), cases_beside(__file__)["fields"])
def test_fields_of_the_provider_are_told_by_option_where_there_is_one(
    command: Command, victor_sandbox: Sandbox, provider_field: str, option: str | None, field: str
) -> None:
    error = {"error": {"code": 101, "message": "error.invalid", "field": provider_field}}
    victor_sandbox.inject("status", operation="create", status=400, body=json.dumps(error))
    assert problems(command(*CREATE, "--amount", "2", "--json")) == [(option, field)]


def test_everything_wrong_is_said_at_once_also_what_the_command_parses(
    command: Command, victor_sandbox: Sandbox
) -> None:
    ran = command(
        "rfp",
        "create",
        "--biller-type",
        "consumer",
        "--due-date",
        "20.11.2026",
        "--amount",
        "0",
        "--json",
    )
    assert ran.status == 2
    assert [option for option, _ in problems(ran)] == [
        "--payee-account-number",
        "--payer-counterparty-id",
        "--amount",
        "--biller-type",
        "--due-date",
    ]
    assert "--payee-account-number, --payer-counterparty-id are missing." in ran.error["message"]
    assert all(
        f"{option} is " in ran.error["message"]
        for option in ("--amount", "--biller-type", "--due-date")
    )
    ran = command(
        "rfp",
        "list",
        "--page-size",
        "0",
        "--status",
        "paid",
        "--start-datetime",
        "x",
        "--end-datetime",
        "2026-03-04T00:00:00",
        "--due-date-end-date",
        "z",
        "--direction",
        "up",
        "--network-type",
        "ACH",
        "--json",
    )
    assert {option for option, _ in problems(ran)} == {
        "--page-size", "--status", "--start-datetime", "--end-datetime", "--due-date-end-date",
        "--direction", "--network-type",
    }  # fmt: skip
    ran = command("rfp", "accept", "a b", "--modified-amount", "1,5", "--json")
    assert {option for option, _ in problems(ran)} == {"ID", "--notes", "--modified-amount"}
    assert victor_sandbox.received() == []


def test_an_encrypted_key_opens_with_its_password(
    bare_command: Command, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    api_key, private_key = victor_sandbox.new_api_key()
    file = tmp_path / "key.pem"
    file.write_text(encrypted_pem(private_key, "s3cret words"))
    settings = {"VICTOR_API_KEY": api_key, "VICTOR_PRIVATE_KEY_FILE": str(file)}
    ran = bare_command("rfp", "list", "--base-url", victor_sandbox.url, **settings)
    assert (ran.status, "is encrypted: set VICTOR_PRIVATE_KEY_PASSWORD" in ran.err) == (2, True)
    assert not speaks_python(ran), ran.err
    settings["VICTOR_PRIVATE_KEY_PASSWORD"] = "s3cret words"
    assert bare_command("rfp", "list", "--base-url", victor_sandbox.url, **settings).status == 0


@pytest.mark.parametrize(("content", "words", "advice"), cases_beside(__file__)["advice"])
def test_advice_about_a_file_is_in_options(
    command: Command, tmp_path: Path, content: str, words: list[str], advice: str
) -> None:
    file = tmp_path / "book.csv"
    file.write_bytes(f"{content}\n".encode("latin-1"))
    window = ["--start", "2026-03-04T00:00:00Z", "--end", "2026-03-05T00:00:00Z"]
    settings = {"VICTOR_BULK_KEY": "a secret for tests, of some length"}
    ran = command(
        *words,
        str(file),
        *(window if words[0] == "reconcile" else ["--state", f"sqlite:///{tmp_path}/s"]),
        **settings,
    )
    assert (ran.status, ran.out) == (2, "")
    assert advice in ran.err, ran.err
