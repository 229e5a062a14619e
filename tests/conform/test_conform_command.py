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


def test_a_provider_that_ignores_keys_makes_seven_requests_as_the_command_says(started):
    sandbox, victor = started(key_repeat="new", key_conflict="new")
    ran = victor("conform", *PAIR)
    created = [call for call in sandbox.received() if call.method == "POST"]
    assert (len(created), {call.status for call in created}) == (7, {200})
    assert "ignores keys makes at least seven requests of it" in " ".join(ran.err.split())


def test_machines_get_a_line_of_json_for_each_question(started):
    _, victor = started()
    ran = victor("conform", "--json")
    assert ran.status == 0
    lines = ran.json_lines
    assert [line["question"] for line in lines] == [
        "an unknown id: /v2/payment-requests/{}",
        "the number of the first page",
        "a page past the end",
        "a page of 1000",
        "a window has both ends",
        "the provider's clock",
    ]
    assert [line["differs"] for line in lines] == [False] * len(lines)
    assert lines[0]["exchanges"][0]["status"] == 400


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--payee", "043987673645"], "--payee and --payer belong together, and --key-day"),
        (["--key-day", "2026-03-04"], "--payee and --payer belong together, and --key-day"),
        ([*PAIR, "--key-day", "March"], "--key-day is 'March': write the day of an earlier run,"),
        ([*PAIR, "--key-day", "2999-01-01"], "'2999-01-01': write the day of an earlier run,"),
        (["--provider", "velo", *PAIR], "--payee, --payer: only Victor is written to"),
        (["--provider", "paypal"], "--provider is 'paypal'"),
        (["--environment", "prod"], "--environment 'prod' is unknown"),
        (["--environment", "production", *PAIR], "--payee, --payer: nothing is written in"),
        (
            ["--base-url", "https://gateway.example", *PAIR],
            "--payee, --payer: gateway.example is not the provider's staging",
        ),
    ],
)
def test_misuse_is_refused_before_anything_is_sent(started, arguments, words):
    sandbox, victor = started()
    velo = {"VELO_API_KEY": "k", "VELO_API_SECRET": "s-for-a-test", "VELO_PAYOR_ID": "p"}
    if "production" in arguments:  # its own host
        victor.environment.pop("VICTOR_BASE_URL")
    ran = Command(victor.environment | velo | {"VELO_BASE_URL": sandbox.url})("conform", *arguments)
    assert ran.status == 2
    assert words in ran.err
    assert "is asked for" not in ran.err
    assert sandbox.received() == []


def test_refused_credentials_end_the_conform_command(started):
    sandbox, victor = started()
    wrong = Command(victor.environment | {"VICTOR_API_KEY": "99999"})
    ran = wrong("conform", *PAIR)
    assert ran.status == 2
    assert "401" in ran.err
    assert len(sandbox.received()) == 1


@pytest.mark.slow
def test_a_host_from_a_variable_is_asked_for_money_only_if_the_command_names_the_environment(
    started,
):
    _, victor = started()
    host = {"VICTOR_BASE_URL": "https://gateway.invalid", "VICTOR_ENVIRONMENT": "staging"}
    command = Command(victor.environment | host)
    refused = command("conform", *PAIR)
    assert refused.status == 2
    assert "is asked for" not in refused.err
    assert "gateway.invalid" in refused.err
    ran = command("conform", *PAIR, "--environment", "staging", "--deadline", "1")
    assert ran.status == 75, "the host does not exist"
    assert "Victor, staging, https://gateway.invalid, is asked for 0.01" in ran.err


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
