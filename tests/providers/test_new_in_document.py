"""A newer document brings its news to the caller, with no code touched by hand."""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cases import cases_beside
from tests.providers.running import ONCE, Script
from tests.providers.systems import ARGUMENTS
from victor_ext import UnreadableResponse, Victor
from victor_spec.document import load
from victor_spec.generate import generate

pytestmark = pytest.mark.slow
NEWS = cases_beside(__file__, "newer")
VICTOR = Path(__file__).resolve().parents[2] / "openapi" / "victor.yaml"


@pytest.fixture(scope="module", autouse=True)
def newer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The package `newer_api`, made of the newer document."""
    tree = load(VICTOR)
    tree["paths"] |= NEWS["paths"]
    tree["components"]["schemas"] |= NEWS["schemas"]
    receipt = tree["components"]["schemas"]["PaymentRequestReceipt"]["properties"]
    receipt |= NEWS["receipt"]["property"]
    receipt["status"]["enum"].append(NEWS["receipt"]["status"])
    folder = tmp_path_factory.mktemp("newer")
    document = folder / "newer.json"
    document.write_text(json.dumps(tree), encoding="utf-8")
    assert generate(document, folder).left_out == []
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield


def call(name: str, answer: Any, *args: Any, **arguments: Any) -> tuple[Any, httpx.Request]:
    """A call of the newer package, on the wrapper's client, which does not know its operation: what
    came, and was sent.

    The client judges it by what the document says of it: more in
    `tests/providers/test_new_operations.py`.
    """
    module = importlib.import_module(f"newer_api.api.{name}")
    script = Script(httpx.Response(204) if answer is None else httpx.Response(200, json=answer))
    with Victor(**ARGUMENTS["victor"], transport=script.transport, retry=ONCE) as victor:
        client = victor.bind(importlib.import_module("newer_api.client").Client)
        parsed = module.sync_detailed(*args, client=client, **arguments).parsed
    assert script.requests[0].headers["Authorization"] == "Bearer t"
    return parsed, script.requests[0]


def test_a_new_property_enum_value_and_operation_are_there_to_use() -> None:
    models = importlib.import_module("newer_api.models")
    body = models.RemindPayerBody(text="Please", channel="mail")
    answer = {"status": "REMINDED", "reminded_at": "2026-03-04T05:06:07.089Z"}
    found, sent = call(
        "payment_requests.remind_payer", answer, "a/b", body=body, idempotency_key="k" * 20
    )
    assert found.status is models.PaymentRequestReceiptStatus.REMINDED
    assert (found.reminded_at.year, found.reminded_at.microsecond) == (2026, 89_000)
    assert found.to_dict() == {"status": "reminded", "reminded_at": "2026-03-04T05:06:07.089Z"}
    assert sent.url.raw_path == b"/v2/payment-requests/a%2Fb/reminders"
    assert sent.headers["Idempotency-Key"] == "k" * 20
    assert json.loads(sent.content) == {"text": "Please", "channel": "mail"}


@pytest.mark.parametrize(("name", "where", "answer", "kind"), NEWS["calls"])
def test_what_the_newer_document_declares_is_read_through_the_wrappers_client(
    name: str, where: str, answer: Any, kind: str
) -> None:
    parsed, sent = call(f"default.{name}", answer)
    assert f"{sent.method} {sent.url.path}" == where
    found, expected = (each if isinstance(each, list) else [each] for each in (parsed, answer))
    assert {type(each).__name__ for each in found} == {kind}
    assert [each.to_dict() if hasattr(each, "to_dict") else each for each in found] == expected


@pytest.mark.parametrize(("name", "ids", "answer", "words"), NEWS["refused"])
def test_the_rules_of_the_operations_that_the_wrapper_knows_are_as_strict_as_before(
    name: str, ids: list[str], answer: Any, words: str
) -> None:
    model = importlib.import_module("newer_api.models").NewRtpRfpPaymentRequest
    body = {"body": model.from_dict({})} if name == "create_request_payment" else {}
    with pytest.raises(UnreadableResponse, match=words):
        call(f"payment_requests.{name}", answer, *ids, **body)
