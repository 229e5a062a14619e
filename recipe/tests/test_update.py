"""`victor-spec update`: the day that a newer document comes, in a folder of the user's own."""

import shlex
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


def test_the_entry_of_a_later_update_stands_above_the_earlier_one_under_the_same_heading(shop):
    first = changelog_of(shop, ADDED)
    assert "### Added\n\n- A thing." in first, "what was there stays"
    assert ": version 1.5.0 instead of 1.4.0. " in first
    entries = changelog_of(shop, BROKEN).partition("### Changed\n\n")[2]
    assert "### Changed" not in entries
    assert entries.startswith(
        "- The document `shop.yaml` is a newer one: version 2.0.0 instead of 1.5.0."
    )
    assert entries.endswith(first.partition("### Changed\n\n")[2])


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


def test_the_package_keeps_its_decimals(shop):
    number = ADDED.replace("price: {type: integer}", "price: {type: number}")
    assert update(shop, number, "--decimals", "*.price") == 1
    model = (shop / "shop_api" / "models" / "card.py").read_text(encoding="utf-8")
    assert "price: Decimal" in model


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


def test_the_changelog_has_an_enum_value_that_requests_may_now_have(shop):
    """The package takes the new word at once; a wrapper with words of its own refuses it until
    somebody adds it.
    """
    filters = (
        "parameters: [{in: query, name: state, schema: {type: string, enum: [open%s]}}, {in: path"
    )
    (shop / "shop.yaml").write_text(
        OLD.replace("parameters: [{in: path", filters % ""), encoding="utf-8"
    )
    text = changelog_of(shop, OLD.replace("parameters: [{in: path", filters % ", closed"))
    assert (
        'query:state` (fine on the wire, fine in Python): enum value "closed" added; in Python: '
        in text
    )


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


def test_the_command_in_the_refusal_of_an_update_accepts_the_loss(shop, capsys):
    assert update(shop, LOSSY) == 2
    command = capsys.readouterr().err.splitlines()[-1]
    assert run(*shlex.split(command.replace("REASON", "'never read'"))[1:]) == 0
    assert update(shop, LOSSY) == 1
    assert (shop / "shop.yaml").read_text(encoding="utf-8") == LOSSY


KEYED = """
openapi: 3.0.3
info: {title: Shop, version: 1.0.0}
paths:
  /cards:
    post:
      operationId: makeCard
      parameters: [{name: Idempotency-Key, in: header, required: true, schema: {type: string}}]
      requestBody:
        content: {application/json: {schema: {type: object, properties: {note: {type: string}}}}}
      responses: {'204': {description: made}}
"""
KEY_SETTINGS = "bodies: {makeCard: {what: card, by_hand: {idempotency_key: str}}}\n"


def test_breaking_changes_are_printed_even_if_the_settings_stop_the_update(shop, capsys):
    header = "      parameters: [{name: Idempotency-Key, in: header, required: true, schema"
    moved = KEYED.replace(f"{header}: {{type: string}}}}]\n", "").replace(
        "properties: {note", "properties: {idempotencyKey: {type: string}, note"
    )
    (shop / "shop.yaml").write_text(KEYED, encoding="utf-8")
    (shop / "shop.settings.yaml").write_text(KEY_SETTINGS, encoding="utf-8")
    generate(shop / "shop.yaml", shop)
    before = files(shop)
    capsys.readouterr()
    assert update(shop, moved) == 2
    printed = capsys.readouterr()
    assert "header:Idempotency-Key" in printed.out
    assert "the argument idempotency_key of make_card is gone" in " ".join(printed.out.split())
    assert "the name idempotency_key is taken" in printed.err
    assert files(shop) == before


@pytest.mark.parametrize("rest", ["", "### Added\n\n- A thing.\n\n", "## 1.4.0\n\n- Old.\n"])
def test_the_changelog_keeps_the_words_of_its_heading_above_the_entry(shop, rest):
    text = changelog_of(
        shop, ADDED, f"# Changes\n\n## Unreleased: 2.0\n\nThe first release.\n\n{rest}"
    )
    assert "## Unreleased: 2.0\n\nThe first release.\n\n### Changed\n\n- The document" in text
    assert text.endswith(f"is new\n\n{rest}" if rest else "is new\n")


def test_a_changelog_without_a_heading_gets_one(shop):
    text = changelog_of(shop, ADDED, "# Changes\n\n## 1.4.0\n\n- Old.\n")
    assert (
        text.index("# Changes")
        < text.index("## Unreleased")
        < text.index("1.5.0")
        < text.index("## 1.4.0")
    )


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


def test_update_reports_an_approvals_file_of_the_newer_document_that_it_does_not_use(shop, capsys):
    approve(shop, BROKEN)
    (shop / "shop.approved.yaml").rename(shop / "newer.approved.yaml")
    (shop / "shop.approved.yaml").touch()
    assert update(shop, BROKEN) == 1
    used = f"approvals count from {shop / 'shop.approved.yaml'}"
    said = f"{shop / 'newer.approved.yaml'} is not used: {used}."
    assert said in capsys.readouterr().err


def test_approving_without_python_does_not_approve_the_break_in_python(shop):
    approve(shop, BROKEN, "--no-python")
    assert "scope: wire" in (shop / "shop.approved.yaml").read_text(encoding="utf-8")
    compare = ["diff", shop / "shop.yaml", shop / "newer.yaml"]
    assert run(*compare, "--no-python") == 0
    assert run(*compare) == 1


def test_the_check_names_the_path_of_a_package_that_does_not_exist(shop, capsys):
    assert run("check", shop / "shop.yaml", "--out", shop / "nowhere") == 1
    said = "differs (1): the package does not exist: run `victor-spec generate`"
    assert capsys.readouterr().out.startswith(f"{said}\n    {shop / 'nowhere' / 'shop_api'}\n")
