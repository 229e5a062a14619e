"""What the command says when something goes wrong: in words of the shell, about options that exist, once."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_victor_create import words
from tests.cli.victor_command import Command, Ran
from tests.providers.victor.test_victor_settings import encrypted_pem
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow
PAYMENTS = "client_reference_id,payee_account_number,payer_counterparty_id,amount,biller_type,due_date"

KEY = "773e5a85-068e-5a65-856b-5d2a6b01e0aa"
CREATE = words(idempotency_key=KEY)
# A call, a keyword argument, a type, code between backticks: none of them means anything at a shell.
PYTHON = re.compile(r"\w\([^()]*\)|\b[a-z_]+=|`|\b(?:None|True|False|Decimal|datetime)\b|\b[a-z]+_[a-z_]+\b")
# What looks like it and is none: options, what the provider said, an outcome.
ELSE = re.compile(r"--[a-z-]+|\bvictor_payment_request_id\b|\{.*\}|\[Errno \d+\]|\bnot_sent\b")


Failing = Callable[[Command, Sandbox], Ran]
INBOUND, ASK = "the id of an inbound request", [*CREATE, "--amount", "2"]
ACCEPT = ["rfp", "accept", INBOUND, "--notes", "Yes"]


def line(*words: str, before: Sequence[str] = (), fault: Any = None, **options: Any) -> Failing:
    """A command that fails: by itself, after the one `before`, or by a fault with these options."""

    def fail(command: Command, sandbox: Sandbox) -> Ran:
        inbound = sandbox.create_inbound() if INBOUND in words else ""
        lines = [[inbound if word == INBOUND else word for word in each] for each in (before, words)]
        if before:
            assert command(*lines[0]).status == 0
        if fault is None:
            return command(*lines[1], **options)
        sandbox.inject(fault, **options)
        return command(*lines[1])

    return fail


unknown = line(*ASK, "--deadline", "1", fault="lose_answer", operation="create", times=None)
unreadable = line(*ASK, "--deadline", "3", fault="truncated_json", operation="create", times=None)
ANOTHER = {"victor_payment_request_id": "ABC", "payment_request": {"payment_details": {"amount": "1.00"}}}
OF_ANOTHER: dict[str, Any] = {"fault": "status", "operation": "create", "status": 200, "body": json.dumps(ANOTHER)}
unanswered = line(*ACCEPT, fault="status", operation="respond")
TWELVE = {"allErrors": [{"code": "Bad", "defaultMessage": "it is bad", "objectName": "filter"}] * 12}


OWN_KEY = {"VICTOR_CLIENT_ID": "", "VICTOR_CLIENT_SECRET": "", "VICTOR_API_KEY": "k"}


def encrypted_key(command: Command, sandbox: Sandbox) -> Ran:
    private_key = encrypted_pem(sandbox.new_api_key()[1], "s3cret")
    return command("rfp", "list", **OWN_KEY, VICTOR_PRIVATE_KEY=private_key)


FAILURES: dict[str, tuple[Failing, int]] = {
    "a key that was used for another payment": (line(*ASK, before=[*CREATE, "--amount", "1"]), 3),
    "a lost answer": (unknown, 3),
    "an answer that cannot be read": (unreadable, 3),
    "an answer about another payment": (line(*ASK, **OF_ANOTHER), 3),
    "an answer to a request that was lost": (unanswered, 3),
    "an answer to a request that was taken in words that cannot be read": (
        line(*ACCEPT, fault="html", operation="respond", status=200, work=False), 3,
    ),
    "a request that was answered in other words": (
        line(*ACCEPT, before=[*ACCEPT, "--notes", "Of somebody else"], fault="status", operation="respond"), 3,
    ),
    "a request that was answered the other way": (
        line("rfp", "decline", *ACCEPT[2:], before=ACCEPT, fault="status", operation="respond"), 1,
    ),
    "more problems than a message lists": (
        line("rfp", "list", fault="status", operation="list", status=400, body=json.dumps(TWELVE)), 1,
    ),
    "an encrypted key": (encrypted_key, 2),
    "a key that is none": (line("rfp", "list", **OWN_KEY, VICTOR_PRIVATE_KEY="-----BEGIN x"), 2),
    "a short key": (line(*CREATE[:-1], "short", "--amount", "1"), 2),
    "nothing": (line("rfp", "create"), 2),
    "a creditor of a consumer": (
        line(*CREATE, "--amount", "1", "--biller-type", "CONSUMER", "--ultimate-creditor", "A&B"), 2,
    ),
    "a date that is none": (line(*CREATE, "--amount", "1", "--due-date", "20.11.2026"), 2),
    "dates of a list": (line("rfp", "list", "--due-date-start-date", "x", "--start-datetime", "2026-11-20"), 2),
    "a status that cannot be": (line("rfp", "watch", "ABC", "--until", "paid"), 2),
    "an unknown id": (line("rfp", "get", "NOPE"), 1),
    "a search without a beginning": (line("rfp", "find", "INV-7"), 2),
    "a secret that is wrong": (line("token", VICTOR_CLIENT_SECRET="wrong"), 1),
    "a secret with a line break": (line("token", VICTOR_CLIENT_SECRET="two\nlines"), 2),
    "an unknown environment": (line("rfp", "list", "--environment", "moon"), 2),
    "a live host under another name": (
        line("rfp", "list", "--environment", "staging", "--base-url", "https://api.victorfi.com"), 2,
    ),
    "nothing that could be sent": (
        line(*CREATE, "--amount", "1", "--base-url", "http://127.0.0.1:1", "--deadline", "0.2"), 75,
    ),
    "no time at all": (line("rfp", "list", "--deadline", "0"), 2),
    "an empty fact": (line("key", "invoice", ""), 2),
    "no settings": (line("rfp", "list", VICTOR_CLIENT_ID="", VICTOR_CLIENT_SECRET=""), 2),
}  # fmt: skip


@pytest.mark.parametrize("what", FAILURES)
def test_no_message_speaks_python(command: Command, victor_sandbox: Sandbox, what: str) -> None:
    fail, status = FAILURES[what]
    ran = fail(command, victor_sandbox)
    assert ran.status == status, ran.err
    assert PYTHON.search(ELSE.sub("", ran.err)) is None, ran.err


def test_a_key_in_a_message_can_be_copied(command: Command, victor_sandbox: Sandbox) -> None:
    words = [*CREATE[:-1], "it's-invoice-1042-of-2026"]
    command(*words, "--amount", "1")
    ran = command(*words, "--amount", "2")
    assert f"--idempotency-key {shlex.quote(words[-1])} may have been used before" in ran.err


def test_an_accepted_request_is_not_called_unknown(command: Command, victor_sandbox: Sandbox) -> None:
    ran = unreadable(command, victor_sandbox)
    assert "accepted the request (HTTP 200), but the response could not be parsed" in ran.err
    assert f"Repeat only with the same key: --idempotency-key {KEY}" in ran.err
    assert "may have executed" not in ran.err
    assert "Outcome: accepted" in ran.err
    assert f"--idempotency-key {KEY} --deadline" in ran.err


def test_an_unknown_outcome_says_each_thing_once(command: Command, victor_sandbox: Sandbox) -> None:
    ran = unknown(command, victor_sandbox)
    for said in (
        "may have executed",
        "look with 'victor rfp list --direction outbound --start-datetime 20",
        "Outcome:",
    ):
        assert ran.err.count(said) == 1
    ran = unanswered(command, victor_sandbox)
    assert ran.err.count("before you repeat it") == 1


def test_where_to_look_is_a_command_with_the_reference_and_the_time(command: Command, victor_sandbox: Sandbox) -> None:
    victor_sandbox.inject("lose_answer", operation="create", work=True, times=None)
    ran = command(*CREATE, "--amount", "1", "--client-reference-id", "INV 7", "--deadline", "0.5")
    [look] = re.findall(r"look with 'victor (rfp find 'INV 7' --start-datetime [0-9T:Z-]+ --deadline 0.5)'", ran.err)
    victor_sandbox.clear_faults()
    found = command(*shlex.split(look), "--json")
    assert [record["client_reference_id"] for record in found.json_lines] == ["INV 7"]


def test_a_variable_is_named_where_no_option_was_given(command: Command) -> None:
    ran = command("rfp", "list", VICTOR_BASE_URL="https://api.victorfi.com")
    assert ran.err.startswith(
        "Error: VICTOR_BASE_URL is Victor's production, and the environment is staging, which is the default: "
    )
    assert "--base-url" not in ran.err
    ran = command("rfp", "list", "--environment", "production", "--base-url", "https://api.stage.victorfi.com")
    assert ran.err.startswith("Error: --base-url is Victor's staging, and the environment is production: ")


def test_a_key_of_another_payment_is_not_to_be_repeated(command: Command, victor_sandbox: Sandbox) -> None:
    ran = line(*ASK, "--json", **OF_ANOTHER)(command, victor_sandbox)
    assert (ran.status, ran.error["type"], ran.error["next_command"]) == (3, "Conflict", None)
    assert "Take another key only when it is certain that this payment does not exist" in ran.error["message"]


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
    victor_sandbox.inject("status", operation="create", status=409, body=json.dumps({"error": said}), times=None)
    ran = command(*CREATE, "--amount", "2", "--deadline", "1", "--json")
    assert (ran.status, ran.error["outcome"]) == (3, "unknown")
    assert ran.error["next_command"].startswith(f"victor rfp {next_command}")
    victor_sandbox.clear_faults()
    conflict = command(*CREATE, "--amount", "2")
    [look] = re.findall(r"^This command only reads:\n  victor (rfp list .*)$", conflict.err, re.MULTILINE)
    assert [record["amount"] for record in command(*shlex.split(look), "--json").json_lines] == ["1"]


def problems(ran: Ran) -> list[tuple[str | None, str]]:
    return [(problem["option"], problem["field"]) for problem in ran.error["problems"]]


def test_problems_name_options_that_there_are(command: Command, victor_sandbox: Sandbox) -> None:
    assert problems(command("rfp", "get", "NOPE", "--json")) == [("ID", "victor_payment_request_id")]
    command(*CREATE, "--amount", "1")
    assert problems(command(*CREATE, "--amount", "2", "--json")) == [("--idempotency-key", "Idempotency-Key")]


@pytest.mark.parametrize(
    ("provider_field", "option", "field"),
    [
        ("paymentDetails.amount", "--amount", "payment_details.amount"),
        ("payee.accountNumber", "--payee-account-number", "payee.account_number"),
        ("payer.victorCounterpartyId", "--payer-counterparty-id", "payer.victor_counterparty_id"),
        ("clientReferenceId", "--client-reference-id", "client_reference_id"),
        ("paymentDetails.currency", None, "payment_details.currency"),
        ("deadlines", None, "deadlines"),
        ("victorPaymentRequestId", None, "victor_payment_request_id"),
    ],
)
def test_fields_of_the_provider_are_told_by_option_where_there_is_one(
    command: Command, victor_sandbox: Sandbox, provider_field: str, option: str | None, field: str
) -> None:
    error = {"error": {"code": 101, "message": "error.invalid", "field": provider_field}}
    victor_sandbox.inject("status", operation="create", status=400, body=json.dumps(error))
    assert problems(command(*CREATE, "--amount", "2", "--json")) == [(option, field)]


def test_everything_wrong_is_said_at_once_also_what_the_command_parses(
    command: Command, victor_sandbox: Sandbox
) -> None:
    ran = command("rfp", "create", "--biller-type", "consumer", "--due-date", "20.11.2026", "--amount", "0", "--json")
    assert ran.status == 2
    assert [option for option, _ in problems(ran)] == [
        "--payee-account-number", "--payer-counterparty-id", "--amount", "--biller-type", "--due-date",
    ]  # fmt: skip
    assert "--payee-account-number, --payer-counterparty-id are missing." in ran.error["message"]
    assert all(f"{option} is " in ran.error["message"] for option in ("--amount", "--biller-type", "--due-date"))
    ran = command("rfp", "list", "--page-size", "0", "--page=-1", "--status", "paid", "--start-datetime", "x",
                  "--end-datetime", "2026-03-04T00:00:00", "--due-date-end-date", "z", "--direction", "up",
                  "--network-type", "ACH", "--json")  # fmt: skip
    assert {option for option, _ in problems(ran)} == {
        "--page-size", "--page", "--status", "--start-datetime", "--end-datetime", "--due-date-end-date",
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
    settings["VICTOR_PRIVATE_KEY_PASSWORD"] = "s3cret words"
    assert bare_command("rfp", "list", "--base-url", victor_sandbox.url, **settings).status == 0


@pytest.mark.parametrize(
    ("content", "words", "advice"),
    [
        ("reference,total", ["reconcile"], "Name it with --column amount=NAME."),
        ("reference,amont", ["reconcile"], "Name it with --column amount=amont."),
        ("invoice,amount", ["reconcile"], "Name it with --column reference=NAME."),
        ("reference,amount", ["reconcile", "--column", "amount=amuont"], "Did you mean amount?"),
        ("reference,amount", ["reconcile", "--column", "sum=amount"], "--column names sum: the fields are"),
        ("reference,amount\nM\xfcller,1", ["reconcile"], "such as --encoding windows-1252."),
        (f"{PAYMENTS}\nM\xfcller", ["bulk", "send"], "such as --encoding windows-1252."),
        (PAYMENTS.replace("amount", "amout"), ["bulk", "send"], "Rename the column amout to amount."),
        ("reference_id", ["bulk", "send"], "name another one, such as reference_id: --key-column NAME."),
        (f"{PAYMENTS}\nINV-1,12345678,aHeq349838,1.00,BUSINESS,", ["bulk", "send"], "--due-date tomorrow gives a due"),
    ],
)
def test_advice_about_a_file_is_in_options(
    command: Command, tmp_path: Path, content: str, words: list[str], advice: str
) -> None:
    file = tmp_path / "book.csv"
    file.write_bytes(f"{content}\n".encode("latin-1"))
    window = ["--start", "2026-03-04T00:00:00Z", "--end", "2026-03-05T00:00:00Z"]
    settings = {"VICTOR_BULK_KEY": "a secret for tests, of some length"}
    ran = command(
        *words, str(file), *(window if words[0] == "reconcile" else ["--state", f"sqlite:///{tmp_path}/s"]), **settings
    )
    assert (ran.status, ran.out) == (2, "")
    assert advice in ran.err, ran.err
