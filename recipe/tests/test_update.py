"""`victor-spec update`: the day that a newer document comes, in a folder of the user's own."""

from pathlib import Path

import pytest

from victor_spec.generate import generate

from .command import run

pytestmark = pytest.mark.pull_request
OLD = Path(__file__).with_name("update.yaml").read_text(encoding="utf-8")
ADDED = OLD.replace("1.4.0", "1.5.0").replace(
    "        note:", "        colour: {type: string}\n        note:"
)
BROKEN = OLD.replace("1.4.0", "2.0.0").replace("        price: {type: integer}\n", "")
LOSSY = OLD.replace("price: {type: integer}", "price: {type: string}").replace(
    "responses:\n", "responses:\n        '700': {description: no status}\n"
)


@pytest.fixture
def shop(tmp_path):
    """A folder with a document and its package."""
    (tmp_path / "shop.yaml").write_text(OLD, encoding="utf-8")
    generate(tmp_path / "shop.yaml", tmp_path)
    return tmp_path


def update(shop, newer, *more):
    """Run the command."""
    (shop / "newer.yaml").write_text(newer, encoding="utf-8")
    return run("update", shop / "shop.yaml", shop / "newer.yaml", "--out", shop, *more)


def files(shop):
    """What could have been replaced."""
    return {
        str(path.relative_to(shop)): path.read_bytes()
        for path in sorted(shop.rglob("*"))
        if path.is_file() and path.name != "newer.yaml" and "__pycache__" not in path.parts
    }


def test_an_addition_needs_no_decision_and_the_package_is_the_one_that_generate_makes(shop, capsys):
    assert update(shop, ADDED) == 0
    assert "Nothing has to be decided: no change breaks anything" in capsys.readouterr().out
    assert (shop / "shop.yaml").read_text(encoding="utf-8") == ADDED
    assert "colour" in (shop / "shop_api" / "models" / "card.py").read_text(encoding="utf-8")
    before = files(shop)
    generate(shop / "shop.yaml", shop)
    assert files(shop) == before


PARAMETER = "required: true, schema: {type: string}"


@pytest.mark.parametrize(
    ("newer", "said"),
    [
        (OLD.replace(PARAMETER, "required: true, schema: {type: string, default: a}"), "path[0]"),
        (BROKEN, "Card.properties.price"),
        (BROKEN, "models.Card.price is gone"),
        (OLD.replace("note: {type: string}", "note: {}"), "models.Card.note is Any, not str"),
    ],
)
def test_a_change_that_breaks_or_may_break_is_a_decision_for_a_person(shop, newer, said, capsys):
    assert newer != OLD
    assert update(shop, newer) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "for a person to decide" in out
    assert said in out.partition("Fine (")[0]
    assert (shop / "shop.yaml").read_text(encoding="utf-8") == newer


@pytest.mark.parametrize("newer", ["", "openapi: 2.0", "openapi: 3.0.0\npaths: [", LOSSY])
def test_an_update_that_fails_replaces_no_file(newer, shop, capsys):
    before = files(shop)
    assert update(shop, newer) == 2
    assert capsys.readouterr().err
    assert files(shop) == before


def test_a_loss_that_is_accepted_lets_the_update_pass(shop, capsys):
    assert update(shop, LOSSY) == 2
    assert "Nothing was replaced: the package of newer.yaml would lack" in capsys.readouterr().err
    assert run("check", shop / "newer.yaml", "--accept", "never read") == 0
    (shop / "newer.accepted.yaml").rename(shop / "shop.accepted.yaml")
    assert update(shop, LOSSY) == 1
    assert (shop / "shop.yaml").read_text(encoding="utf-8") == LOSSY
