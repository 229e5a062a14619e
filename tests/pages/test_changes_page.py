"""What the page about changes shows of others: its picture, and what contract tests print."""

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.document import Document
from tests.contracts.test_contracts import contract_of

pytestmark = pytest.mark.thorough
DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "changes.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_picture_shows_the_report_and_loads_nothing(tmp_path: Path) -> None:
    script: Any = runpy.run_path(str(DOCS / "pictures" / "record.py"))
    picture = (DOCS / "pictures" / "spec-diff.svg").read_text(encoding="utf-8")
    assert picture == script["as_svg"](
        script["spec_diff"](tmp_path), "victor spec diff old.yaml new.yaml"
    )
    assert (
        re.findall(
            r"url\((?!#)|href=|https?://(?!www\.w3\.org/2000/svg|www\.textualize\.io)", picture
        )
        == []
    )


def test_the_sentences_of_the_contract_tests_are_those_that_they_print() -> None:
    victor, velo = (Document.of(name).copy() for name in ("victor", "velo"))
    schemas = victor.tree["components"]["schemas"]
    schemas["RfpBasePaymentDetails"]["properties"]["memo"] = {"type": "string"}
    del schemas["PaymentRequestReceipt"]["properties"]["status"]
    velo.tree["components"]["schemas"]["NewPayout"]["properties"]["payoutMemo"]["maxLength"] = 39
    printed = [*contract_of("victor").gone(victor), *contract_of("velo").limits(velo)]
    for line in blocks("text")[2].replace("\n    ", " ").splitlines():
        assert line in printed
