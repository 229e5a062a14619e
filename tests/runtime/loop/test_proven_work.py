"""What a body proves under the status of an error, by what the document declares: one rule."""

import json
from types import SimpleNamespace

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


def said(code=0, **data):
    return {"code": code, "data": {"id": "x-1", **data}}


PROVEN = [
    (WRAPPED, {**said(), "message": "SUCCESS"}),
    (WRAPPED, {**said("00", id=71), "message": "Accepted."}),
    (WRAPPED, {**said(1001, amount=4423), "message": "no"}),
    (WRAPPED, {**said(), "trace": "t-1"}),
    (WRAPPED, said(payer={"name": None})),
    (WRAPPED, {**said(status="failed"), "message": " "}),  # it was made
    (WRAPPED, said(id="a-9", amount=4423)),
    (SAME_SHAPE, said(amount="4423.0")),
    (UNNAMED, {"payment_id": "x-1", "data": {"note": "n"}}),
    (UNNAMED, {"data": {"paymentId": "x-1"}, "explanation": "Slow down."}),
]
NOT_PROVEN = [
    (WRAPPED, {**said(1001), "message": "no"}),
    (WRAPPED, said(status="error")),
    (WRAPPED, {**said(amount=4423), "errors": ["no"]}),
    (WRAPPED, said(amount="must be positive")),
    (WRAPPED, said(payer=OTHER, amount=4423)),
    (WRAPPED, said(id="p-1")),
    (WRAPPED, said(id="the-key-of-the-call")),
    (WRAPPED, said(id="a-9")),
    (WRAPPED, said(5, id="a-9", amount=4423)),
    (WRAPPED, said(id="")),
    (WRAPPED, {"code": 0, "data": []}),
    (WRAPPED, {"data": {"amount": 4423}}),
    (WRAPPED, {"success": False, "data": {"id": "x-1", "amount": 4423}}),
    (SAME_SHAPE, said()),
    (UNNAMED, {"payment_id": "x-1", "tags": ["can't be blank"]}),
    (UNNAMED, {"tags": ["can't be blank"]}),
    (UNNAMED, {"paid": "x-1"}),
    (UNNAMED, {"payment_id": "x-1", "explanation": "Slow down."}),
]


def proves(declared, content):
    request = httpx.Request(
        "POST",
        "https://a.example/v1/accounts/a-9/payments",
        json=SENT,
        headers={"Idempotency-Key": "the-key-of-the-call"},
    )
    response = httpx.Response(429, content=content, request=request)
    return proves_declared_work(response, SimpleNamespace(**declared))


@pytest.mark.parametrize(("declared", "body"), PROVEN, ids=json.dumps)
def test_a_result_of_this_request_proves_its_work_also_if_it_is_cut(declared, body):
    assert proves(declared, json.dumps(body))
    assert proves(declared, json.dumps(body)[:-1])


@pytest.mark.parametrize(("declared", "body"), NOT_PROVEN, ids=json.dumps)
def test_a_body_that_may_be_an_error_or_about_another_object_proves_nothing(declared, body):
    assert not proves(declared, json.dumps(body))
    assert not proves(declared, json.dumps(body)[:-1])


def test_the_values_of_a_form_are_compared_with_the_answer_too():
    request = httpx.Request("POST", "https://a.example/v1/payments", data={"amount": "44.23"})
    body = {"id": "x-1", "amount": 44.23, "message": "Slow down"}
    declared = SimpleNamespace(result_id="id", members=(), error_members=("id", "message"))
    for amount, proves in ((44.23, True), (44.24, False)):
        said = httpx.Response(429, json={**body, "amount": amount}, request=request)
        assert proves_declared_work(said, declared) is proves


def test_a_body_proves_no_work_without_a_document():
    request = httpx.Request("POST", "https://a.example/v1/payments", json=SENT)
    assert not proves_declared_work(httpx.Response(429, json={"id": "x-1"}, request=request))
