"""docs/outbox.md is true: its tables name what there is."""

from __future__ import annotations

import re
from pathlib import Path

from victor_ext.outbox import EntryState, Outbox

PAGE = (Path(__file__).parents[2] / "docs" / "outbox.md").read_text(encoding="utf-8")


def test_its_tables() -> None:
    methods = {name for name in dir(Outbox) if not name.startswith("_")}
    assert set(re.findall(r"`(\w+)\((?:session, ...|victor|state|idempotency_key|)\)`", PAGE)) == methods
    states = PAGE.partition("| state | meaning |")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)`", states, re.MULTILINE)) == {*EntryState}
