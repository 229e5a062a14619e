"""docs/victor.md is true: its document makes a package, its calls run, and its errors are those that it quotes."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_httpx import HTTPXMock

from victor_ext import BadRequest, InvalidRequest, Outcome, RetryPolicy, Victor, VictorOAuth, idempotency_key_for
from victor_ext.sandbox import Sandbox
from victor_ext.spec.generate import generate

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "victor.md").read_text(encoding="utf-8")
FRAGMENT, *_ = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
ELIGIBILITY, EXTRAS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
HOST = "https://api.stage.victorfi.com"


def test_the_sentences_with_two_readings_are_the_documents() -> None:
    document = " ".join((ROOT / "openapi" / "victor.yaml").read_text(encoding="utf-8").split())
    table = PAGE.partition("## Two readings")[2].partition("\n## ")[0]
    quoted = [sentence.rstrip(".") for sentence in re.findall(r'"([^"]{12,})"', table)]
    assert len(quoted) == 4
    assert [sentence for sentence in quoted if sentence not in document] == []


def test_a_due_date_is_sent_and_a_past_one_under_a_key_alone(victor: Victor, victor_sandbox: Sandbox) -> None:
    """ "The system default is 24 hours from transaction submission", of a field that is required."""
    asked: dict[str, Any] = {
        "payee_account_number": "043987673645", "payer_counterparty_id": "acme000001", "amount": "44.23",
        "biller_type": "BUSINESS",
    }  # fmt: skip
    past, key = date(2026, 3, 4), idempotency_key_for("invoice", 1042)
    for wrong in ({}, {"due_date": None}, {"due_date": past}):
        with pytest.raises((InvalidRequest, TypeError)):
            victor.payment_requests.create(**asked, **wrong)
    assert victor_sandbox.received() == []
    with pytest.raises(BadRequest) as raised:
        victor.payment_requests.create(**asked, due_date=past, idempotency_key=key)
    assert (raised.value.outcome, victor_sandbox.work_done_by_key()) == (Outcome.REJECTED, {key: 0})


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("user")
    document = folder / "victor_banking.yaml"
    document.write_text(FRAGMENT, encoding="utf-8")
    generate(document, folder / "clients")
    sys.path.insert(0, str(folder / "clients"))
    importlib.invalidate_caches()
    yield "victor_banking_api"
    sys.path.remove(str(folder / "clients"))


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("answer", "bank"),
    [
        ({"status_code": 200, "json": {"rtp": {"receives": True}}}, {"rtp": {"receives": True}}),
        ({"status_code": 404}, None),
    ],
)
@pytest.mark.slow
def test_an_operation_without_a_document_is_called_by_a_few_lines_of_one(
    httpx_mock: HTTPXMock, answer: dict[str, Any], bank: Any
) -> None:
    token = {"access_token": "t", "token_type": "Bearer", "expires": 4_102_444_800_000}
    httpx_mock.add_response(method="POST", url=f"{HOST}/v2/auth/token", json=token)
    route = f"{HOST}/v2/banks/instant-payment-eligibility/011401533"
    httpx_mock.add_exception(httpx.ReadError("cut"), method="GET", url=route)
    httpx_mock.add_response(method="GET", url=route, match_headers={"Authorization": "Bearer t"}, **answer)
    auth, transport = VictorOAuth("id-1", "not-a-secret"), httpx.HTTPTransport(verify=False)
    with Victor(auth, transport=transport, retry=RetryPolicy(base=0.0)) as victor:
        names: dict[str, Any] = {"victor": victor}
        exec(ELIGIBILITY, names)
    assert names["bank"] == bank


def test_what_is_new_is_sent() -> None:
    with Sandbox() as sandbox, Victor(VictorOAuth(*sandbox.add_oauth_client()), base_url=sandbox.url) as victor:
        invoice = {
            "payee_account_number": "043987673645", "payer_counterparty_id": "aHeq349838", "amount": "44.23",
            "biller_type": "BUSINESS", "due_date": datetime.now(UTC).date(),
        }  # fmt: skip
        names: dict[str, Any] = {"victor": victor, "invoice": invoice, "Decimal": Decimal}
        exec(EXTRAS, names)
        seen = {each.operation: sorted(each.undeclared) for each in sandbox.received()}
        [quoted] = re.findall(r"`(extra_body\.\S+ is set already[^`]*)`", PAGE)
        with pytest.raises(InvalidRequest) as raised:
            victor.payment_requests.create(**invoice, extra_body={"payment_details": {"amount": "1.00"}})
    assert seen["list"] == ["purpose"]
    assert seen["create"] == ["payment_details.purpose", "payment_details.surcharge"]
    assert quoted in str(raised.value)
    assert raised.value.outcome is Outcome.NOT_SENT
