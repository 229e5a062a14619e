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
