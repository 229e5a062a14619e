"""`victor conform`: what it prints and writes, and its exit status."""

import json
from functools import partial
from pathlib import Path

import pytest

from tests.cli.victor_command import Command
from tests.sandbox.sandbox_callers import API_KEY
from victor_ext import ConnectionFailed, Outcome, Victor, VictorOAuth
from victor_ext.conform import Plan, measure
from victor_ext.conform.measuring import write
from victor_ext.conform.run import CREATE

pytestmark = pytest.mark.slow
READS = ["conform", "--out", "measured.json"]


@pytest.fixture
def sandbox(started, monkeypatch):
    measured = started(unknown_id="404")
    monkeypatch.chdir(measured.path)
    return measured.sandbox


@pytest.fixture
def victor(sandbox, bare_environment):
    """The command, which measures the sandbox."""
    settings = {"BASE_URL": sandbox.url, "API_KEY": API_KEY, "PRIVATE_KEY_FILE": "key.pem"}
    return Command(bare_environment | {f"VICTOR_{name}": value for name, value in settings.items()})


def test_a_plan_sends_nothing(victor, sandbox):
    ran = victor(
        *READS, "--plan", "--payee", "043987673645", "--payer", "aHeq349838", "--own-payer"
    )
    assert ran.status == 0
    assert "17 payment requests are made, never more than 80" in ran.out
    assert "****3645" in ran.out
    assert sandbox.received() == []
    assert not Path("measured.json").exists()


def test_differences_are_named_and_compared(victor):
    ran = victor(*READS)
    assert ran.status == 1
    assert "~ unknown-id: 404: an id that does not exist is refused with 404.\n" in ran.out
    assumed = "  - assumed: 400: an id that does not exist is refused with 400. NotFound is raised"
    assert assumed in ran.out
    evidence = json.loads(Path("measured.json").read_bytes())["findings"]["unknown-id"]["evidence"]
    numbers = ", ".join(map(str, evidence))
    assert f"  - shown by: calls {numbers} in the file" in ran.out
    assert "eyJ" not in ran.out
    ran = victor("conform", "--compare", "measured.json", "--json")
    assert (ran.status, ran.json["sandbox"]["unknown_id"]) == (0, "404")
    document = json.loads(Path("measured.json").read_bytes())
    document["findings"]["unknown-id"]["value"] = "400"
    Path("before.json").write_text(json.dumps(document))
    ran = victor(*READS, "--compare", "before.json")
    assert (ran.status, ran.out.splitlines()[-1]) == (
        1,
        "- changed: unknown-id: 400 before, 404 now",
    )
    changes = victor(*READS, "--compare", "before.json", "--json").json["changes"]
    assert changes == ["unknown-id: 400 before, 404 now"]
    shown = victor("doctor").out
    assert "Measured" in shown
    assert "0 days ago, in conform.json" in shown


def test_the_page_shows_a_report(started):
    page = (Path(__file__).parents[2] / "docs" / "conform.md").read_text(encoding="utf-8")
    shown = page.partition("$ cat report.md\n...\n")[2].partition("\n...\n")[0].splitlines()
    measured = started(unknown_id="404", key_conflict="422", is_oauth=True)
    plan = Plan(payee="043987673645", payer="aHeq349838")
    # The command names an option where a plan has an argument.
    text = measured(plan).text().replace("key_life=", "--key-life")
    assert len(shown) == 7
    assert [line for line in shown if line not in text.splitlines()] == []


def test_interrupted_it_says_what_it_made(victor, monkeypatch):
    ends = (("OURS", "made"), (None, "sent"))
    calls = [
        {"step": "lag", "request": {"path": CREATE}, "id": id, "state": state} for id, state in ends
    ]

    def interrupted(file: Path, *_: object, **__: object) -> None:
        write(file, {"format": 1, "plan": {}, "findings": {}, "calls": calls})
        raise KeyboardInterrupt

    monkeypatch.setattr("victor_ext.conform.measure", interrupted)
    ran = victor(*READS)
    assert ran.status == 130
    assert "At least 1 payment requests were made (OURS), at most 2: 'calls' in" in ran.err
    assert "it goes on from measured.json" in ran.err


def test_a_comparison_names_what_it_leaves_out(victor):
    victor("conform")
    document = json.loads(Path("conform.json").read_bytes())
    found = document["findings"]
    found["unknown-id"] |= {"value": "400", "certainty": "likely"}
    found["key-repeat"] |= {"value": "replay", "certainty": "certain"}
    Path("before.json").write_text(json.dumps(document | {"base_url": "https://other.example"}))
    ran = victor("conform", "--compare", "before.json")
    comparison = [
        "Nothing that was compared has changed.",
        (
            "Not compared, since one of the two did not measure them for certain: unknown-id, "
            "key-repeat."
        ),
        "The earlier file has another base_url: https://other.example.",
    ]
    assert ran.status == 0
    assert ran.out.rstrip("\n").endswith("\n\n".join(comparison))


