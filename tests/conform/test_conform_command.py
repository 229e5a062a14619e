"""`victor conform`: what it prints, and its exit status."""

import signal
from pathlib import Path

import pytest

from tests.cli.victor_command import Command, calls, until
from tests.sandbox.sandbox_callers import API_KEY

PAIR = ("--payee", "043987673645", "--payer", "aHeq349838")


@pytest.fixture
def started(sandboxes, victor_key_pair, bare_environment):
    """Start a sandbox with options; give it, and the command that asks it."""
    credentials = {"VICTOR_API_KEY": API_KEY, "VICTOR_PRIVATE_KEY": victor_key_pair[0]}

    def start(**options):
        sandbox = sandboxes(**options)
        return sandbox, Command(bare_environment | credentials | {"VICTOR_BASE_URL": sandbox.url})

    return start


def test_each_finding_that_the_page_shows_is_printed_so(started):
    _, victor = started(key_conflict="422")
    page = (Path(__file__).parents[2] / "docs" / "conform.md").read_text(encoding="utf-8")
    shown = page.partition("$ victor conform --payee 043987673645 --payer aHeq349838\n")[2]
    shown = shown.partition("```")[0]
    ran = victor("conform", *PAIR)
    assert ran.status == 1
    told = [line for line in shown.splitlines() if line[:2] in ("= ", "! ", "? ")]
    assert len(told) == 3
    assert [line for line in told if line not in ran.out.splitlines()] == []
    assert "is asked for 0.01 under four keys" in ran.err


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({}, 0),
        ({"key_conflict": "422"}, 1),
        ({"list_lag": 1e6}, 75),
    ],
    ids=["all is as assumed", "one differs", "one is not shown"],
)
def test_the_exit_status_tells_whether_all_is_as_assumed_or_differs_or_is_not_shown(
    started, options, status, monkeypatch
):
    monkeypatch.setattr("victor_ext.conform._questions.LOOKS", (0,))
    _, victor = started(**options)
    assert victor("conform", *PAIR).status == status


@pytest.mark.pull_request
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_conform_begins_no_create_after_a_signal(started, number):
    """Also not of the two at once, which have threads of their own."""
    one_by_one, threads = 4, 2
    sandbox, victor = started()
    sandbox.inject("status", operation="create", status=503, times=None, skip=one_by_one)
    with victor.started("conform", *PAIR) as process:
        until(lambda: calls(sandbox, "create") >= one_by_one + threads)
        ran = victor.stopped(process, number)
        made = calls(sandbox, "create")
    assert ran.status == 128 + number
    assert made <= one_by_one + 2 * threads, "one more of each thread may have been under way"
