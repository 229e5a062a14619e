"""The page says what the code does: its codes, its calls, and its examples, which run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.providers.eastpay.test_eastpay_failures import observe
from victor_ext.providers.eastpay import EastPay, ResultCode

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "eastpay.md").read_text(encoding="utf-8")
DIFFERENT = ("100.200.100", "100.200.200", "000.400.200", "000.100.000")


def test_the_table_of_codes() -> None:
    rows = dict(re.findall(r"^\| `(succeeded|pending|review|rejected)` \|[^|]*\|([^|]*)\|$", PAGE, re.MULTILINE))
    assert set(rows) == {"succeeded", "pending", "review", "rejected"}
    for kind, codes in rows.items():
        named = re.findall(r"`([0-9]{3}\.[0-9.*]+)`", codes)
        assert named
        for code in named:
            assert ResultCode.parse(code.replace("800.*", "800.200.*").replace("*", "100")).kind == kind, code


def test_the_table_of_rejections() -> None:
    rows = re.findall(r"^\| ([^|]*`[18]00\.[^|]*)\| `(\w+)` \|[^|]*\| (?:a )?`(\w+)`", PAGE, re.MULTILINE)
    assert [rejection for _, rejection, _ in rows] == ["declined", "declined", "request", "unclear"]
    for codes, rejection, kind in rows:
        for code in re.findall(r"`([0-9]{3}\.[0-9.*]+)`", codes):
            each = code.replace("800.*", "800.000.*").replace("*", "100")
            assert ResultCode.parse(each).rejection == rejection, code
            assert type(observe(400, {"result": {"code": each}})).__name__ == kind


@pytest.mark.parametrize("code", DIFFERENT)
def test_the_four_codes_that_differ_are_named(code: str) -> None:
    (row,) = re.findall(rf"^\| `{re.escape(code)}` [^|]*\|([^|]*)\|", PAGE, re.MULTILINE)
    assert row.strip().startswith(ResultCode.parse(code).kind)


def test_every_call_of_the_table_is_there() -> None:
    named = re.findall(r"^\| `(payments|checkouts)\.(\w+)\(", PAGE, re.MULTILINE)
    with EastPay("t" * 40, base_url="https://bank.example/pay", entity_id="EB000001") as eastpay:
        assert all(callable(getattr(getattr(eastpay, group), name)) for group, name in named)
        public = {
            (group, name)
            for group in ("payments", "checkouts")
            for name in vars(type(getattr(eastpay, group)))
            if not name.startswith("_")
        }
    assert public == set(named)
