"""No local of our frames shows an account number of our book, wherever a reconciliation fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.frames import assert_hidden, locals_of
from victor_ext import Victor
from victor_ext.reconciliation import reconcile
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow
ACCOUNT = "043987673645"
ROW = {"reference": "R", "amount": "1", "payee_account_number": ACCOUNT}


def breaking() -> Iterator[dict[str, str]]:
    yield from [ROW] * 3
    raise RuntimeError("the database of the caller has gone")


SOURCES: dict[str, Any] = {
    "a provider that fails": [ROW],
    "a row that is wrong": [ROW, {**ROW, "amount": "no"}],
    "a source that breaks": None,
    "a file": "file",
}


@pytest.mark.parametrize("source", SOURCES)
def test_no_local_shows_an_account_number(victor: Victor, victor_sandbox: Sandbox, tmp_path: Path, source: str) -> None:
    victor_sandbox.inject("status", status=403, operation="list", times=5)
    ours = SOURCES[source]
    if ours == "file":
        ours = tmp_path / "ours.csv"
        ours.write_text(f"reference,amount,payee_account_number\nR,1,{ACCOUNT}\nR,no,{ACCOUNT}\n", "utf-8")
    now = datetime.now(UTC)
    with pytest.raises(Exception) as caught:
        reconcile(victor, ours or breaking(), start=now - timedelta(hours=1), end=now)
    assert_hidden(caught.value, [ACCOUNT])
    assert len([*locals_of(caught.value)]) > 2
