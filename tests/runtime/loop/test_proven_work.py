"""What a body proves under the status of an error, by what the document declares: one rule."""

import json
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from victor_ext.runtime.loop.proven_work import proves_declared_work

WRAPPED = {
    "result_id": "data.id",
    "result_members": ("data",),
    "error_members": ("code", "message"),
    "members": ("amount", "tags", "payer"),
}
SAME_SHAPE = {**WRAPPED, "error_members": ("data", "code", "message")}
UNNAMED = {**WRAPPED, "result_id": "", "result_members": ("data", "payment_id", "amount", "tags")}
SENT = {"amount": 4423, "tags": ["a", "b"], "payer": {"name": "Ann", "id": "p-1"}}
OTHER = {"name": "Ann B.", "id": "p-1"}
BODIES: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    (WRAPPED, {"code": 0, "message": "SUCCESS", "data": {"id": "x-1"}}, True),
    (WRAPPED, {"code": "00", "message": "Accepted.", "data": {"id": 71}}, True),
    (WRAPPED, {"code": 1001, "message": "no", "data": {"id": "x-1"}}, False),
    (WRAPPED, {"code": 1001, "message": "no", "data": {"id": "x-1", "amount": 4423}}, True),
    (WRAPPED, {"code": 0, "data": {"id": "x-1"}, "trace": "t-1"}, True),
    (WRAPPED, {"code": 0, "data": {"id": "x-1", "status": "error"}}, False),
    (WRAPPED, {"code": 0, "data": {"id": "x-1", "amount": "must be positive"}}, False),
    (WRAPPED, {"code": 0, "data": {"id": "x-1", "payer": OTHER, "amount": 4423}}, False),
    (WRAPPED, {"code": 0, "data": {"id": "x-1", "payer": {"name": None}}}, True),
    (WRAPPED, {"code": 0, "data": {"id": "p-1"}}, False),
    (WRAPPED, {"code": 0, "data": {"id": "the-key-of-the-call"}}, False),
    (WRAPPED, {"code": 0, "data": {"id": "a-9"}}, False),
    (WRAPPED, {"code": 0, "data": {"id": "a-9", "amount": 4423}}, True),
    (WRAPPED, {"code": 5, "data": {"id": "a-9", "amount": 4423}}, False),
    (WRAPPED, {"code": 0, "data": {"id": ""}}, False),
    (WRAPPED, {"code": 0, "data": []}, False),
    (WRAPPED, {"data": {"amount": 4423}}, False),
    (WRAPPED, {"success": False, "data": {"id": "x-1", "amount": 4423}}, False),
    (SAME_SHAPE, {"code": 0, "data": {"id": "x-1"}}, False),
    (SAME_SHAPE, {"code": 0, "data": {"id": "x-1", "amount": "4423.0"}}, True),
    (UNNAMED, {"payment_id": "x-1"}, True),
    (UNNAMED, {"data": {"paymentId": "x-1"}, "code": 0}, True),
    (UNNAMED, {"payment_id": "x-1", "tags": ["can't be blank"]}, False),
    (UNNAMED, {"tags": ["can't be blank"]}, False),
    (UNNAMED, {"paid": "x-1"}, False),
    (UNNAMED, {"payment_id": "x-1", "explanation": "Slow down."}, False),
    (UNNAMED, {"payment_id": "x-1", "data": {"note": "n"}}, True),
    (UNNAMED, {"data": {"paymentId": "x-1"}, "explanation": "Slow down."}, True),
]


@pytest.mark.parametrize(
    ("declared", "body", "proves"),
    BODIES,
    ids=[f"{number}-{json.dumps(body)}" for number, (_, body, _) in enumerate(BODIES)],
)
@pytest.mark.parametrize("form", ["json", "content"])
def test_what_a_body_proves(
    declared: dict[str, Any], body: dict[str, Any], proves: bool, form: str
) -> None:
    request = httpx.Request(
        "POST",
        "https://a.example/v1/accounts/a-9/payments",
        json=SENT,
        headers={"Idempotency-Key": "the-key-of-the-call"},
    )
    text = json.dumps(body) if form == "json" else json.dumps(body)[:-1]
    response = httpx.Response(429, content=text, request=request)
    assert proves_declared_work(response, SimpleNamespace(**declared)) is proves


def test_a_form_is_what_was_sent_too() -> None:
    request = httpx.Request("POST", "https://a.example/v1/payments", data={"amount": "44.23"})
    body = {"id": "x-1", "amount": 44.23, "message": "Slow down"}
    declared = SimpleNamespace(result_id="id", members=(), error_members=("id", "message"))
    for amount, proves in ((44.23, True), (44.24, False)):
        said = httpx.Response(429, json={**body, "amount": amount}, request=request)
        assert proves_declared_work(said, declared) is proves


def test_without_a_document_nothing_is_proven() -> None:
    request = httpx.Request("POST", "https://a.example/v1/payments", json=SENT)
    assert not proves_declared_work(httpx.Response(429, json={"id": "x-1"}, request=request))
