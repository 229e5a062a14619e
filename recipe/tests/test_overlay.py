"""The corrections of a document: the overlay beside it."""

import re
import subprocess
from functools import reduce

import pytest
import yaml

from victor_spec.document import DocumentError, load, read_document, read_values

from .cases import ROOT
from .command import run
from .wire import beside

CASES = beside("overlay")
EFFECTS = [
    pytest.param(*row, id=f"{title}-{number}")
    for title, rows in CASES["effects"].items()
    for number, row in enumerate(rows)
]

DOCUMENT = """
openapi: 3.0.3
info: {title: Shop, version: 1.0.0}
paths:
  /cards/{id}:
    get:
      operationId: getCard
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: since, in: query, schema: {type: string}}
      responses:
        "200":
          description: The card.
          content: {application/json: {schema: {$ref: '#/components/schemas/Card'}}}
components:
  schemas:
    Card:
      type: object
      required: [pin]
      properties:
        pin: {type: string}
        "it's": {type: string}
        made: {type: string}
"""
CARD = "$.components.schemas.Card"
FORMAT = f"{{target: '{CARD}.properties.made', update: {{format: date-time}}}}"


def shop(folder, *actions, top="overlay: 1.0.0"):
    """The document, with an overlay of these actions beside it."""
    document = folder / "shop.yaml"
    document.write_text(DOCUMENT, encoding="utf-8")
    lines = [top, "info: {title: Corrections, version: 1.0.0}", "actions:"]
    lines += [f"  - {action}" for action in actions]
    (folder / "shop.overlay.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return document


def corrected(folder, target, rest):
    """The corrected document."""
    return load(shop(folder, f"target: {yaml.safe_dump(target).splitlines()[0]}\n    {rest}"))


@pytest.mark.parametrize(("target", "rest", "place", "value"), EFFECTS)
def test_an_action_of_an_overlay_changes_the_value_at_its_target(
    target, rest, place, value, tmp_path
):
    tree = corrected(tmp_path, target, rest)
    assert reduce(lambda found, step: found[step], place, tree) == value


@pytest.mark.parametrize(("target", "rest", "message"), CASES["actions"])
def test_an_overlay_action_that_leads_nowhere_or_does_not_fit_is_named_in_the_error(
    target, rest, message, tmp_path
):
    with pytest.raises(DocumentError) as caught:
        corrected(tmp_path, target, rest)
    assert str(caught.value).startswith(f"{tmp_path / 'shop.overlay.yaml'}: action 1 (")
    assert message in str(caught.value)


def test_one_error_lists_all_overlay_actions_that_do_not_fit(tmp_path):
    with pytest.raises(DocumentError) as caught:
        load(shop(tmp_path, "{target: $.a.c, remove: true}", FORMAT, "{target: $.b, update: {}}"))
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{tmp_path / 'shop.overlay.yaml'}: action 1 ($.a.c): it leads nowhere")
    assert second.startswith(f"{tmp_path / 'shop.overlay.yaml'}: action 3 ($.b): it leads nowhere")


def corrections(document, actions, name="shop"):
    """What an overlay of these actions, as they are written, does to the document."""
    overlay = document.parent / f"{name}.overlay.yaml"
    overlay.write_text(f"overlay: 1.0.0\ninfo: {{}}\nactions:\n{actions}\n", encoding="utf-8")
    return read_document(document, overlay=overlay).corrections


@pytest.mark.parametrize(("actions", "message"), CASES["idle"])
def test_an_action_that_changes_nothing_is_named_with_the_lines_to_delete(
    actions, message, tmp_path, capsys
):
    document = shop(tmp_path)
    (line,) = corrections(document, actions).idle()
    assert line.startswith(f"{tmp_path / 'shop.overlay.yaml'}: ")
    assert line.endswith(message)
    assert run("generate", document, "--out", tmp_path) == 0
    assert capsys.readouterr().err.splitlines() == [line]
    assert run("check", document, "--out", tmp_path) == 1
    assert capsys.readouterr().out.splitlines()[:2] == ["correction (1):", f"    {line}"]


@pytest.mark.parametrize(("action", "newer", "message"), CASES["half"])
def test_an_action_that_the_provider_took_over_by_half_is_named_with_the_lines_to_delete(
    action, newer, message, tmp_path
):
    document = shop(tmp_path)
    actions = f"  - target: {CARD}.properties.made\n    {action}"
    before = corrections(document, actions)
    document.write_text(DOCUMENT.rstrip().removesuffix("{type: string}") + newer, encoding="utf-8")
    after = corrections(document, actions)
    assert after.idle() == []
    assert "".join(after.half_taken_over(before)).endswith(message)
    assert bool(message) == bool(after.half_taken_over(before))


def taken(folder, *actions):
    """A document with its package and an overlay, and a newer one that has the format itself."""
    document = shop(folder, *actions)
    assert run("generate", document, "--out", folder) == 0
    (folder / "new").mkdir()
    newer = folder / "new" / "shop.yaml"
    newer.write_text(
        DOCUMENT.replace("made: {type: string}", "made: {type: string, format: date-time}"),
        encoding="utf-8",
    )
    return document, newer


@pytest.mark.pull_request
@pytest.mark.parametrize("more", [(), ("{target: $.info, update: {x-a: 1}}",)])
def test_a_correction_that_the_provider_took_over_is_no_change_and_its_lines_are_shown(
    tmp_path, more, capsys
):
    document, newer = taken(tmp_path, FORMAT, *more)
    overlay = tmp_path / "shop.overlay.yaml"
    before = overlay.read_bytes()
    capsys.readouterr()
    assert run("diff", document, newer) == 0
    printed = capsys.readouterr()
    said = "delete line 4" if more else "delete the file"
    assert printed.out == "No change.\n"
    assert printed.err.endswith(f"{said}, when the newer document is in its place.\n")
    assert run("update", document, newer, "--out", tmp_path) == 1
    out = capsys.readouterr().out
    assert "No change.\n" in out
    assert "1 decision for a person:\n  1. " in out
    assert out.endswith(f"{said}\n")
    assert overlay.read_bytes() == before, "it is the reader's"
    assert document.read_bytes() == newer.read_bytes()
    if more:
        overlay.write_bytes(
            b"".join(before.splitlines(keepends=True)[:3]) + b"  - " + more[0].encode()
        )
    else:
        overlay.unlink()
    assert run("check", document, "--out", tmp_path) == 0


@pytest.mark.pull_request
def test_an_action_that_would_change_another_item_of_a_list_is_refused(tmp_path, capsys):
    document, newer = taken(
        tmp_path, "target: $.paths['/cards/{id}'].get.parameters[1]\n    remove: true"
    )
    newer.write_text(
        DOCUMENT.replace("{name: since, in: query", "{name: until, in: query"), encoding="utf-8"
    )
    before = document.read_bytes()
    for way in (["diff"], ["update", "--out", tmp_path]):
        assert run(*way, document, newer) == 2
        said = capsys.readouterr().err
        assert "it leads to query:since in the document and to query:until in the newer" in said
        assert said.endswith(f"as {tmp_path / 'new' / 'shop.overlay.yaml'}.\n")
    assert document.read_bytes() == before


@pytest.mark.pull_request
def test_a_newer_document_brings_its_own_overlay_if_it_has_one(tmp_path, capsys):
    document, newer = taken(tmp_path, FORMAT)
    own = tmp_path / "new" / "shop.overlay.yaml"
    own.write_text("overlay: 1.0.0\nactions: [{target: $.info, update: {x-a: 1}}]\n")
    assert run("update", document, newer, "--out", tmp_path) == 0
    assert "No change." in capsys.readouterr().out
    assert (tmp_path / "shop.overlay.yaml").read_bytes() == own.read_bytes()
    assert run("check", document, "--out", tmp_path) == 0
    own.write_text("overlay: 1.0.0\nextends: cards.yaml\nactions: [{target: $, update: {x: 1}}]\n")
    assert run("update", document, newer, "--out", tmp_path) == 2


@pytest.mark.parametrize(("text", "message"), CASES["files"])
def test_an_error_names_the_file_that_is_no_overlay(text, message, tmp_path):
    document = shop(tmp_path, FORMAT)
    (tmp_path / "shop.overlay.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        load(document)
    assert str(tmp_path / "shop.overlay.yaml") in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.pull_request
def test_the_package_and_its_check_follow_the_overlay(tmp_path, capsys):
    document = shop(tmp_path, FORMAT)
    arguments = [document, "--out", tmp_path]
    assert run("generate", *arguments) == 0
    model = (tmp_path / "shop_api" / "models" / "card.py").read_text(encoding="utf-8")
    assert "made: datetime.datetime | Unset" in model
    assert run("check", *arguments) == 0
    (tmp_path / "shop.overlay.yaml").unlink()
    assert run("check", *arguments) == 1
    assert "shop_api" in capsys.readouterr().out


@pytest.mark.pull_request
def test_a_newer_document_is_corrected_as_the_one_that_it_replaces(tmp_path, capsys):
    document = shop(tmp_path, FORMAT)
    newer = tmp_path / "newer.yaml"
    newer.write_text(DOCUMENT.replace("1.0.0", "1.1.0"), encoding="utf-8")
    assert run("diff", document, newer) == 0
    assert "No change." in capsys.readouterr().out
    arguments = [document, newer, "--out", tmp_path]
    assert run("update", *arguments) == 0
    assert run("check", document, "--out", tmp_path) == 0
    assert document.read_bytes() == newer.read_bytes()


@pytest.mark.pull_request
def test_an_update_is_refused_until_the_overlay_fits_the_newer_document(tmp_path, capsys):
    document = shop(tmp_path, FORMAT)
    newer = tmp_path / "newer.yaml"
    newer.write_text(DOCUMENT.replace("        made:", "        created:"), encoding="utf-8")
    arguments = [document, newer, "--out", tmp_path]
    assert run("update", *arguments) == 2
    assert "has no 'made': the nearest key is 'created'" in capsys.readouterr().err
    shop(tmp_path, FORMAT.replace("made", "created"))
    assert run("update", *arguments) == 1


@pytest.mark.slow
def test_a_document_of_a_commit_has_the_overlay_of_that_commit(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shop(tmp_path, FORMAT)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=no"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *command], check=True)
    shop(tmp_path, FORMAT.replace("date-time", "date"))
    assert run("diff", "git:HEAD:shop.yaml", "shop.yaml", "--no-python") == 1
    assert "format changed from date-time to date" in capsys.readouterr().out


OVERLAYS = [*(ROOT / "openapi").glob("*.overlay.yaml"), ROOT / "recipe" / "docs" / "packages.md"]


@pytest.mark.parametrize("file", OVERLAYS, ids=lambda file: file.name)
def test_other_tools_read_our_overlays_as_they_are_written(file, tmp_path):
    """YAML 1.1 makes a time of `2021-10-25`, and a number of `043987673645`: these are quoted."""
    text = file.read_text(encoding="utf-8")
    shown = re.findall(r"```yaml\n(overlay: .+?)```", text, re.DOTALL)
    for overlay in shown if file.suffix == ".md" else [text]:
        (tmp_path / "overlay.yaml").write_text(overlay, encoding="utf-8")
        assert yaml.safe_load(overlay) == read_values(tmp_path / "overlay.yaml", 1)
