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

from tests.providers.running import QUICK, Script
from tests.providers.victor.adapter import ARGUMENTS
from victor_ext import Victor
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
        (httpx.Response(200, json={"rtp": {"receives": True}}), {"rtp": {"receives": True}}),
        (httpx.Response(404), None),
    ],
)
@pytest.mark.slow
def test_an_operation_without_a_document_is_called_by_a_few_lines_of_one(answer: httpx.Response, bank: Any) -> None:
    script, names = Script(httpx.ReadError("cut"), answer), dict[str, Any]()
    with Victor(**ARGUMENTS, transport=script.transport, retry=QUICK) as names["victor"]:
        exec(ELIGIBILITY, names)
    assert names["bank"] == bank
    sent = [(each.method, str(each.url), each.headers["authorization"]) for each in script.requests]
    assert sent == [("GET", f"{HOST}/v2/banks/instant-payment-eligibility/011401533", "Bearer t")] * 2
