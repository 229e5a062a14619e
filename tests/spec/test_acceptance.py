"""The file of accepted losses: what it makes green, and what it never does."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest

from victor_ext.spec.__main__ import main
from victor_ext.spec.checking.problems import Problem, judge, read_accepted

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
BOTH = ENTRY.format(LOSS) + ENTRY.format(OTHER)


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "hooks.yaml"
    path.write_text(DOCUMENT, encoding="utf-8")
    return path


@pytest.fixture
def accepted(tmp_path: Path) -> Path:
    return tmp_path / "hooks.accepted.yaml"


def test_a_loss_is_green_once_it_is_accepted(
    document: Path, accepted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(document)]) == 1
    assert f"left out: {LOSS}; do without it, and accept it with a reason\n" in capsys.readouterr().err
    accepted.write_text(BOTH)
    assert main(["check", str(document), "--verbose"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert f"accepted since 2026-03-04: {LOSS}: nobody listens\n" in printed.out
    assert printed.out.endswith(": complete, 2 accepted\n")


def test_another_file(document: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(BOTH)
    assert main(["check", str(document), "--accepted", str(other)]) == 0
    assert main(["check", str(document), str(document), "--accepted", str(other)]) == 2


def test_an_entry_is_for_one_loss_only(document: Path, accepted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accepted.write_text(ENTRY.format(LOSS))
    assert main(["check", str(document)]) == 1
    assert capsys.readouterr().err == f"left out: {OTHER}; do without it, and accept it with a reason\n"
    for wide in ("*", "GET /ping", "GET /p.*: answer '700', which is no status of HTTP", LOSS.lower()):
        accepted.write_text(ENTRY.format(wide))
        assert main(["check", str(document)]) == 1


def test_an_entry_that_matches_nothing_is_red(
    document: Path, accepted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    accepted.write_text(BOTH + ENTRY.format("GET /peng"))
    assert main(["check", str(document)]) == 1
    assert capsys.readouterr().err == f"{accepted}: GET /peng: it matches nothing; remove the entry\n"


def test_an_entry_for_all_losses_of_one_kind(
    document: Path, accepted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    accepted.write_text(GROUP.format("GET *: answer *, which is no status of HTTP"))
    assert main(["check", str(document), "--verbose"]) == 0
    printed = capsys.readouterr().out
    assert "accepted since 2026-03-04: GET *: answer *, which is no status of HTTP: nobody listens\n" in printed
    before = accepted.read_text(encoding="utf-8")
    assert main(["check", str(document), "--accept", "all else"]) == 0
    assert accepted.read_text(encoding="utf-8") == before


@pytest.mark.parametrize(
    "places",
    [
        "POST *: answer *, which is no status of HTTP",
        "*: answer *, which is no header of HTTP",
        "*: answer *, which is no status",
        "*: answer * status of HTTP",
        "*: ANSWER *, which is no status of HTTP",
        "GET /p.*: answer *, which is no status of HTTP",
    ],
)
def test_an_entry_for_a_kind_accepts_no_other_kind(accepted: Path, places: str) -> None:
    accepted.write_text(GROUP.format(places))
    losses = [Problem("left out", LOSS), Problem("missing", "GET /pong", "answer '700', which is no status of HTTP")]
    left, used = judge(accepted, read_accepted(accepted), losses, datetime.date(2026, 3, 4))
    assert used == []
    assert left == [*losses, Problem("acceptance", f"{accepted}: {places}", "it matches nothing")]


def test_an_entry_counts_until_it_expires(document: Path, accepted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accepted.write_text(BOTH + "  expires: 2999-12-31\n")
    assert main(["check", str(document)]) == 0
    capsys.readouterr()
    accepted.write_text(BOTH + "  expires: 2026-03-05\n")
    assert main(["check", str(document)]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"left out: {OTHER}; do without it, and accept it with a reason",
        (
            f"{accepted}: {OTHER}: it counted until 2026-03-05; look at it again: write a later day for `expires`, or"
            " remove the entry"
        ),
    ]


def test_a_file_that_does_not_exist_is_refused_unless_it_is_to_be_written(
    document: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = tmp_path / "nowhere.yaml"
    assert main(["check", str(document), "--accepted", str(named)]) == 2
    assert capsys.readouterr().err == f"--accepted {named}: the file does not exist: write it, or name another.\n"
    assert main(["check", str(document), "--accepted", str(named), "--accept", "no webhooks"]) == 0
    assert main(["check", str(document), "--accepted", str(named)]) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- place: x\n  since: 2026-03-04\n", "entry 1 has no reason: write why this loss is right"),
        (ENTRY.format(LOSS).replace("nobody listens", "' '"), "entry 1 has no reason"),
        ("- reason: x\n  since: 2026-03-04\n", "entry 1 has no place: write its place"),
        (ENTRY.format(LOSS).replace("2026-03-04", "soon"), "entry 1: since is 'soon': write a date, as 2026-03-04"),
        (ENTRY.format(LOSS).replace("2026-03-04", "2026-02-30"), "since is '2026-02-30': write a date"),
        (
            ENTRY.format(LOSS) + "  until: 2027-01-01\n",
            "has 'until': write some of place, reason, since, places, expires and nothing else",
        ),
        (ENTRY.format(LOSS) + "  expires: soon\n", "entry 1: expires is 'soon': write a date, as 2026-03-04"),
        (ENTRY.format(LOSS) + "  expires: []\n", "entry 1: expires is []: write a date, as 2026-03-04"),
        (ENTRY.format(LOSS) + "  places: '*: no status of HTTP'\n", "has place and places: write place for one loss"),
        *(
            (GROUP.format(wide), f"entry 1: places is {wide!r}: write the text of a loss, `place: words`, with `*` for")
            for wide in ("*", "* /ping", "*: *", "*: * *, * * * * *", "*: * which * *")
        ),
        (ENTRY.format(LOSS) * 2, f"two entries have the place {LOSS!r}"),
        ("place: x\n", "must be a list of entries, each with place, reason, since"),
        ("- x\n", "entry 1 must have place, reason, since"),
        ("- [\n", "cannot be read"),
        ("\xff", "must be a list"),
    ],
)
def test_a_mistake_in_the_file_is_named(
    document: Path, accepted: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    accepted.write_text(text)
    assert main(["check", str(document)]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert (printed.err.count("\n") == 1) or said == "cannot be read"
    assert printed.out == ""


def test_accept_adds_what_is_left_out_and_removes_nothing(
    document: Path, accepted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = f"# Reviewed in March.\n{ENTRY.format(LOSS)}"
    accepted.write_text(before)
    assert main(["check", str(document), "--accept", "we use no: 'webhooks'"]) == 0
    assert f"now accepted: {OTHER}\n" in capsys.readouterr().out
    text = accepted.read_text(encoding="utf-8")
    assert text.startswith(before)
    assert text.removeprefix(before).splitlines()[:2] == [
        "- place: 'GET /pong: answer ''700'', which is no status of HTTP'",
        "  reason: 'we use no: ''webhooks'''",
    ]
    written = datetime.date.fromisoformat(text.splitlines()[-1].removeprefix("  since: "))
    assert abs(datetime.date.today() - written) <= datetime.timedelta(days=1)  # noqa: DTZ011 - a day, of any zone
    assert main(["check", str(document), "--accept", "again"]) == 0
    assert accepted.read_text(encoding="utf-8") == text
    assert main(["check", str(document)]) == 0


def test_accept_makes_the_file(document: Path, accepted: Path) -> None:
    assert main(["check", str(document), "--accept", " "]) == 2
    assert not accepted.exists()
    assert main(["check", str(document), "--accept", "no webhooks"]) == 0
    assert accepted.read_text(encoding="utf-8").count("- place: ") == 2


def test_json_for_machines(document: Path, accepted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accepted.write_text(ENTRY.format(LOSS))
    assert main(["check", "--json", str(document), str(document)]) == 1
    printed = capsys.readouterr()
    assert printed.err == ""
    one, other = map(json.loads, printed.out.splitlines())
    assert one == other
    assert one["ok"] is False
    assert one["problems"] == [{"kind": "left out", "place": OTHER, "what": ""}]
    assert one["accepted"] == [{"place": LOSS, "reason": "nobody listens", "since": "2026-03-04"}]
    assert one["counts"]["answers"] == {"declared": 2, "found": 2}
