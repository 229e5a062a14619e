"""What type checkers know of the public surface: the types of what is returned, and which arguments are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.programs import python

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parent.parent

CONNECT = """
from typing import assert_type

from velo_api import required
from velo_api.client import Client
from velo_api.models import WebhookEndpoint
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


def names(bank: ApiClient[Client], webhook: WebhookEndpoint) -> tuple[str, list[str]]:
    assert_type(required(webhook.id, name="id"), str)
    return required(webhook.payor_id, name="payor_id"), required(webhook, "categories")
"""
HTTPX2 = """
import httpx
import httpx2


blocking, awaited = httpx2.HTTPTransport(), httpx2.AsyncHTTPTransport()
bounds = httpx2.Timeout(5.0)
connect(Client, base_url=httpx2.URL('https://x.example'), http_client=httpx2.Client(), timeout=bounds)
connect(Client, base_url='https://x.example', transport=blocking, limits=httpx2.Limits(), proxy=httpx2.Proxy('http://'))
connect(Client, base_url='https://x.example', transport=httpx2.MockTransport(lambda _: httpx2.Response(200)))
connect(Client, base_url='https://x.example', http_client=httpx2.AsyncClient())  # WORD
connect(Client, base_url='https://x.example', transport=awaited)  # WORD
connect_async(Client, base_url='https://x.example', http_client=httpx2.AsyncClient(), transport=awaited)
connect_async(Client, base_url='https://x.example', http_client=httpx.Client())  # WORD
connect_async(Client, base_url='https://x.example', transport=blocking)  # WORD
connect(Client, base_url='https://x.example', timeout=httpx2.Limits())  # WORD
connect(Client, base_url='https://x.example', limits=bounds)  # WORD
connect(Client, base_url='https://x.example', proxy=httpx2.Client())  # WORD
connect(Client, base_url=BearerAuth('t'))  # WORD
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
WORDS = """
import os
from datetime import date

from victor_ext import AsyncVictor, Status, Victor, Word
from victor_ext.providers import EastPay, FlexFactor, Velo

with Victor.from_env(deadline=5, environment="staging") as victor:
    victor.payment_requests.list(status="completed", direction="outbound", network_type="RTP")
    victor.payment_requests.list(status=Status.PENDING, direction=Word("sideways"))
    victor.payment_requests.list(status=Word("canceled"))
    victor.payment_requests.list(status="complete")  # WORD
    victor.payment_requests.list(direction="outbond")  # WORD
    victor.payment_requests.list(network_type="rtp")  # WORD
    victor.payment_requests.wait("id", until=["completed", Word("canceled")])
    victor.payment_requests.wait("id", until="complete")  # WORD
Victor.from_env(deadlin=5)  # WRONG
Victor.from_env(environment="stagging")  # WORD
Victor.from_env(environment=Word(os.environ["PLACE"]))
AsyncVictor.from_env(deadlin=5)  # WRONG
Victor.from_profile("staging", deadline=5)
Victor.from_profile("staging", deadlin=5)  # WRONG
Velo.from_env(environment="production", deadlin=5)  # WRONG
Velo.from_profile("velo", environment="prod")  # WORD
EastPay.from_env(entity_type="POS", inquiry_by_reference=True)
EastPay.from_env(entity_type="PO")  # WORD
EastPay.from_profile("bank", entity="EB000001")  # WRONG
FlexFactor.from_env(hosts="flexfactor", mid="m")
FlexFactor.from_env(hosts="flex")  # WORD
FlexFactor.from_profile("flex", deadlin=5)  # WRONG


def create(victor: Victor) -> None:
    victor.payment_requests.create(
        payee_account_number="1", payer_counterparty_id="a", amount="1", due_date=date.today(), biller_type="BUSINESS",
    )
    victor.payment_requests.create(
        payee_account_number="1", payer_counterparty_id="a", amount="1", due_date=date.today(),
        biller_type="BUSINES",  # WORD
    )
"""


@pytest.mark.parametrize("checker", ["mypy", pytest.param("pyright", marks=pytest.mark.nightly)])
def test_a_program_that_uses_it(tmp_path: Path, checker: str) -> None:
    """One run for all of it. A wrong line without an error is an ignored error too many, which is an error."""
    ignored, words = {
        "mypy": ("# type: ignore[call-arg]", "# type: ignore[arg-type]"),
        "pyright": ("# pyright: ignore[reportCallIssue]", "# pyright: ignore[reportArgumentType]"),
    }[checker]
    source = tmp_path / "program.py"
    source.write_text((CONNECT + HTTPX2 + OUTBOX + WORDS).replace("# WRONG", ignored).replace("# WORD", words))
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.mypy]\nmypy_path = "{ROOT}:{ROOT}/generated"\ncache_dir = "{ROOT}/.mypy_cache"\n'
        "strict = true\n"
        f'[tool.pyright]\ntypeCheckingMode = "strict"\nextraPaths = ["{ROOT}", "{ROOT}/generated"]\n'
        f'reportUnnecessaryTypeIgnoreComment = true\nvenvPath = "{ROOT}"\nvenv = ".venv"\n'
    )
    arguments = ["--config-file", "pyproject.toml", source.name] if checker == "mypy" else ["-p", "pyproject.toml"]
    ran = python("-m", checker, *arguments, cwd=tmp_path, timeout=None)
    assert ran.returncode == 0, ran.stdout + ran.stderr
