"""The places that are changed are there, and so are the tests that are to notice."""

from pathlib import Path

from tests.mutants.scope import MODULES, TESTS

ROOT = Path(__file__).resolve().parents[2]


def test_what_is_named_is_there() -> None:
    assert [name for name in MODULES if not (ROOT / name).is_file()] == []
    assert [pattern for pattern in TESTS if not any(ROOT.glob(pattern))] == []
