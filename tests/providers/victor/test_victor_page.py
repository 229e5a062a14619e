"""docs/victor.md is true: its document makes a package, its calls run, and its errors are those that it quotes."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from victor_ext import InvalidRequest, Outcome, RetryPolicy, Victor, VictorOAuth
from victor_ext.sandbox import Sandbox
from victor_ext.spec.generate import generate

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "victor.md").read_text(encoding="utf-8")
FRAGMENT, *_ = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
ELIGIBILITY, EXTRAS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
ROUTE = "/v2/banks/instant-payment-eligibility/011401533"


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


class Bank:
    """Knows one routing number, and loses its first answer."""

    def __init__(self, found: httpx.Response) -> None:
        self.found = found
        self.paths: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v2/auth/token":
            return httpx.Response(200, json={"access_token": "t", "token_type": "Bearer", "expires": 4_102_444_800_000})
        assert request.headers["authorization"] == "Bearer t"
        self.paths.append(request.url.path)
        if len(self.paths) == 1:
            raise httpx.ReadError("cut")
        return self.found


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("found", "bank"),
    [(httpx.Response(200, json={"rtp": {"receives": True}}), {"rtp": {"receives": True}}), (httpx.Response(404), None)],
)
def test_an_operation_without_a_document_is_called_by_a_few_lines_of_one(found: httpx.Response, bank: Any) -> None:
    provider = Bank(found)
    auth = VictorOAuth("id-1", "not-a-secret")
    with Victor(auth, transport=httpx.MockTransport(provider), retry=RetryPolicy(base=0.0)) as victor:
        names: dict[str, Any] = {"victor": victor}
        exec(ELIGIBILITY, names)
    assert (names["bank"], provider.paths) == (bank, [ROUTE] * 2)


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
