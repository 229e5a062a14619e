"""docs/reconcile.md is true: its code runs, and its tables name what there is."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from victor_ext import AsyncVictor
from victor_ext.cli.reconcile import _KINDS
from victor_ext.reconciliation import COLUMNS, Kind

pytestmark = pytest.mark.slow
PAGE = (Path(__file__).parent.parent.parent / "docs" / "reconcile.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def table(heading: str) -> list[list[str]]:
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row] for row in rows]


def test_the_kinds_are_those_there_are_in_their_order() -> None:
    assert [row[0].strip("`") for row in table("The rows of a report")] == [kind.value for kind in Kind]
    assert list(_KINDS) == [kind.value for kind in Kind]


def test_the_columns_are_those_that_are_read() -> None:
    by_name = {row[0].strip("`"): tuple(re.findall(r"`(\w+)`", row[1])) for row in table("The file")}
    assert by_name == dict(COLUMNS)


def test_the_awaited_example(async_victor: AsyncVictor) -> None:
    names: dict[str, Any] = {}
    exec(compile(BLOCKS[1], "docs/reconcile.md", "exec"), names)
    now = datetime.now(UTC)

    async def run() -> bool:
        async with async_victor:
            return bool(await names["agrees"](async_victor, [], now - timedelta(hours=1), now - timedelta(minutes=30)))

    assert asyncio.run(run()) is True
