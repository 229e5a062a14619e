"""The inquiry by the merchant's own reference, which EastPay does not document: it has to be turned on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.providers.eastpay.adapter import PRICE, Harness, scripted
from victor_ext import BadRequest, ConfigurationError, ConnectionFailed, NotFound, UnreadableResponse
from victor_ext.providers.eastpay import CardToken
from victor_ext.sandbox.eastpay import EastPaySandbox, EastPaySettings

CODE = {"code": "000.000.000"}


def find(harness: Harness, reference: str) -> Any:
    return harness(lambda eastpay: eastpay.payments.find(reference), inquiry_by_reference=True)


def test_nothing_is_sent_unless_it_is_turned_on(harness: Harness) -> None:
    with pytest.raises(ConfigurationError, match="inquiry_by_reference=True") as raised:
        harness(lambda eastpay: eastpay.payments.find("INV-1"))
    assert "payments.inquire(id)" in str(raised.value)
    assert harness.sandbox.received() == []


def test_it_finds_a_payment_and_its_steps_after_a_lost_answer(harness: Harness) -> None:
    harness.settings["inquiry_by_reference"] = True
    harness.debit("INV-2")
    harness.sandbox.inject("lose_answer", operation="pay")
    with pytest.raises(ConnectionFailed, match=r"look with payments\.find\('INV-1'\), or for .* before you repeat"):
        harness.debit("INV-1")
    (paid,) = find(harness, "INV-1")
    assert (paid.succeeded, paid.merchant_transaction_id, paid.to_dict()["amount"]) == (True, "INV-1", "92.00")
    refund = harness(lambda eastpay: eastpay.payments.refund(paid.id, PRICE, merchant_transaction_id="INV-1"))
    assert [each.id for each in find(harness, "INV-1")] == [paid.id, refund.id]
    assert [each.payment_type for each in find(harness, "INV-1")] == ["DB", "RF"]
    assert list(find(harness, "INV-3")) == []
    assert harness.sandbox.received()[-1].path == "/eastpay/v3/query"


def test_of_another_entity_nothing_is_found(harness: Harness) -> None:
    harness.debit("INV-1")
    token, entity_id = "t" * 40, "EB000099"
    harness.sandbox.add_merchant(entity_id, token)
    harness.settings.update(token=token, entity_id=entity_id)
    assert list(find(harness, "INV-1")) == []


def test_a_gateway_without_it_answers_404_which_proves_nothing() -> None:
    with EastPaySandbox(EastPaySettings(documented_only=True)) as sandbox:
        harness = Harness(sandbox, awaited=False)
        harness.debit("INV-1")
        with pytest.raises(NotFound, match=r"There is nothing here.*This does not prove that there is none"):
            find(harness, "INV-1")


def asked(status: int, body: object) -> Any:
    """What a client finds at a gateway that gives this answer, with references in another Unicode form."""
    client, _script = scripted(httpx.Response(status, json=body))
    return client.payments.find("Ü-1")


ONE = {"id": "8ac7", "merchantTransactionId": "U\u0308-1", "result": {"code": "100.200.100"}}


@pytest.mark.parametrize("names", [("payments",), ("records",), ("payments", "records")])
def test_the_list_may_have_either_name(names: tuple[str, ...]) -> None:
    result = asked(200, {"result": CODE, **{name: [ONE] for name in names}})
    assert [payment.result.kind for payment in result] == ["pending"] * len(names)
    assert list(asked(200, {name: [] for name in names})) == []


WITHOUT_A_LIST = [{}, {"result": CODE}, {"result": {"code": "000.200.100"}}, {"payments": {}}, {"payments": None}, ONE]
OTHERS = [{"id": "8ac8"}, {**ONE, "merchantTransactionId": "ü-1"}, {}, 7, None]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        *((body, "no list of payments") for body in WITHOUT_A_LIST),
        *(({"payments": [ONE, other]}, "does not name merchantTransactionId 'Ü-1'") for other in OTHERS),
        ({"payments": [], "result": {"code": "100.400.001"}}, r"reports an error: .*100\.400\.001"),
    ],
)
def test_what_is_no_list_of_payments_with_the_reference_is_no_answer(body: object, said: str) -> None:
    with pytest.raises(UnreadableResponse, match=said):
        asked(200, body)


@pytest.mark.parametrize(
    ("dates", "seen"),
    [
        (["2026-03-01 10:00:00+0000"], "8ac0"),
        (["2024-01-01 10:00:00+0000", "2026-03-01 10:00:00+0000"], "8ac1"),
        (["2024-01-01 10:00:00.000+0000"], "No payments"),
        (["2026-03-01 10:00:00"], "does not say when"),  # in an unknown time zone
        ([None], "does not say when"),
    ],
)
def test_an_older_payment_with_the_reference_is_not_taken_for_this_one(dates: list[str | None], seen: str) -> None:
    payments = [{**ONE, "id": f"8ac{n}", "paymentType": "DB", "timestamp": date} for n, date in enumerate(dates)]
    client, _script = scripted(httpx.Response(200, json={"payments": payments}))
    call = client.prepare("payments.debit", PRICE, card=CardToken("t"), merchant_transaction_id="Ü-1")
    found = client.look_up(call, since=datetime(2026, 3, 1, 9, 55, tzinfo=UTC))
    assert seen in (found if isinstance(found, str) else found.id)


@pytest.mark.parametrize("code", ["000.000.000", "000.200.100", "100.300.100", "800.100.153", "700.400.580"])
def test_a_refusal_of_the_inquiry_is_never_a_payment(code: str) -> None:
    with pytest.raises(BadRequest):
        asked(400, {"id": "8ac7", "result": {"code": code}})
