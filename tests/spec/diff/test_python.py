"""The Python column: which names of the generated package a change breaks, and which part of a document does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cases import cases_beside
from victor_ext.spec.diff.changes import PythonChange
from victor_ext.spec.diff.python import python_changes

pytestmark = pytest.mark.thorough
WRITTEN: dict[str, Any] = cases_beside(__file__, "python")


@pytest.mark.parametrize("case", WRITTEN["cases"])
def test_a_change_names_what_it_breaks_and_its_cause(case: str, tmp_path: Path) -> None:
    old = new = WRITTEN["document"]
    for before, after in WRITTEN["cases"][case]["edits"]:
        assert before in new
        new = new.replace(before, after)
    (tmp_path / "old.yaml").write_text(old)
    (tmp_path / "new.yaml").write_text(new)
    found = python_changes(tmp_path / "old.yaml", tmp_path / "new.yaml", name="cards_api")
    assert dict(found) == {
        place: PythonChange(level, tuple(f"cards_api.{name}" for name in names.split()), what)
        for place, level, names, what in WRITTEN["cases"][case]["told"]
    }
