"""The check of a package: what is green, the mistakes that it finds, and the file of accepted
losses.
"""

import datetime
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import Mock

import pytest
import yaml

from victor_spec import rewrites
from victor_spec.checking.check import Report, check, inspect
from victor_spec.checking.package import build
from victor_spec.command_line import main
from victor_spec.document import load
from victor_spec.generate import generate
from victor_spec.views import Document

from .wire import (
    TEXT,
    Tree,
    Wire,
    an_object,
    answering,
    beside,
    checked,
    document,
    done,
    ref,
    taking,
)

pytestmark = pytest.mark.pull_request
HERE = Path(__file__).resolve().parent


GREEN: dict[str, Tree] = beside("green")


def lines(report: Report) -> list[str]:
    return [problem.line() for problem in report.problems]


@pytest.mark.parametrize("tree", GREEN.values(), ids=GREEN)
def test_a_package_that_has_all_of_its_document_is_green(tree: Tree, tmp_path: Path) -> None:
    assert lines(checked(tmp_path, document(**tree))) == []


@pytest.mark.parametrize(("name", "counts"), [("zoo", [5, 14, 9]), ("legitimate", [20, 23, 37])])
def test_what_is_no_fault_of_the_package_is_green(name: str, counts: list[int]) -> None:
    report = check(HERE / f"{name}.yaml", None)
    declared = report.findings.declared
    assert (lines(report), declared) == ([], report.findings.present)
    assert [declared[kind] for kind in ("operations", "parameters", "answers")] == counts


def test_types_that_exclude_each_other_are_plain_json(tmp_path: Path) -> None:
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


def test_a_body_that_http_does_not_send_would_be_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [each for each in rewrites.REWRITES if each.__name__ != "drop_impossible_body"]
    monkeypatch.setattr(rewrites, "REWRITES", others)
    report = check(HERE / "legitimate.yaml", None)
    assert [each.place for each in report.problems] == [
        "paths./twice/{id}.get.responses.204",
        "paths./twice/{id}.head.responses.200",
    ]


@pytest.mark.parametrize(
    ("value", "name"), [({"city": "a"}, "Wide"), ({"city": "a", "country": "b"}, "Slim")]
)
def test_a_caller_takes_the_class_whose_required_fields_are_given(
    tmp_path: Path, value: dict[str, str], name: str
) -> None:
    schemas = {
        "Slim": an_object(("city", "country"), city=TEXT, country=TEXT),
        "Wide": an_object(("city",), city=TEXT, country=TEXT, street=TEXT),
    }
    paths = {"/x": {"post": done("x", requestBody=taking({"oneOf": [*map(ref, schemas)]}))}}
    models = Wire(tmp_path, f"wire_{name.lower()}", **document(paths, schemas)).models
    assert type(build(models.Slim | models.Wide, value)).__name__ == name


def test_a_view_that_could_not_be_built_is_built_the_next_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = Document(an_object(a=TEXT))
    monkeypatch.setattr(read, "_alternatives", Mock(side_effect=RecursionError))
    with pytest.raises(RecursionError):
        read.views(read.root)
    monkeypatch.undo()
    assert [[*view.properties] for view in read.views(read.root)] == [["a"]]


@pytest.mark.parametrize("row", beside("contradicting"))
def test_an_example_that_contradicts_its_schema_is_not_tried(tmp_path: Path, row: Tree) -> None:
    operation = answering(an_object(of=row["schema"]), operationId="x")
    other = checked(tmp_path, document({"/x": {"get": operation}}))
    operation["responses"]["200"]["content"]["application/json"]["example"] = {"of": row["example"]}
    report = checked(tmp_path, document({"/x": {"get": operation}}))
    assert lines(report) == []
    assert report.findings.decoded == other.findings.decoded


SHOP = Path(__file__).with_name("shop.yaml")
MISTAKES = beside("planted")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    assert generate(SHOP, folder).left_out == []
    return folder / "shop_api"


