"""What type checkers know of the public surface: the types of what is returned, and which arguments are wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

CONNECT = """
from typing import assert_type

from velo_api.client import Client
from victor_ext import ApiClient, AsyncApiClient, BearerAuth, HeaderKey, connect, connect_async

bank = connect(Client, base_url='https://x.example', auth=BearerAuth('t'), key=HeaderKey())
assert_type(bank, ApiClient[Client])
assert_type(bank.api, Client)
assert_type(bank.with_key('k'), Client)
assert_type(bank.with_options(deadline=5).api, Client)
later = connect_async(Client, base_url='https://x.example', auth=lambda request: None)
assert_type(later, AsyncApiClient[Client])
assert_type(later.api, Client)
connect(Client, base_url='https://x.example', dealine=5)  # WRONG
"""
OUTBOX = """
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Session
from victor_ext.outbox import AsyncOutbox, Outbox, PaymentRequestArguments

asked: PaymentRequestArguments = {
    "payee_account_number": "043987673645", "payer_counterparty_id": "aHeq349838", "amount": "44.23",
    "biller_type": "BUSINESS", "due_date": "2026-03-04", "client_reference_id": "INV-1", "idempotency_key": "k" * 20,
}


async def add(now: Outbox, later: AsyncOutbox, session: Session, connection: AsyncConnection) -> None:
    now.add(session, **asked)
    now.add(session, **asked, amuont="44.23")  # WRONG
    now.add(session, payee_account_number="043987673645")  # WRONG
    await later.add(connection, **asked)
    await later.add(connection, **asked, amuont="44.23")  # WRONG
"""


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_a_program_that_uses_it(tmp_path: Path, checker: str) -> None:
    """One run for all of it. A wrong line without an error is an ignored error too many, which is an error."""
    ignored = {"mypy": "# type: ignore[call-arg]", "pyright": "# pyright: ignore[reportCallIssue]"}[checker]
    source = tmp_path / "program.py"
    source.write_text((CONNECT + OUTBOX).replace("# WRONG", ignored))
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.mypy]\nmypy_path = "{ROOT}:{ROOT}/generated"\ncache_dir = "{ROOT}/.mypy_cache"\n'
        "strict = true\n"
        f'[tool.pyright]\ntypeCheckingMode = "strict"\nextraPaths = ["{ROOT}", "{ROOT}/generated"]\n'
        f'reportUnnecessaryTypeIgnoreComment = true\nvenvPath = "{ROOT}"\nvenv = ".venv"\n'
    )
    arguments = ["--config-file", "pyproject.toml", source.name] if checker == "mypy" else ["-p", "pyproject.toml"]
    ran = subprocess.run(
        [sys.executable, "-m", checker, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
