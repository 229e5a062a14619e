"""The corrections of a document: the overlay beside it."""

from functools import reduce

import pytest
import yaml

from victor_spec.document import DocumentError, load, read_document

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
