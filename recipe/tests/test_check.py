"""The check of a package: the file of accepted losses, notes, and files that are others."""

import datetime
import json
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from .command import run
from .wire import TEXT, an_object, answering, beside, checked, document, ref

pytestmark = pytest.mark.pull_request


def lines(report):
    return [problem.loss for problem in report.problems]


def test_types_that_exclude_each_other_are_plain_json(tmp_path):
    schemas = {"A": an_object(z=TEXT), "U": an_object(b={"allOf": [{"type": "integer"}, TEXT]})}
    paths = {
        "/x": {"get": answering({"allOf": [ref("A"), TEXT]})},
        "/u": {"get": answering(ref("U"))},
    }
    report = checked(tmp_path, document(paths, schemas))
    assert lines(report) == []
    assert report.notes["plain-json"] == [
        "U.b: parts of its allOf are no objects",
        "GET /x 200 application/json: parts of its allOf are no objects",
    ]


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


@pytest.mark.parametrize(("written", "said"), beside("acceptance")["mistakes"])
def test_a_mistake_in_the_file_of_accepted_losses_is_said_in_one_line(command, written, said):
    text = written if isinstance(written, str) else yaml.safe_dump([written])
    text = text.replace("'LOSS'", "LOSS").replace("LOSS", json.dumps(LOSS))
    status, out, err = command(text)
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_accept_adds_an_entry_for_each_new_loss_and_keeps_the_text_of_the_file(command, accepted):
    before = f"# Reviewed in March.\n{ENTRY.format(LOSS)}"
    status, printed, _ = command(before, "--accept", "we use no: 'webhooks'")
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


@pytest.fixture
def shop(tmp_path, capsys):
    """A document, with its package beside it."""
    shop = Path(shutil.copy(Path(__file__).with_name("shop.yaml"), tmp_path))
    assert run("generate", shop, "--out", tmp_path) == 0
    capsys.readouterr()
    return shop


def test_one_cause_of_several_files_is_said_once_above_their_names(shop, capsys):
    edited = [shop.with_name("shop_api") / name for name in ("client.py", "types.py")]
    for file in edited:
        file.write_text(file.read_text(encoding="utf-8") + "x = 1\n", encoding="utf-8")
    assert run("check", shop, "--out", shop.parent) == 1
    said = "differs (2): stale, or edited by hand: run `victor-spec generate`"
    places = f"    {edited[0]}\n    {edited[1]}"
    assert capsys.readouterr() == (f"{said}\n{places}\nshop.yaml: differs (2)\n", "")


def test_json_is_one_line_for_each_document(command, accepted):
    status, out, err = command(ENTRY.format(LOSS), accepted.with_name("hooks.yaml"), "--json")
    assert (status, err) == (1, "")
    one, other = map(json.loads, out.splitlines())
    assert one == other
    assert one["ok"] is False
    assert one["problems"] == [{"kind": "left out", "place": OTHER, "what": ""}]
    assert one["accepted"] == [{"place": LOSS, "reason": "nobody listens", "since": "2026-03-04"}]
    assert one["notes"]["plain-json"] == []
