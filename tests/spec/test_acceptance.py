"""The file of accepted losses: what it makes green, and what it never does."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from victor_ext.spec.checking.check import judge
from victor_ext.spec.checking.problems import Problem
from victor_ext.spec.command_line import main

from .wire import beside

pytestmark = pytest.mark.thorough
LOSS = "GET /ping: answer '700', which is no status of HTTP"
OTHER = "GET /pong: answer '700', which is no status of HTTP"
ANSWER = "{'200': {description: Ok, content: {application/json: {schema: {type: string}}}}, '700': {description: No}}"
DOCUMENT = f"""
openapi: 3.1.0
info: {{title: T, version: '1'}}
paths:
  /ping: {{get: {{operationId: ping, responses: {ANSWER}}}}}
  /pong: {{get: {{operationId: pong, responses: {ANSWER}}}}}
"""
ENTRY = '- place: "{}"\n  reason: nobody listens\n  since: 2026-03-04\n'
GROUP = '- places: "{}"\n  reason: nobody listens\n  since: 2026-03-04\n'
DO_WITHOUT = "do without it, and accept it with a reason"
BOTH = ENTRY.format(LOSS) + ENTRY.format(OTHER)

ROWS = beside("acceptance")


class Checked(NamedTuple):
    status: int
    out: str
    err: str


Check = Callable[..., Checked]


@pytest.fixture
def accepted(tmp_path: Path) -> Path:
    (tmp_path / "hooks.yaml").write_text(DOCUMENT, encoding="utf-8")
    return tmp_path / "hooks.accepted.yaml"


@pytest.fixture
def check(accepted: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    def check(text: str | None = None, *options: str) -> Checked:
        """Check the document, with a text in its file of accepted losses; None leaves the file as it is."""
        if text is not None:
            accepted.write_text(text, encoding="utf-8")
        status = main(["check", str(accepted.with_name("hooks.yaml")), *options])
        return Checked(status, *capsys.readouterr())

    return check


def test_a_loss_is_green_once_it_is_accepted(check: Check) -> None:
    assert check()[::2] == (1, "".join(f"left out: {loss}; {DO_WITHOUT}\n" for loss in (LOSS, OTHER)))
    status, printed, err = check(BOTH, "--verbose")
    assert (status, err) == (0, "")
    assert f"accepted since 2026-03-04: {LOSS}: nobody listens\n" in printed
    assert printed.endswith(": complete, 2 accepted\n")


LEFT, NOTHING = f"left out: {OTHER}; {DO_WITHOUT}\n", "it matches nothing; remove the entry\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ENTRY.format(LOSS), LEFT),
        (BOTH, ""),
        *(
            (BOTH + ENTRY.format(wide), f"{{}}: {wide}: {NOTHING}")
            for wide in ("GET /peng", "*", "GET /ping", LOSS.replace("ping", "p.*"), LOSS.lower())
        ),
    ],
)
def test_an_entry_is_for_one_loss(
    check: Check, accepted: Path, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(text)[::2] == (int(bool(said)), said.format(accepted))
    generate = ["generate", str(accepted.with_name("hooks.yaml")), f"--out={accepted.parent / 'out'}"]
    lost = [line.partition("; ")[0].partition(": ")[2] for line in said.splitlines() if line.startswith("left out")]
    assert main(generate) == int(bool(lost)), "generate names what check names"
    assert capsys.readouterr().err == "".join(f"  LEFT OUT: {each}\n" for each in lost)
    assert main([*generate, "--verbose"]) == int(bool(lost))
    assert f"left out, as accepted: {LOSS}" in capsys.readouterr().err


def test_an_entry_for_all_losses_of_one_kind(check: Check, accepted: Path) -> None:
    text = GROUP.format("GET *: answer *, which is no status of HTTP")
    status, printed, _ = check(text, "--verbose")
    assert status == 0
    assert "accepted since 2026-03-04: GET *: answer *, which is no status of HTTP: nobody listens\n" in printed
    assert check(None, "--accept", "all else").status == 0
    assert accepted.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("places", ROWS["other_kinds"])
def test_an_entry_for_a_kind_accepts_no_other_kind(accepted: Path, places: str) -> None:
    accepted.write_text(GROUP.format(places))
    losses = [Problem("left out", LOSS), Problem("missing", "GET /pong", "answer '700', which is no status of HTTP")]
    left, used = judge(accepted, losses)
    assert used == []
    assert left == [*losses, Problem("acceptance", f"{accepted}: {places}", "it matches nothing")]


def test_another_file_must_exist_unless_it_is_to_be_written(check: Check, tmp_path: Path) -> None:
    assert check(None, "--accept", " ").status == 2
    named = ("--accepted", str(tmp_path / "nowhere.yaml"))
    assert check(None, *named)[::2] == (2, f"{' '.join(named)}: the file does not exist: write it, or name another.\n")
    assert [path.name for path in tmp_path.iterdir()] == ["hooks.yaml"]
    assert check(None, *named, "--accept", "no webhooks").status == 0
    assert (tmp_path / "nowhere.yaml").read_text(encoding="utf-8").count("- place: ") == 2
    assert check(None, *named).status == 0
    assert check(None, str(tmp_path / "hooks.yaml"), *named).status == 2  # of which of the two documents is it?


@pytest.mark.parametrize(("written", "said"), ROWS["mistakes"])
def test_a_mistake_in_the_file_is_named(check: Check, written: str | dict[str, Any], said: str) -> None:
    text = written if isinstance(written, str) else yaml.safe_dump([written])
    text = text.replace("'LOSS'", "LOSS").replace("LOSS", json.dumps(LOSS))
    status, out, err = check(text)
    assert (status, out) == (2, "")
    assert said in err
    assert (err.count("\n") == 1) or said == "cannot be read"


def test_accept_adds_what_is_left_out_and_removes_nothing(check: Check, accepted: Path) -> None:
    before = f"# Reviewed in March.\n{ENTRY.format(LOSS)}"
    status, printed, _ = check(before, "--accept", "we use no: 'webhooks'")
    assert status == 0
    assert f"now accepted: {OTHER}\n" in printed
    text = accepted.read_text(encoding="utf-8")
    assert text.startswith(before)
    assert text.removeprefix(before).splitlines()[:2] == [
        "- place: 'GET /pong: answer ''700'', which is no status of HTTP'",
        "  reason: 'we use no: ''webhooks'''",
    ]
    written = datetime.date.fromisoformat(text.splitlines()[-1].removeprefix("  since: "))
    assert abs(datetime.date.today() - written) <= datetime.timedelta(days=1)  # noqa: DTZ011 - a day, of any zone
    assert check(None, "--accept", "again").status == 0
    assert accepted.read_text(encoding="utf-8") == text
    assert check().status == 0
    accepted.unlink()
    assert (check(None, "--accept", "x").status, accepted.exists()) == (0, True)


def test_json_for_machines(check: Check, accepted: Path) -> None:
    status, out, err = check(ENTRY.format(LOSS), str(accepted.with_name("hooks.yaml")), "--json")
    assert (status, err) == (1, "")
    one, other = map(json.loads, out.splitlines())
    assert one == other
    assert one["ok"] is False
    assert one["problems"] == [{"kind": "left out", "place": OTHER, "what": ""}]
    assert one["accepted"] == [{"place": LOSS, "reason": "nobody listens", "since": "2026-03-04"}]
    assert one["counts"]["answers"] == {"declared": 2, "found": 2}
