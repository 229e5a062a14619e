"""The check of a package: the file of accepted losses, notes, and files that are others."""

import datetime
import json
from typing import NamedTuple

import pytest

from .command import run

pytestmark = pytest.mark.pull_request


LOSS = "GET /ping: answer '700', which is no status of HTTP"
OTHER = "GET /pong: answer '700', which is no status of HTTP"
ANSWER = (
    "{'200': {description: Ok, content: {application/json: {schema: {type: string}}}}, "
    "'700': {description: No}}"
)
DOCUMENT = f"""
openapi: 3.1.0
info: {{title: T, version: '1'}}
paths:
  /ping: {{get: {{operationId: ping, responses: {ANSWER}}}}}
  /pong: {{get: {{operationId: pong, responses: {ANSWER}}}}}
"""
ENTRY = '- place: "{}"\n  reason: nobody listens\n  since: 2026-03-04\n'
DO_WITHOUT = "do without it, and accept it with a reason"
BOTH = ENTRY.format(LOSS) + ENTRY.format(OTHER)


class Ran(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def accepted(tmp_path):
    (tmp_path / "hooks.yaml").write_text(DOCUMENT, encoding="utf-8")
    return tmp_path / "hooks.accepted.yaml"


@pytest.fixture
def command(accepted, capsys):
    def command(text=None, *options):
        """Command the document, with a text in its file of accepted losses; None leaves the file as
        it is.
        """
        if text is not None:
            accepted.write_text(text, encoding="utf-8")
        status = run("check", accepted.with_name("hooks.yaml"), *options)
        return Ran(status, *capsys.readouterr())

    return command


def test_the_check_passes_once_each_loss_has_an_entry_in_the_file_of_accepted_losses(command):
    assert command() == (
        1,
        f"left out (2): {DO_WITHOUT}\n    {LOSS}\n    {OTHER}\nhooks.yaml: left out (2)\n",
        "",
    )
    status, printed, err = command(BOTH, "--verbose")
    assert (status, err) == (0, "")
    assert f"accepted since 2026-03-04: {LOSS}: nobody listens\n" in printed
    assert printed.endswith(": complete, 2 accepted\n")


LEFT = f"left out (1): {DO_WITHOUT}\n    {OTHER}\n"
NOTHING = "acceptance (1): it matches nothing: remove the entry\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ENTRY.format(LOSS), LEFT),
        (BOTH, ""),
        (BOTH + ENTRY.format("breaks: a change of another day"), ""),
        (BOTH + ENTRY.format("GET /peng"), f"{NOTHING}    {{}}: GET /peng\n"),
    ],
)
def test_an_entry_of_the_file_accepts_exactly_one_loss(command, accepted, text, said, capsys):
    status, printed, _ = command(text)
    problems = printed[: printed.rindex("hooks.yaml: ")]
    assert (status, problems) == (int(bool(said)), said.format(accepted))
    generate = ["generate", accepted.with_name("hooks.yaml"), "--out", accepted.parent / "out"]
    assert run(*generate) == int("left out" in said)  # all that is declared is sent and read


def test_accept_adds_an_entry_for_each_new_loss_and_keeps_the_text_of_the_file(command, accepted):
    before = f"# Reviewed in March.\n{ENTRY.format(LOSS)}"
    status, _, _ = command(before, "--accept", "we use no: 'webhooks'")
    assert status == 0
    text = accepted.read_text(encoding="utf-8")
    assert text.startswith(before)
    assert text.removeprefix(before).splitlines()[:2] == [
        "- place: 'GET /pong: answer ''700'', which is no status of HTTP'",
        "  reason: 'we use no: ''webhooks'''",
    ]
    written = datetime.date.fromisoformat(
        text.splitlines()[-1].removeprefix("  since: ").strip("'")
    )
    assert abs(datetime.date.today() - written) <= datetime.timedelta(days=1)  # noqa: DTZ011 - a day, of any zone
    assert command().status == 0


def test_json_is_one_line_for_each_document(command, accepted):
    status, out, err = command(ENTRY.format(LOSS), accepted.with_name("hooks.yaml"), "--json")
    assert (status, err) == (1, "")
    one, other = map(json.loads, out.splitlines())
    assert one == other
    assert one["ok"] is False
    assert one["problems"] == [{"kind": "left out", "place": OTHER, "what": ""}]
    assert one["accepted"] == [{"place": LOSS, "reason": "nobody listens", "since": "2026-03-04"}]
    assert one["notes"]["plain-json"] == []
