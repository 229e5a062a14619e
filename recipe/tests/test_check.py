"""The check of a package: the file of accepted losses, notes, and files that are others."""

import datetime
import json
import re
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from victor_spec._version import __version__

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
NOTHING = "acceptance (1): it matches nothing; remove the entry\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ENTRY.format(LOSS), LEFT),
        (BOTH, ""),
        *(
            (BOTH + ENTRY.format(wide), f"{NOTHING}    {{}}: {wide}\n")
            for wide in ("GET /peng", "*", "GET /ping", LOSS.replace("ping", "p.*"), LOSS.lower())
        ),
    ],
)
def test_an_entry_of_the_file_accepts_exactly_one_loss(command, accepted, text, said, capsys):
    status, printed, _ = command(text)
    problems = printed[: printed.rindex("hooks.yaml: ")]
    assert (status, problems) == (int(bool(said)), said.format(accepted))
    generate = ["generate", accepted.with_name("hooks.yaml"), "--out", accepted.parent / "out"]
    status = int("left out" in said)  # all that is declared is sent and read
    assert run(*generate) == status
    named = [line.partition(": ")[2] for line in capsys.readouterr().err.splitlines()]
    places = [line.strip() for line in problems.splitlines() if line.startswith("    ")]
    assert [line.removesuffix(": it matches nothing") for line in named] == places
    assert run(*generate, "--verbose") == status
    assert f"left out, as accepted: {LOSS}" in capsys.readouterr().err


def test_accept_adds_an_entry_for_each_new_loss_and_keeps_the_text_of_the_file(command, accepted):
    before = f"# Reviewed in March.\n{ENTRY.format(LOSS)}"
    status, printed, _ = command(before, "--accept", "we use no: 'webhooks'")
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
    assert command().status == 0


@pytest.fixture
def shop(tmp_path, capsys):
    """A document, with its package beside it."""
    shop = Path(shutil.copy(Path(__file__).with_name("shop.yaml"), tmp_path))
    assert run("generate", shop, "--out", tmp_path) == 0
    capsys.readouterr()
    return shop


def replace_in(file, old, new):
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def named_by_check(shop, capsys):
    """What a check says of each file, without what to do."""
    status = run("check", shop, "--out", shop.parent, "--accept", "it is ours")
    printed, err = capsys.readouterr()
    assert (status, err) == (1, "")
    assert not shop.with_name("shop.accepted.yaml").exists()
    return causes_by_file(printed)


def causes_by_file(printed):
    """What a check says of each file, without what to do; each cause stands once."""
    causes = {}
    for line in printed.splitlines()[:-1]:
        if not line.startswith("    "):
            cause = re.fullmatch(r"differs \(\d+\): (.+): (run|remove) .+", line)[1]
            assert cause not in causes.values()
        else:
            causes[Path(line.strip()).name] = cause
    return causes


STALE = "stale: of another document, settings or options, or of another state of victor-spec"


def test_the_check_of_a_stale_package_says_too_that_files_were_edited_by_hand(shop, capsys):
    replace_in(shop, "operationId: find", "operationId: search")
    edited = shop.with_name("shop_api") / "decoding.py"
    edited.write_text(edited.read_text(encoding="utf-8") + "x = 1\n", encoding="utf-8")
    named = named_by_check(shop, capsys)
    assert named["operations.py"] == f"{STALE}; files of this package were edited by hand, too"
    assert "decoding.py" in named


def test_a_package_of_another_release_is_told_from_a_stale_one(shop, capsys):
    operations = shop.with_name("shop_api") / "operations.py"
    written = f"victor_spec {__version__}"
    replace_in(operations, written, "victor_spec 0.0.9")
    said = f"written by victor-spec 0.0.9, and this is {__version__}"
    assert named_by_check(shop, capsys) == {"operations.py": said}
    replace_in(shop, "operationId: find", "operationId: search")
    assert {*named_by_check(shop, capsys).values()} == {said, "gone", "not generated"}
    replace_in(operations, "# Written by", "# By")
    earlier = "written by an earlier release of victor-spec"
    assert {*named_by_check(shop, capsys).values()} == {earlier, "gone", "not generated"}


def test_json_is_one_line_for_each_document(command, accepted):
    status, out, err = command(ENTRY.format(LOSS), accepted.with_name("hooks.yaml"), "--json")
    assert (status, err) == (1, "")
    one, other = map(json.loads, out.splitlines())
    assert one == other
    assert one["ok"] is False
    assert one["problems"] == [{"kind": "left out", "place": OTHER, "what": ""}]
    assert one["accepted"] == [{"place": LOSS, "reason": "nobody listens", "since": "2026-03-04"}]
    assert one["notes"]["plain-json"] == []
    assert [each.partition(">")[0].partition("<")[0] for each in one["needs"]] == ["httpx"]
