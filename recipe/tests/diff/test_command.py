"""`victor-spec diff` as a user runs it, and the names in Python."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.command import run
from victor_spec.diff.compare import Change
from victor_spec.diff.python import PythonChange
from victor_spec.diff.report import FORMATS, Report

from .cases import CARD, STATUS, STATUSES, TEXT, card, receives, sends

pytestmark = pytest.mark.pull_request
HOSTILE = "a|b`c`<script>alert(1)</script>\n::error::x\x1b[31m\u2028"


@pytest.fixture(autouse=True)
def _in_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def write(name, tree):
    Path(name).write_text(json.dumps(tree), encoding="utf-8")
    return name


def breaking():
    old = write("old.json", receives(CARD, {"Card": card(pin=TEXT)}))
    return old, write("new.json", receives(CARD, {"Card": card()}))


def test_the_exit_status_says_whether_something_breaks(capsys):
    old = write("old.json", receives(card(status=STATUS)))
    assert run("diff", old, old) == 0
    assert capsys.readouterr().out == "No change.\n"
    look = write("look.json", receives(card(status=STATUSES)))
    assert run("diff", "--no-python", old, look) == 0
    assert run("diff", *breaking()) == 1
    assert "received by get /cards" in capsys.readouterr().out
    assert run("diff", "no.json", look) == 2


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            receives(CARD, {"Card": card(a=TEXT)}),
            receives(CARD, {"Card": card()}),
            "models.Card.a is gone",
        ),
        (
            receives(CARD, {"Card": card(a=TEXT)}),
            receives(CARD, {"Card": card(a={})}),
            "models.Card.a is Any, not str",
        ),
        (
            sends(CARD, {"Card": card()}),
            {
                **sends(CARD, {"Card": card()}),
                "paths": {"/a": {"get": {"operationId": "b", "responses": {}}}},
            },
            "api.cards.create_card is gone",
        ),
    ],
)
def test_what_breaks_in_python_is_told_by_its_name(old, new, told, capsys):
    assert run("diff", write("old.json", old), write("new.json", new)) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert f"Python: {told}" in shown.partition("Look (")[0]


def test_breaks_that_are_accepted_pass_and_others_do_not(capsys):
    pair = breaking()
    assert run("diff", *pair, "--accept", "We never read the PIN.") == 0
    assert "components.schemas.Card.properties.pin" in Path("new.accepted.yaml").read_text("utf-8")
    assert run("diff", *pair) == 0
    write("new.json", receives(CARD, {"Card": {**card(), "maxProperties": 1, "required": []}}))
    assert run("diff", *pair) == 1
    assert run("diff", *pair, "--accept", " ") == 2
    assert "The reason is empty" in capsys.readouterr().err


def test_a_document_of_a_commit_is_compared_with_its_overlay(capsys):
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=no"]
    write("api.json", receives(CARD, {"Card": card(made=TEXT)}))
    target = "$.components.schemas.Card.properties.made"
    overlay = f"overlay: 1.0.0\nactions: [{{target: {target}, update: {{format: %s}}}}]"
    Path("api.overlay.yaml").write_text(overlay % "date")
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    assert run("diff", "git:HEAD:api.json", "git:HEAD:./api.json") == 0
    Path("api.overlay.yaml").write_text(overlay % "date-time")
    assert run("diff", "git:HEAD:api.json", "api.json", "--no-python") == 1
    assert "format changed from date to date-time" in capsys.readouterr().out
    assert run("diff", "git:HEAD:other.json", "api.json") == 2
    assert run("diff", "git:--help:api.json", "api.json") == 2


WHOLE = Report(
    "old.yaml",
    "new.yaml",
    [Change(HOSTILE, HOSTILE, "breaks", ("get /v1/cards",), "received")],
    [PythonChange("models.Card.pin", "is gone", "breaks")],
    3,
)


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_in_a_document_forges_a_line_or_a_colour(form):
    shown = FORMATS[form](WHOLE)
    assert "models.Card.pin" in shown
    assert "\x1b" not in shown
    assert not any(line.startswith("::error::") for line in shown.splitlines())
    assert form == "text" or form == "json" or "<script>" not in shown
