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
    """A folder with a document, its package and a changelog."""
    (tmp_path / "shop.yaml").write_text(OLD, encoding="utf-8")
    generate(tmp_path / "shop.yaml", tmp_path)
    (tmp_path / "CHANGELOG.md").write_text(
        "# Changelog\n\n## Unreleased\n\n### Added\n\n- A thing.\n", encoding="utf-8"
    )
    return tmp_path


def update(shop, newer, *more):
    """Run the command."""
    (shop / "newer.yaml").write_text(newer, encoding="utf-8")
    return run("update", shop / "shop.yaml", shop / "newer.yaml", "--out", shop, *more)


def changelog_of(shop, newer, was=None):
    """The changelog after an update; `was` is what it had before, None for that of `shop`."""
    changelog = shop / "CHANGELOG.md"
    changelog.write_text(was or changelog.read_text(encoding="utf-8"), encoding="utf-8")
    assert update(shop, newer, "--changelog", changelog) < 2
    return changelog.read_text(encoding="utf-8")


def files(shop):
    """What could have been replaced."""
    return {
        str(path.relative_to(shop)): path.read_bytes()
        for path in sorted(shop.rglob("*"))
        if path.is_file() and path.name != "newer.yaml" and "__pycache__" not in path.parts
    }


def test_an_addition_needs_no_decision(shop, capsys):
    assert update(shop, ADDED) == 0
    assert "Nothing has to be decided: no change breaks anything" in capsys.readouterr().out
    assert (shop / "shop.yaml").read_text(encoding="utf-8") == ADDED
    assert "colour" in (shop / "shop_api" / "models" / "card.py").read_text(encoding="utf-8")


def test_the_package_after_an_update_is_the_one_that_generate_makes(shop):
    update(shop, ADDED)
    before = files(shop)
    generate(shop / "shop.yaml", shop)
    assert files(shop) == before


PARAMETER = "required: true, schema: {type: string}"
DECISIONS = [
    (OLD.replace(PARAMETER, "required: true, schema: {type: string, default: a}"), "path:id"),
    (BROKEN, "Card.properties.price"),
    (BROKEN, "bank.models.Card.price"),
    # What becomes plain JSON breaks no request.
    (
        OLD.replace("note: {type: string}", "note: {anyOf: [{type: string}], oneOf: [{}]}"),
        "none on the wire, breaks in Python",
    ),
]


@pytest.mark.parametrize(("newer", "said"), DECISIONS)
def test_a_change_that_breaks_or_may_break_is_a_decision_for_a_person(shop, newer, said, capsys):
    assert newer != OLD
    assert update(shop, newer, "--name", "bank") == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "1 decision for a person:" in out
    assert said in out
    assert (shop / "shop.yaml").read_text(encoding="utf-8") == newer


NEW = OLD.replace(
    "  /cards/{id}:\n",
    "  /cards:\n    get: {responses: {'200': {description: ok}}}\n  /cards/{id}:\n",
)
RENAMED = OLD.replace("/cards/{id}:", "/cards/{card}:").replace("name: id,", "name: card,")
MOVED = OLD.replace("/cards/{id}:", "/v2/cards/{id}:").replace(
    "price: {type: integer}", "price: {type: string}"
)
PRICE = "components.schemas.Card.properties.price` ("
NAMED = [
    (NEW.replace("{type: integer}", "{type: integer, nullable: true}"), ["cards`.\n", PRICE]),
    (RENAMED, ["(none on the wire, breaks in Python): path parameter is named card instead of id"]),
    (MOVED, ["moved to get /v2/cards/{id}\n", "/v2/cards", PRICE]),
]


@pytest.mark.parametrize(("newer", "named"), NAMED)
def test_the_changelog_has_each_change_each_move_and_each_new_operation_once(shop, newer, named):
    text = changelog_of(shop, newer)
    assert [text.count(each) for each in named] == [1] * len(named)
    assert "paths./cards.get`" not in text  # that of the new operation
    assert text.count("  - New operation: `get /cards`.\n") == ("cards`.\n" in named)


@pytest.mark.parametrize(
    ("newer", "changelog"),
    [
        (OLD, "CHANGELOG.md"),
        *(
            (each, "CHANGELOG.md")
            for each in ("", "openapi: 2.0", "openapi: 3.0.0\n", "openapi: 3.0.0\npaths: [", LOSSY)
        ),
        *((ADDED, each) for each in ("shop_api", "no-text")),
    ],
)
def test_an_update_without_a_change_or_with_a_failure_replaces_no_file(
    newer, changelog, shop, capsys
):
    (shop / "no-text").write_bytes(b"\xff")
    before = files(shop)
    assert update(shop, newer, "--changelog", shop / changelog) == (0 if newer == OLD else 2)
    printed = capsys.readouterr()
    assert "No change." in printed.out if newer == OLD else printed.err
    assert files(shop) == before


def approve(shop, newer, *more):
    """Approve all that breaks in a newer document."""
    (shop / "newer.yaml").write_text(newer, encoding="utf-8")
    approval = ["--approve", "Nobody reads the price.", "--expires", "2999-01-31"]
    documents = [shop / "shop.yaml", shop / "newer.yaml"]
    assert run("diff", *documents, *approval, *more) == 0


@pytest.mark.parametrize(
    ("file", "options"),
    [
        ("shop.approved.yaml", []),  # it stays beside the document that is replaced
        ("newer.approved.yaml", []),
        ("agreed.yaml", ["--approved", "agreed.yaml"]),
    ],
)
def test_a_change_that_diff_approved_is_approved_for_update_too(
    shop,
    file,
    options,
    capsys,
    monkeypatch,
):
    monkeypatch.chdir(shop)
    approve(shop, BROKEN, *options)
    if not options:
        (shop / "shop.approved.yaml").rename(shop / file)
    assert run("diff", "shop.yaml", "newer.yaml", *options) == 0
    assert update(shop, BROKEN, *options) == 0
    assert "approved" in capsys.readouterr().out
