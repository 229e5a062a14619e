"""docs/victor.md is true: its document makes a package, its calls run, and its errors are those that it quotes."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_httpx import HTTPXMock

from victor_ext import RetryPolicy, Victor, VictorOAuth
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
