"""docs/errors.md names every error and what it has, and docs/retry.md settles what is unknown."""

import inspect
import re
import sqlite3
import subprocess
import sys
import time

import pytest

import victor_ext
from tests.pages.page import ROOT
from tests.payments import payment
from victor_ext import Outcome, Victor, VictorError, VictorOAuth

pytestmark = pytest.mark.slow
ERRORS = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
RETRY = (ROOT / "docs" / "retry.md").read_text(encoding="utf-8")


def test_the_table_of_errors_has_every_public_error():
    section = ERRORS.partition("## Which error, and what to do")[2].partition("\n## ")[0]
    named = set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE))
    public = [getattr(victor_ext, name) for name in victor_ext.__all__]
    classes = [value for value in public if inspect.isclass(value)]
    errors = {error.__name__ for error in classes if issubclass(error, VictorError)}
    assert errors - {"VictorError"} <= named


def settling(monkeypatch, folder):
    """The blocks of the section: the functions of a program, what it calls, and the search."""
    monkeypatch.chdir(folder)
    section = RETRY.partition("## Settle an unknown outcome")[2].partition("\n## ")[0]
    program, search = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    functions, ask, rest = program.partition("\nask(")
    assert rest.endswith("\nsettle()\n")
    return functions, ask + rest.removesuffix("settle()\n"), search


def five_minutes_later(names):
    with names["database"] as database:
        database.execute("UPDATE asks SET began = began - 300")


def stored(names):
    return list(names["database"].execute("SELECT state, request_id FROM asks"))


@pytest.fixture
def names(victor):
    """What the page gives to its blocks."""
    return {"victor": victor, "invoice": payment(payer_counterparty_id="acme000001")}


def test_the_code_of_the_retry_page_settles_an_unknown_outcome_without_a_second_request(
    victor_sandbox,
    names,
    tmp_path,
    monkeypatch,
):
    functions, ask, search = settling(monkeypatch, tmp_path)
    exec(functions, names)
    victor_sandbox.inject("lose_answer", operation="create", times=6)
    with pytest.raises(VictorError) as raised:
        exec(ask, names)
    assert raised.value.outcome is Outcome.UNKNOWN
    names["settle"]()
    assert stored(names) == [("asking", None)]  # the first call might go on

    five_minutes_later(names)
    victor_sandbox.inject("status", operation="create", status=400)
    names["settle"]()
    assert stored(names) == [("asking", None)]  # the refusal was that of the repeat
    names["settle"]()
    exec(search, names)

    (match,) = names["found"]
    assert stored(names) == [("asked", match.id)]
    assert [*victor_sandbox.work_done_by_key().values()] == [1]
    with pytest.raises(sqlite3.IntegrityError):
        exec(ask, names)


def test_a_row_left_by_a_killed_process_is_settled_by_the_job_of_the_retry_page(
    victor_sandbox,
    names,
    tmp_path,
    monkeypatch,
):
    functions, ask, _ = settling(monkeypatch, tmp_path)
    credentials = victor_sandbox.add_oauth_client()
    program = f"""
from victor_ext import Victor, VictorOAuth
victor = Victor(VictorOAuth(*{credentials!r}), base_url={victor_sandbox.url!r})
invoice = {dict(names["invoice"], due_date=str(names["invoice"]["due_date"]))!r}
{functions}
{ask}
"""
    victor_sandbox.inject("stall", operation="create", work=True)
    with subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path) as process:
        while not victor_sandbox.work_done_by_key():
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()

    exec(functions, names)
    assert stored(names) == [("asking", None)]
    five_minutes_later(names)
    with Victor(VictorOAuth(*credentials), base_url=victor_sandbox.url) as job:
        names["victor"] = job
        names["settle"]()
    ((state, request_id),) = stored(names)
    assert state == "asked"
    assert [request["id"] for request in victor_sandbox.requests()] == [request_id]
