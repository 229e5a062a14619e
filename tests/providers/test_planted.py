"""An update names what is new in each system's document, one line for each member."""

import shutil
from pathlib import Path

import pytest

from tests.cases import cases_beside
from victor_spec.command_line import main

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
PLANTED: dict[str, dict[str, list[list[str]]]] = cases_beside(__file__, "planted")
TYPED = sorted(path.name.partition(".")[0] for path in (ROOT / "openapi").glob("*.settings.yaml"))
"""The systems whose arguments and records are generated."""


def test_something_is_planted_in_each_document_with_settings() -> None:
    assert {*TYPED} <= PLANTED.keys()


@pytest.mark.parametrize("system", TYPED)
@pytest.mark.parametrize(("kind", "status"), [("harmless", 0), ("breaking", 1)])
def test_an_update_says_in_one_line_what_is_new(
    system: str, kind: str, status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (ROOT / "openapi").glob(f"{system}.*"):
        shutil.copy(path, tmp_path)
    document = (tmp_path / f"{system}.yaml").read_text(encoding="utf-8")
    for old, new, _ in PLANTED[system][kind]:
        assert old in document
        document = document.replace(old, new, 1)
    (tmp_path / "newer.yaml").write_text(document, encoding="utf-8")
    names = [str(tmp_path / name) for name in (f"{system}.yaml", "newer.yaml")]
    assert main(["update", *names, "--out", str(tmp_path)]) == status
    printed = capsys.readouterr().out.splitlines()
    assert [line for *_, line in PLANTED[system][kind] if f"  {line}" not in printed] == []
