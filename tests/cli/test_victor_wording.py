"""What the command says when something goes wrong: in words of the shell, about options that exist,
once.
"""

import json
import re
import shlex
from dataclasses import replace
from string import Template

import pytest

from tests.cases import cases_beside
from tests.cli.test_victor_create import words

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


FAILURES = cases_beside(__file__)["failures"]


def fail(what, command, sandbox):
    """Run one of the commands that fail."""
    case, inbound, create = FAILURES[what], sandbox.create_inbound(), shlex.join(CREATE)
    words = {word: f"rfp {word} {inbound} --notes Yes" for word in ("accept", "decline")}
    words |= {"create": create, "ask": f"{create} --amount 2", "url": sandbox.url}
    words["tls"] = sandbox.url.replace("http:", "https:")

    def run(line, **settings):
        return command(*shlex.split(Template(line).substitute(words)), **settings)

    if "before" in case:
        assert run(case["before"]).status == 0
    if "fault" in case:
        body = {"body": json.dumps(case["fault"]["body"])} if "body" in case["fault"] else {}
        sandbox.inject(**{**case["fault"], **body})
    return run(case["line"], **case.get("settings", {}))


def speaks_python(ran):
    return PYTHON.search(ELSE.sub("", ran.err)) is not None


@pytest.mark.parametrize("what", FAILURES)
def test_a_failure_is_told_in_words_of_the_shell(command, victor_sandbox, what):
    """What it `says` is there once, and what it should never say is not."""
    case = FAILURES[what]
    ran = fail(what, command, victor_sandbox)
    assert ran.status == case["status"], ran.err
    assert not speaks_python(ran), ran.err
    assert [text for text in case.get("says", []) if ran.err.count(text) != 1] == [], ran.err
    assert [text for text in case.get("never", []) if text in ran.err] == [], ran.err


@pytest.mark.parametrize("line", cases_beside(__file__)["misuse"])
def test_a_wrong_argument_is_refused_once_and_in_plain_words(command, tmp_path, line):
    (tmp_path / "good.csv").write_text("reference,amount\nINV-1,1.00\n")
    ran = replace(command, folder=tmp_path)(*shlex.split(line), VICTOR_BULK_KEY="k" * 16)
    assert (ran.status, ran.out) == (2, "")
    assert not speaks_python(ran), ran.err
    assert ran.err.startswith("Error: ")
    assert ran.err.endswith(("'.\n", ".\n", "Outcome: not_sent\n"))
    clumsy = r"See .* See |\.\.\. See|[^.][.?]\.$|\b1 characters|(int|float) range|--[a-z-]+="
    assert re.search(clumsy, ran.err) is None


def test_the_advice_after_a_lost_response_is_a_find_with_the_reference_and_the_time(
    command, victor_sandbox
):
    victor_sandbox.inject("lose_answer", operation="create", work=True, times=None)
    ran = command(*CREATE, "--amount", "1", "--client-reference-id", "INV 7", "--deadline", "0.5")
    line = r"look with 'victor (rfp find 'INV 7' --start-datetime [0-9T:Z-]+ --deadline 0.5)'"
    [look] = re.findall(line, ran.err)
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
    command, victor_sandbox, said, next_command
):
    body = json.dumps({"error": said})
    victor_sandbox.inject("status", operation="create", status=409, body=body, times=None)
    ran = command(*CREATE, "--amount", "2", "--deadline", "1", "--json")
    assert (ran.status, ran.error["outcome"]) == (3, "unknown")
    assert ran.error["next_command"].startswith(f"victor rfp {next_command}")


def problems(ran):
    return [(problem["option"], problem["field"]) for problem in ran.error["problems"]]


@pytest.mark.parametrize(("provider_field", "option", "field"), cases_beside(__file__)["fields"])
def test_a_problem_about_a_field_of_the_provider_is_reported_with_its_option(
    command, victor_sandbox, provider_field, option, field
):
    error = {"error": {"code": 101, "message": "error.invalid", "field": provider_field}}
    victor_sandbox.inject("status", operation="create", status=400, body=json.dumps(error))
    assert problems(command(*CREATE, "--amount", "2", "--json")) == [(option, field)]
    assert problems(command("rfp", "get", "NOPE", "--json")) == [
        ("ID", "victor_payment_request_id")
    ]


def test_all_wrong_options_of_a_command_are_reported_at_once(command, victor_sandbox):
    for line, options in (
        (
            "rfp create --biller-type consumer --due-date 20.11.2026 --amount 0",
            "--payee-account-number --payer-counterparty-id --amount --biller-type --due-date",
        ),
        (
            "rfp list --page-size 0 --status paid --start-datetime x --due-date-end-date z",
            "--page-size --status --start-datetime --due-date-end-date",
        ),
        ("rfp accept 'a b' --modified-amount 1,5", "ID --notes --modified-amount"),
    ):
        ran = command(*shlex.split(line), "--json")
        assert {option for option, _ in problems(ran)} == {*options.split()}
        assert all(option in ran.error["message"] for option in options.split())
    assert victor_sandbox.received() == []


@pytest.mark.parametrize(("content", "words", "advice"), cases_beside(__file__)["advice"])
def test_advice_about_a_file_is_in_options(command, tmp_path, content, words, advice):
    file = tmp_path / "book.csv"
    file.write_bytes(f"{content}\n".encode("latin-1"))
    window = ["--start", "2026-03-04T00:00:00Z", "--end", "2026-03-05T00:00:00Z"]
    state = ["--state", f"sqlite:///{tmp_path}/s"]
    own = window if words[0] == "reconcile" else state
    ran = command(*words, str(file), *own, VICTOR_BULK_KEY="a secret for tests, of some length")
    assert (ran.status, ran.out) == (2, "")
    assert advice in ran.err, ran.err
