"""The workers of `--processes` run this program, whatever lies in the folder where the command was started."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from victor_ext.cli.bulk_processes import WorkerProcesses


def test_a_worker_imports_nothing_from_the_folder_of_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "victor_ext").mkdir()
    (tmp_path / "victor_ext" / "__init__.py").write_text("raise SystemExit(7)")
    monkeypatch.chdir(tmp_path)
    under_way: Any = SimpleNamespace(over=False)
    shown: list[str] = []
    with WorkerProcesses(2, "postgresql://", ["--help"], shown.append) as workers:
        workers.watch(under_way)
    assert shown == []
