"""Changes of Victor's own document, each by itself."""

from typing import Any

import pytest

from tests.cases import cases_beside
from tests.conftest import ROOT
from victor_spec.document import load
from victor_spec.tree import copied, unescaped

from .cases import Tree, entries

pytestmark = pytest.mark.pull_request
MUTATIONS: dict[str, Tree] = {row["name"]: row for row in cases_beside(__file__, "mutations")}


def edited(document: Tree, edits: list[Tree]) -> Tree:
    """A copy of a document with some edits, each written as in `mutations.yaml`."""
    whole = copied(document)
    for edit in edits:
        *steps, last = map(unescaped, edit["at"].split("/")[1:])
        holder: Any = whole
        for step in steps:
            holder = holder[int(step) if isinstance(holder, list) else step]
        if last == "-":
            holder.append(edit["is"])
            continue
        key = int(last) if isinstance(holder, list) else last
        if "gone" in edit:
            del holder[key]
        else:
            holder[key] = edit["is"]
    return whole


@pytest.fixture(scope="module")
def victor() -> Tree:
    return load(ROOT / "openapi" / "victor.yaml")


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_change_of_victor_is_told_at_its_place(victor: Tree, name: str) -> None:
    row = MUTATIONS[name]
    new = edited(victor, row["edits"])
    for before, after, told in ((victor, new, row["there"]), (new, victor, row["back"])):
        found = {each.place: each.wire for each in entries(before, after)}
        assert {place: wire for place, wire in found.items() if wire in ("breaks", "look")} == told
