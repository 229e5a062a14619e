"""A sandbox of any other API, from its document and a few rows. That of docs/sandbox.md shows a
lost response and wrong credentials.
"""

import httpx
import pytest

from tests.providers.connected.till import DOCUMENT
from victor_ext import HeaderKey as ClientKey
from victor_ext.sandbox import ConnectedSandbox, Row

pytestmark = pytest.mark.slow
ORDER = {"currency": "EUR", "reference": "INV-1"}


def create(payments, asked):
    return {**asked.body, "id": f"pay_{len(payments)}", "status": "accepted"}


def test_what_would_do_nothing_or_is_not_there_is_refused_when_the_sandbox_is_made(tmp_path):
    row = Row("create", "POST /v1/payments", create, is_keyed=True)
    with pytest.raises(ValueError, match="The row 'create' has is_keyed=True, and the sandbox has"):
        ConnectedSandbox(DOCUMENT, [row])
    with pytest.raises(ValueError, match=r"key must be HeaderKey\(NAME\)"):
        ConnectedSandbox(DOCUMENT, [], key=ClientKey("Idempotency-Key"))
    with pytest.raises(ValueError, match="The document has no PUT /v1/payments"):
        ConnectedSandbox(DOCUMENT, [Row("replace", "PUT /v1/payments", create)])
    with pytest.raises(FileNotFoundError, match="none"):
        ConnectedSandbox(tmp_path / "none.yaml", [])


def test_a_limit_as_openapi_3_1_writes_it_holds(tmp_path):
    document = tmp_path / "newer.yaml"
    text = DOCUMENT.read_text("utf-8").replace("minimum: 1, description", "exclusiveMinimum: 0, x")
    document.write_text(text, encoding="utf-8")
    with ConnectedSandbox(document, [Row("create", "POST /v1/payments", create)]) as sandbox:
        answers = [
            httpx.post(f"{sandbox.url}/v1/payments", json={"amount": amount, **ORDER})
            for amount in (1, 0)
        ]
    assert [answer.status_code for answer in answers] == [201, 400]
