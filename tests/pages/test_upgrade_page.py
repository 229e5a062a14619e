"""The page about upgrades shows what contract tests print."""

import re
from pathlib import Path

import pytest

from tests.contracts.document import Document
from tests.contracts.test_contracts import contract_of

pytestmark = pytest.mark.slow
DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "install.md"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_page_about_upgrades_shows_the_sentences_that_contract_tests_print():
    victor, velo = (Document.of(name).copy() for name in ("victor", "velo"))
    schemas = victor.tree["components"]["schemas"]
    answer = schemas["RfpInboundPaymentRequestResponseRequestDetails"]
    answer["properties"]["memo"] = {"type": "string"}
    del schemas["PaymentRequestReceipt"]["properties"]["status"]
    velo.tree["components"]["schemas"]["NewPayout"]["properties"]["payoutMemo"]["maxLength"] = 39
    printed = [*contract_of("victor").gone(victor), *contract_of("velo").limits(velo)]
    [shown] = [block for block in blocks("text") if "the document" in block]
    for line in shown.replace("\n    ", " ").splitlines():
        assert line in printed