@pytest.mark.pull_request
def test_what_could_not_be_measured_can_be_run_again(victor, sandbox):
    sandbox.inject("status", times=None, skip=1, query="*page_size=1000*")
    assert victor("conform", "--compare", "nothing.json").status == 2
    assert victor("conform", "--out", "first.json").status == 1
    victor("conform")
    ran = victor("conform", "--compare", "first.json")
    assert ran.status == 75
    assert "- max-page-size: not measured" in ran.out


def test_where_nothing_listens_nothing_was_sent(victor):
    with pytest.raises(ConnectionFailed) as raised:
        measure(
            "none.json",
            Plan(),
            partial(Victor, VictorOAuth("id", "secret-for-a-test"), base_url="http://127.0.0.1:1"),
        )
    assert raised.value.outcome is Outcome.NOT_SENT
    assert "http_client" not in str(raised.value)


PAIR = ["--payee", "043987673645", "--payer", "aHeq349838"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--payee", "043987673645"], "--payee and --payer need each other: pass both"),
        (
            ["--key-life", "soon"],
            "Invalid value for '--key-life': 'soon' is not a duration: write 24h",
        ),
        (
            [*PAIR, "--key-life", "27h"],
            "--key-life is 97200 s, and must be a time above zero, at most 93600 s (26 hours)",
        ),
        (["--own-payer"], "--own-payer and --key-life need --payee and --payer."),
        (
            ["--read-only", "--token-tolerance"],
            "--read-only: leave out --payee, --payer and --token-tolerance.",
        ),
        (["--provider", "paypal"], "--provider is 'paypal'"),
        (["--environment", "prod"], "--environment 'prod' is unknown"),
        (
            ["--environment", "production", *PAIR],
            "This is production: only --read-only is allowed there.",
        ),
        (
            ["--base-url", "https://gateway.example", *PAIR],
            "--environment is not named, and gateway.example is no host of the provider: name it",
        ),
        (["--compare", "nope.json"], "nope.json cannot be read"),
        (["--out", "key.pem"], "key.pem is no file of 'victor conform'"),
        (["--out", "nowhere/conform.json"], "cannot be written"),
        (["--out", "."], "--out is ., which is a folder: name a file."),
    ],
)
@pytest.mark.parametrize("plan", [["--plan"], []], ids=["plan", "run"])
def test_a_plan_that_cannot_be_run_is_refused_before_it_is_shown(
    victor, sandbox, arguments, words, plan
):
    ran = victor("conform", *arguments, *plan)
    assert ran.status == 2
    assert words in ran.err
    assert sandbox.received() == []


def test_a_file_of_another_plan_is_named_with_its_options(victor):
    assert victor("conform", "--read-only").status == 1
    ran = victor("conform")
    assert ran.status == 2
    assert "conform.json is of another measurement (--read-only): " in ran.err
    planned = victor("conform", "--plan")
    assert (planned.status, planned.err) == (2, ran.err.partition("\n")[2])


LOOK_ALIKE = "https://api.stage.victorfi.com.evil.example"
REFUSED = (
    "--environment is not named, and api.stage.victorfi.com.evil.example looks like "
    "api.stage.victorfi.com"
)


def test_a_variable_does_not_name_the_environment_of_a_host_that_is_typed(victor):
    named = Command(victor.environment | {"VICTOR_ENVIRONMENT": "staging"})
    for host in (LOOK_ALIKE, "https://gateway.example"):
        ran = named("conform", "--plan", "--base-url", host, *PAIR)
        assert ran.status == 2
        assert f"--environment is not named, and {host.removeprefix('https://')} " in ran.err
        typed = ["--environment", "staging"]
        assert named("conform", "--plan", "--base-url", host, *PAIR, *typed).status == 0


def test_a_variable_names_the_environment_of_its_host_unless_that_is_a_look_alike(victor):
    variables = victor.environment | {"VICTOR_ENVIRONMENT": "staging"}
    likened = Command(variables | {"VICTOR_BASE_URL": LOOK_ALIKE})
    ran = likened("conform", "--plan", *PAIR)
    assert ran.status == 2
    assert REFUSED in ran.err
    gateway = Command(variables | {"VICTOR_BASE_URL": "https://gateway.example"})
    assert gateway("conform", "--plan", *PAIR).status == 0


@pytest.mark.parametrize("is_json", [False, True])
def test_refused_credentials_are_no_reason_to_run_it_again(victor, sandbox, is_json):
    wrong = Command(victor.environment | {"VICTOR_API_KEY": "99999"})
    ran = wrong(*READS, *["--json"][:is_json])
    assert ran.status == 2
    assert "was answered with 401" in ran.err
    if is_json:
        assert json.loads(ran.err.splitlines()[-1])["exit_status"] == 2


def test_the_report_of_the_command_names_options(victor):
    ran = victor(*READS)
    assert "it sends tokens that should be refused: --token-tolerance\n" in ran.out
    assert "token_tolerance" not in ran.out
