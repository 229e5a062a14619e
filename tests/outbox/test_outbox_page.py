"""docs/outbox.md is true: its module passes its own test, and its tables name what there is."""

from __future__ import annotations

import re
from pathlib import Path

import cryptography.hazmat.primitives.asymmetric.rsa
import cryptography.hazmat.primitives.serialization
import pytest

import victor_ext.sandbox
from victor_ext.outbox import EntryState, Outbox

pytest_plugins = ["pytester"]
LOADED = (cryptography, victor_ext.sandbox)
"""What pytester's run in this process would load anew: a second copy of cryptography cannot work."""

PAGE = (Path(__file__).parents[2] / "docs" / "outbox.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_its_module_passes_its_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(invoices=BLOCKS[0], test_invoices=BLOCKS[1])
    pytester.syspathinsert()
    pytester.runpytest_inprocess("-p", "no:cacheprovider", "-W", "error").assert_outcomes(passed=2)


def test_its_tables() -> None:
    methods = {name for name, value in vars(Outbox).items() if callable(value) and not name.startswith("_")}
    assert set(re.findall(r"`(\w+)\((?:session, ...|victor|state|idempotency_key|)\)`", PAGE)) == methods
    states = PAGE.partition("| state | means |")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)`", states, re.MULTILINE)) == {*EntryState}
