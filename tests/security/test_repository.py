"""The repository: no secret is committed, and the page on threats names its tests."""

import re

import pytest

from tests.security.secret_scan import ROOT, WHOLE_KEY, found_in, new_in, tracked

pytestmark = pytest.mark.slow


@pytest.mark.skipif(
    not (ROOT / ".git").exists(), reason="not a checkout: what is committed is not known"
)
def test_nothing_in_the_repository_looks_like_a_secret_except_known_fakes():
    assert [str(each) for each in new_in(found_in(tracked(ROOT)))] == []


@pytest.mark.parametrize(
    "spelled", ["{}", '"{}\\n"', "  '{}'"], ids=["a file", "in quotes", "indented"]
)
def test_a_whole_private_key_is_never_taken_for_a_fake(spelled, victor_key_pair, tmp_path):
    file = tmp_path / "settings.py"
    lines = [spelled.format(line) for line in victor_key_pair[0].splitlines()]
    file.write_text("KEY = (\n" + "\n".join(lines) + "\n)\n")
    assert WHOLE_KEY in [
        each.kind for each in new_in(found_in([file], tmp_path)) if each.digest is None
    ]
    file.write_text("".join(victor_key_pair[0].splitlines()[1:-1]))
    assert [each.kind for each in found_in([file], tmp_path)] == [WHOLE_KEY]


PAGE = (ROOT / "docs" / "evidence.md").read_text("utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| **")]


def test_every_row_of_the_page_on_threats_names_a_test_or_a_lock_file_that_exists():
    assert len(ROWS) > 10
    for row in ROWS:
        held_by = row.rstrip(" |").rpartition("|")[2]
        named = re.findall(r"`([\w./-]+)`", held_by)
        assert named, row
        for path in named:
            file = ROOT / path
            assert file.is_file(), path
            assert file.suffix == ".lock" or "def test_" in file.read_text("utf-8"), path
