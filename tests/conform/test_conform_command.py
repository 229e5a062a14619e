"""`victor conform`: what it prints, and its exit status."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cli.victor_command import Command
from tests.sandbox.sandbox_callers import API_KEY
from victor_ext.sandbox import Sandbox, SandboxSettings

PAIR = ("--payee", "043987673645", "--payer", "aHeq349838")
Start = Callable[..., tuple[Sandbox, Command]]


@pytest.fixture
def started(
    victor_key_pair: tuple[str, str], bare_environment: dict[str, str], tmp_path: Path
) -> Iterator[Start]:
    """Start a sandbox with options; give it, and the command that asks it."""
    private, public = victor_key_pair
    key_file = tmp_path / "key.pem"
    key_file.write_text(private)
    key_file.chmod(0o600)
    with ExitStack() as stack:

        def start(**options: object) -> tuple[Sandbox, Command]:
            settings = SandboxSettings(**{"demo_data": True, **options})
            sandbox = stack.enter_context(Sandbox(settings))
            sandbox.add_api_key(public, API_KEY)
            variables = {
                "VICTOR_BASE_URL": sandbox.url,
                "VICTOR_API_KEY": API_KEY,
                "VICTOR_PRIVATE_KEY_FILE": str(key_file),
            }
            return sandbox, Command(bare_environment | variables)

        yield start


def test_the_page_shows_what_is_printed(started):
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
def test_the_exit_status_tells_what_was_found(started, options, status, monkeypatch):
    monkeypatch.setattr("victor_ext.conform.questions.LOOKS", (0,))
    _, victor = started(**options)
    assert victor("conform", *PAIR).status == status


def test_machines_get_a_line_of_json_for_each_question(started):
    _, victor = started()
    ran = victor("conform", "--json")
    assert ran.status == 0
    first = ran.json_lines[0]
    assert first["question"] == "an unknown id: /v2/payment-requests/{}"
    assert first["exchanges"][0]["status"] == 400
    assert first["differs"] is False


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--payee", "043987673645"], "--payee and --payer belong together, and --key-day"),
        (["--key-day", "2026-03-04"], "--payee and --payer belong together, and --key-day"),
        ([*PAIR, "--key-day", "March"], "--key-day is 'March': write a day such as 2026-03-04."),
        (["--provider", "paypal"], "--provider is 'paypal'"),
        (["--environment", "prod"], "--environment 'prod' is unknown"),
        (["--environment", "production", *PAIR], "payment: nothing is written in production"),
        (
            ["--base-url", "https://gateway.example", *PAIR],
            "--base-url: also write --environment staging, if it is not production.",
        ),
    ],
)
def test_misuse_is_refused_before_anything_is_sent(started, arguments, words):
    sandbox, victor = started()
    ran = victor("conform", *arguments)
    assert ran.status == 2
    assert words in ran.err
    assert sandbox.received() == []


def test_refused_credentials_end_it(started):
    sandbox, victor = started()
    wrong = Command(victor.environment | {"VICTOR_API_KEY": "99999"})
    ran = wrong("conform", *PAIR)
    assert ran.status == 2
    assert "401" in ran.err
    assert len(sandbox.received()) == 1
