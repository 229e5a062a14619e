"""A program of docs/add-a-payment-api.md is typed: mypy --strict finds what it gets wrong, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.providers.connected.till import till_api

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "add-a-payment-api.md").read_text(encoding="utf-8")
TILL = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "till" in block]

EXACT = """
from typing import assert_type
from till_api.api.balances import list_balances
from till_api.models import Balance
from victor_ext import NumberedPages, OffsetPages

assert_type(till.api, Client)
assert_type(payment, Payment)
assert_type(expect(list[Balance], list_balances.sync(client=till.api)), list[Balance])
for each in till.paged(list_payments, BY_CURSOR.of(Payment), limit=5):
    assert_type(each, Payment)
for page in till.paged(list_balances, NumberedPages().of(Balance)).pages():
    for balance in page.items:
        assert_type(balance, Balance)
for anything in till.paged(list_payments, OffsetPages("a.b", in_body=True)):
    print(anything.id)


async def awaited() -> None:
    async with connect_async(Client, base_url="https://api.till.example") as later:
        assert_type(expect(Payment, await take_payment.asyncio(client=later.api, body=NewPayment(1, "EUR"))), Payment)
        async for each in later.paged(list_payments, BY_CURSOR.of(Payment)):
            assert_type(each, Payment)
"""
WRONG = """
answer.id
payment.identity
till.paged(list_payments, BY_CURSOR.of(Payment), status=5)
till.paged(list_payments, BY_CURSOR.of(Payment), state=PaymentStatus.ACCEPTED)
for wrong in till.paged(list_payments, BY_CURSOR.of(Payment)):
    wrong.identity
till.paged(len, BY_CURSOR)
till.paged(list_payments, "cursor")
"""


def test_a_program_of_the_page_is_typed(tmp_path: Path) -> None:
    """All of the page's code, what its types are, and what must not pass: one run, each wrong line with one error."""
    package = Path(till_api().__file__ or "")
    program = "".join(['token: str = "t"\n', *TILL, EXACT])
    source = tmp_path / "program.py"
    source.write_text(program + WRONG)
    (tmp_path / "mypy.ini").write_text(
        f"[mypy]\nmypy_path = {ROOT}:{package.parents[1]}\ncache_dir = {ROOT}/.mypy_cache\n"
    )
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", "mypy.ini", source.name],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    by_name = {int(line) for line in re.findall(r"^program\.py:(\d+): error", ran.stdout, re.MULTILINE)}
    begin = program.count("\n") + 1
    wrong = {begin + at for at, line in enumerate(WRONG.splitlines()) if line and not line.startswith("for ")}
    assert by_name == wrong, ran.stdout + ran.stderr
    assert "error" not in re.sub(r"^program\.py:.*|^Found .*", "", ran.stdout, flags=re.MULTILINE), ran.stdout