@pytest.fixture
def package(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "shop_api", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "shop_api"


def test_the_package_as_it_is_made_is_green(made: Path) -> None:
    findings = inspect(load(SHOP), made)
    assert not findings.problems
    assert (
        findings.declared
        == findings.present
        == {
            "operations": 4,
            "parameters": 7,
            "answers": 7,
            "schemas": 5,
            "properties": 12,
            "enum values": 9,
        }
    )


PLANTED = {
    name: (each["module"], each["change"], each["said"])
    for name, each in MISTAKES["modules"].items()
} | {
    name: (
        f"api/shop/{module}",
        MISTAKES["around"][planted].replace("CHANGE", each["change"]),
        each["said"],
    )
    for planted in ("requests", "answers")
    for module, changes in MISTAKES[planted].items()
    for name, each in changes.items()
}


@pytest.mark.parametrize(("module", "code", "said"), PLANTED.values(), ids=PLANTED)
def test_a_mistake_is_found(package: Path, module: str, code: str, said: str) -> None:
    with (package / f"{module}.py").open("a", encoding="utf-8") as file:
        file.write(f"\n{code}")
    findings = inspect(load(SHOP), package)
    lines = [each.line() for each in (*findings.problems.values(), *findings.plain.values())]
    assert any(re.search(said, line) for line in lines), lines


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
GROUP = '- places: "{}"\n  reason: nobody listens\n  since: 2026-03-04\n'
ENTRY = '- place: "{}"\n  reason: nobody listens\n  since: 2026-03-04\n'
DO_WITHOUT = "do without it, and accept it with a reason"
BOTH = ENTRY.format(LOSS) + ENTRY.format(OTHER)


class Ran(NamedTuple):
    status: int
    out: str
    err: str


Command = Callable[..., Ran]


@pytest.fixture
def accepted(tmp_path: Path) -> Path:
    (tmp_path / "hooks.yaml").write_text(DOCUMENT, encoding="utf-8")
    return tmp_path / "hooks.accepted.yaml"


@pytest.fixture
def command(accepted: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    def command(text: str | None = None, *options: str) -> Ran:
        """Command the document, with a text in its file of accepted losses; None leaves the file as
        it is.
        """
        if text is not None:
            accepted.write_text(text, encoding="utf-8")
        status = main(["check", str(accepted.with_name("hooks.yaml")), *options])
        return Ran(status, *capsys.readouterr())

    return command


def test_a_loss_is_green_once_it_is_accepted(command: Command) -> None:
    assert command()[::2] == (
        1,
        "".join(f"left out: {loss}; {DO_WITHOUT}\n" for loss in (LOSS, OTHER)),
    )
    status, printed, err = command(BOTH, "--verbose")
    assert (status, err) == (0, "")
    assert f"accepted since 2026-03-04: {LOSS}: nobody listens\n" in printed
    assert printed.endswith(": complete, 2 accepted\n")


def assert_same_problems(by_generate: str, by_check: str) -> None:
    """Check adds what to do."""
    of_generate = [line.strip().lower() for line in by_generate.splitlines()]
    of_check = [line.lower() for line in by_check.splitlines()]
    for generated, checked_ in zip(of_generate, of_check, strict=True):
        assert checked_.startswith(generated.removeprefix("acceptance: "))


RECIPE_MISTAKES = {
    "": "",
    "serializing.py": "def cookie(*_: object, **__: object) -> dict[str, str]: return {}",
    "answers.py": "def read_body(*_: object, **__: object) -> Any: return {}",
}
"""What the recipe itself does not know; only a call shows it."""


@pytest.mark.parametrize("template", RECIPE_MISTAKES)
def test_generate_and_check_name_the_same_problems(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], templates: Path, template: str
) -> None:
    if template:
        with (templates / template).open("a", encoding="utf-8") as file:
            file.write(f"\n\n{RECIPE_MISTAKES[template]}\n")

    status = int(bool(template))
    assert main(["check", str(SHOP)]) == status
    by_check = capsys.readouterr().err
    assert bool(by_check) == bool(template)
    assert main(["generate", str(SHOP), f"--out={tmp_path}"]) == status
    assert_same_problems(capsys.readouterr().err, by_check)
    assert (tmp_path / "shop_api" / "client.py").exists()


LEFT = f"left out: {OTHER}; {DO_WITHOUT}\n"
NOTHING = "it matches nothing; remove the entry\n"


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
    command: Command, accepted: Path, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(text)[::2] == (int(bool(said)), said.format(accepted))
    generate = [
        "generate",
        str(accepted.with_name("hooks.yaml")),
        f"--out={accepted.parent / 'out'}",
    ]
    problems = said.format(accepted).splitlines()
    assert main(generate) == int(bool(problems)), "generate names what check names"
    assert_same_problems(capsys.readouterr().err, said.format(accepted))
    assert main([*generate, "--verbose"]) == int(bool(problems))
    assert f"left out, as accepted: {LOSS}" in capsys.readouterr().err


def test_an_entry_for_all_losses_of_one_kind(command: Command, accepted: Path) -> None:
    text = GROUP.format("GET *: answer *, which is no status of HTTP")
    status, printed, _ = command(text, "--verbose")
    assert status == 0
    assert (
        "accepted since 2026-03-04: GET *: answer *, which is no status of HTTP: nobody listens\n"
        in printed
    )
    assert command(None, "--accept", "all else").status == 0
    assert accepted.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("places", beside("acceptance")["other_kinds"])
def test_an_entry_for_a_kind_accepts_no_other_kind(command: Command, places: str) -> None:
    status, out, err = command(GROUP.format(places))
    assert (status, LOSS in out + err, f"{places}: it matches nothing" in out + err) == (
        1,
        True,
        True,
    )


def test_another_file_must_exist_unless_it_is_to_be_written(
    command: Command, tmp_path: Path
) -> None:
    assert command(None, "--accept", " ").status == 2
    named = ("--accepted", str(tmp_path / "nowhere.yaml"))
    missing = f"{' '.join(named)}: the file does not exist: write it, or name another.\n"
    assert command(None, *named)[::2] == (2, missing)
    assert [path.name for path in tmp_path.iterdir()] == ["hooks.yaml"]
    assert command(None, *named, "--accept", "no webhooks").status == 0
    assert (tmp_path / "nowhere.yaml").read_text(encoding="utf-8").count("- place: ") == 2
    assert command(None, *named).status == 0
    # of which of the two documents is it?
    assert command(None, str(tmp_path / "hooks.yaml"), *named).status == 2


@pytest.mark.parametrize(("written", "said"), beside("acceptance")["mistakes"])
def test_a_mistake_in_the_file_is_named(
    command: Command, written: str | dict[str, Any], said: str
) -> None:
    text = written if isinstance(written, str) else yaml.safe_dump([written])
    text = text.replace("'LOSS'", "LOSS").replace("LOSS", json.dumps(LOSS))
    status, out, err = command(text)
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_accept_adds_what_is_left_out_and_removes_nothing(command: Command, accepted: Path) -> None:
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
    assert command(None, "--accept", "again").status == 0
    assert accepted.read_text(encoding="utf-8") == text
    assert command().status == 0
    flow = f"[{{place: {json.dumps(LOSS)}, reason: x, since: 2026-03-04}}]"
    assert command(flow, "--accept", "x").status == 2  # nothing can be added below it
    accepted.unlink()
    assert (command(None, "--accept", "x").status, accepted.exists()) == (0, True)


def test_what_is_wrong_is_accepted_neither_by_the_command_nor_by_hand(
    tmp_path: Path, templates: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (templates / "answers.py").open("a", encoding="utf-8") as file:
        file.write(f"\n\n{RECIPE_MISTAKES['answers.py']}\n")
    document_file = shutil.copy(SHOP, tmp_path)
    accepted = tmp_path / "shop.accepted.yaml"

    assert main(["check", str(document_file), "--accept", "nobody reads it"]) == 1
    wrong = capsys.readouterr().err.splitlines()
    assert all(line.endswith("; do not use it; it cannot be accepted") for line in wrong)
    assert not accepted.exists()

    place = wrong[0].removeprefix("wrong: ").partition("; do not use it")[0]
    entry = {"place": place, "reason": "nobody reads it", "since": "2026-03-04"}
    accepted.write_text(yaml.safe_dump([entry]), encoding="utf-8")
    assert main(["check", str(document_file)]) == 1
    assert capsys.readouterr().err.splitlines() == [*wrong, f"{accepted}: {place}: {NOTHING}"[:-1]]


def test_json_is_one_line_for_each_document(command: Command, accepted: Path) -> None:
    status, out, err = command(ENTRY.format(LOSS), str(accepted.with_name("hooks.yaml")), "--json")
    assert (status, err) == (1, "")
    one, other = map(json.loads, out.splitlines())
    assert one == other
    assert one["ok"] is False
    assert one["problems"] == [{"kind": "left out", "place": OTHER, "what": ""}]
    assert one["accepted"] == [{"place": LOSS, "reason": "nobody listens", "since": "2026-03-04"}]
    assert one["counts"]["answers"] == {"declared": 2, "found": 2}
