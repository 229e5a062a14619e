"""What an update says of typed records and arguments: one line for each member, and what a person
decides.
"""

from typing import NamedTuple

import pytest

from victor_spec.commands.update import DECISIONS, UNTIL_THEN

from . import test_typed_arguments, test_typed_views
from .command import run
from .wire import beside, edited, made_with_settings

pytestmark = pytest.mark.pull_request
NEWS = beside("news")
DOCUMENTS = NEWS["documents"] | {
    "views": test_typed_views.DOCUMENT,
    "filters": test_typed_arguments.FILTERS,
}
SETTINGS = NEWS["settings"] | {
    "views": test_typed_views.SETTINGS,
    "filters": test_typed_arguments.FILTERS_SETTINGS,
}
CHANGES = [
    pytest.param(row, id=f"{title}-{number}")
    for title, rows in NEWS["changes"].items()
    for number, row in enumerate(rows)
]
(BREAKING,) = NEWS["changes"]["breaking"]


class Said(NamedTuple):
    """What an update prints of typed records and arguments, and the decisions for a person."""

    status: int
    lines: list[str]
    decisions: list[str]


@pytest.fixture
def update(tmp_path, capsys):
    """Updates `shop.yaml`, whose package is made, to a newer document."""

    def update(newer, settings=""):
        if settings:
            (tmp_path / "shop.settings.yaml").write_text(settings, encoding="utf-8")
        (tmp_path / "newer.yaml").write_text(newer, encoding="utf-8")
        capsys.readouterr()
        documents = [f"{tmp_path}/shop.yaml", f"{tmp_path}/newer.yaml"]
        status = run("update", *documents, "--out", tmp_path)
        printed, _, decided = capsys.readouterr().out.partition("for a person:\n")
        said = printed.partition("of typed records and arguments:\n")[2].partition("\n\n")[0]
        return Said(status, indented(said), indented(decided))

    return update


def indented(text):
    return [line.strip() for line in text.splitlines() if line.startswith("  ")]


@pytest.mark.parametrize("row", CHANGES)
def test_an_update_prints_one_line_for_each_changed_member_with_what_the_change_means(
    row, tmp_path, update
):
    older = edited(DOCUMENTS[row["in"]], row.get("before", {}))
    settings = edited(SETTINGS[row["in"]], row.get("settings", {}))
    made_with_settings(tmp_path, older, settings)
    said = update(edited(older, row["news"]), edited(settings, row.get("then", {})))
    hint = f"Decide when you like, in shop.settings.yaml: {DECISIONS}. {UNTIL_THEN}."
    is_undecided = any("undecided" in line for line in row["said"])
    assert said.lines == row["said"] + [hint] * is_undecided
    if "decisions" in row:
        numbered = [f"{number}. {line}" for number, line in enumerate(row["said"], 1)]
        assert said.decisions == (numbered if row["decisions"] else [])
        assert said.status == row["decisions"]


@pytest.mark.parametrize("old", [each for each in BREAKING["news"] if each != "enum: [A, B]"])
def test_a_change_that_update_calls_breaking_is_breaking_for_diff_too(old, tmp_path):
    older, newer = tmp_path / "shop.yaml", tmp_path / "newer.yaml"
    older.write_text(DOCUMENTS["shop"], encoding="utf-8")
    newer.write_text(edited(DOCUMENTS["shop"], {old: BREAKING["news"][old]}), encoding="utf-8")
    options = ["--no-python"] if "total" not in old else []
    assert run("diff", older, newer, *options) == 1
