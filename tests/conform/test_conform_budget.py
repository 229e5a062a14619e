"""Whatever fails, and wherever it is killed: no more is made than was planned, and the file says what was made."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress

import pytest

from tests.conform.conftest import WHOLE
from tests.sandbox.sandbox_callers import API_KEY
from victor_ext import ConfigurationError, VictorError
from victor_ext.conform import Plan, load
from victor_ext.conform.measuring import only_writer
from victor_ext.sandbox.server.faults import KINDS

pytestmark = pytest.mark.slow


def writes(report) -> list[dict]:
    return [each for each in report.document["calls"] if "step" in each]


def check_the_file(measured, report) -> None:
    """What the sandbox has is what the file says; of the rest, the file says that it is not known."""
    outbound = {each["id"] for each in measured.sandbox.requests() if each["direction"] == "outbound"}
    made = writes(report)
    unknown = [each for each in made if each["state"] in ("sent", "unknown") and not each["id"]]
    assert {*report.made} <= outbound
    assert len(outbound - {*report.made}) <= len(unknown)
    assert len(outbound) <= WHOLE.writes
    assert len(made) <= WHOLE.writes
    assert len({each["step"] for each in made}) == len(made)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_under_every_fault(started, kind):
    measured = started()
    options = {"after": 20} if kind.startswith("cut") else {"delay": 0.01} if kind == "delay" else {}
    fault = measured.sandbox.inject(kind, probability=0.3, seed=7, skip=1, **options)
    report = measured(timeout=0.3)
    assert any(each["id"] == fault and each["applied"] for each in measured.sandbox.faults())
    check_the_file(measured, report)
    assert bool(report.failures) is (kind != "delay"), "what failed is said"
    assert report.differences == [], "no failure looks like a rule"
    measured.sandbox.clear_faults()
    again = measured()
    check_the_file(measured, again)
    assert again.differences == []
    assert len(again.failures) <= len(report.failures)


class Killed(BaseException):
    """What no handler takes for an error."""


@pytest.mark.thorough
@pytest.mark.parametrize("moment", ["request", "response"])
@pytest.mark.parametrize("call", range(2, 90))
def test_killed_at_every_call(started, call, moment):
    """Killed at this call of the first run and of the second one, before it is sent or after it was answered."""
    measured = started()
    for _ in range(2):
        left = iter(range(call, -1, -1))

        def count(_: object, left=left) -> None:
            if next(left, 0) == 1:
                raise Killed

        with suppress(Killed):
            measured(event_hooks={moment: [count]})
        if (measured.path / "measured.json").exists():
            check_the_file(measured, load(measured.path / "measured.json"))
    report = measured()
    check_the_file(measured, report)
    assert report.differences == []


def test_a_killed_process_goes_on_from_its_file(started):
    """A whole process ends at once, without a handler, when its third create has been answered."""
    measured = started()
    code = """
import os, sys, httpx
from tests.conform.conftest import WHOLE
from victor_ext import Victor, VictorJwt
from victor_ext.conform import measure, measuring
url, key, pem, path = sys.argv[1:]
posts = []
def end(response):
    posts.extend([1] * (response.request.method == "POST"))
    if len(posts) == 3:
        os._exit(9)
measuring._sender = lambda _: httpx.Client(event_hooks={"response": [end]})
measure(path, WHOLE, lambda **more: Victor(VictorJwt(key, pem), base_url=url, **more), sleep=lambda _: None)
"""
    path = measured.path / "measured.json"
    arguments = [measured.sandbox.url, API_KEY, str(measured.path / "key.pem"), str(path)]
    assert subprocess.run([sys.executable, "-c", code, *arguments], check=False).returncode == 9
    assert [each["state"] for each in writes(load(path))] == ["made", "made", "sent"]
    with only_writer(path), pytest.raises(ConfigurationError, match="is written by another"):
        measured()
    report = measured()
    check_the_file(measured, report)
    assert [each["assumption"] for each in report.failures] == ["key-repeat", "key-in-progress"]
    assert {each["state"] for each in writes(report)} == {"made", "found", "refused"}
    assert "with this file cannot measure key-repeat, key-in-progress: measure into another file." in report.text()


def test_a_file_of_another_plan_or_place_is_refused(started):
    measured = started()
    measured(Plan())
    with pytest.raises(ConfigurationError, match=r"another measurement \(payee, payer, own_payer, "):
        measured(WHOLE)
    other = started()
    with pytest.raises(ConfigurationError, match=r"another measurement \(base_url\)"):
        other(Plan())
    (measured.path / "measured.json").write_text("[]")
    with pytest.raises(VictorError, match="is no file of 'victor conform' of format 1"):
        measured(Plan())
