"""Webhooks and callbacks: read as tolerantly as answers, after the user's own verification."""

from __future__ import annotations

import copy
import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from victor_ext.spec.check import check
from victor_ext.spec.diff.compare import compare
from victor_ext.spec.diff.python import python_changes
from victor_ext.spec.document import load

from .wire import TEXT, Tree, Wire, an_object, ref


def posting(schema: Tree, **more: Any) -> Tree:
    body = {"content": {"application/json": {"schema": schema}}}
    return {"post": {"requestBody": body, "responses": {"200": {"description": "-"}}, **more}}


PAYMENT = an_object(
    ("id", "state"),
    id=TEXT,
    state={"type": "string", "enum": ["open", "paid"]},
    amount={"type": "number", "format": "decimal"},
)
DOCUMENT: Tree = {
    "openapi": "3.1.0",
    "paths": {
        "/x": {
            "post": {
                "operationId": "createPayment",
                "responses": {"200": {"description": "-"}},
                "callbacks": {"onPaid": {"{$request.body#/url}": posting(ref("Payment"))}},
            }
        }
    },
    "webhooks": {
        "payment.paid": posting(
            an_object(("kind",), kind=TEXT, payment=ref("Payment")),
            security=[{"signature": []}],
            parameters=[{"in": "header", "name": "X-Signature", "schema": TEXT}],
        ),
        "many": posting({"type": "array", "items": ref("Payment")}),
    },
    "components": {
        "schemas": {"Payment": PAYMENT},
        "securitySchemes": {"signature": {"type": "apiKey", "in": "header", "name": "X-Signature"}},
    },
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Wire:
    wire = Wire(tmp_path_factory.mktemp("webhooks"), "wire_webhooks", **DOCUMENT)
    assert wire.result.left_out == []
    return wire


@pytest.fixture(scope="module")
def webhooks(made: Wire) -> Any:
    return importlib.import_module("wire_webhooks.webhooks")


def test_a_body_is_its_model_as_tolerantly_as_an_answer(webhooks: Any) -> None:
    read = webhooks.read_webhook(
        "payment.paid", b'{"kind": "a", "payment": {"state": "PAID", "amount": 12345678901234567.89, "more": 1}}'
    )
    assert type(read).__name__ == "PaymentPaidWebhook"
    assert (read.payment.state, str(read.payment.amount)) == ("paid", "12345678901234567.89")
    assert read.payment.additional_properties == {"more": 1}
    assert not read.payment.id
    [item] = webhooks.read_webhook("many", '[{"state": "new"}]')
    assert item.state == "new"
    assert type(webhooks.read_webhook("createPayment.onPaid", b"{}")).__name__ == "Payment"


@pytest.mark.parametrize(("body", "reason"), [(b"<html>", "it is not JSON"), (b"[1]", "list is not what is declared")])
def test_another_body_is_an_error_that_keeps_it_and_does_not_show_it(webhooks: Any, body: bytes, reason: str) -> None:
    with pytest.raises(webhooks.UnreadableWebhook, match=rf"payment.paid cannot be read: {reason}") as caught:
        webhooks.read_webhook("payment.paid", body)
    assert caught.value.content == body
    assert body.decode() not in str(caught.value)


def test_an_unknown_name_is_refused_by_the_names_of_the_document(webhooks: Any) -> None:
    with pytest.raises(ValueError, match=r"'paid' is no webhook of the document: write one of payment\.paid, many"):
        webhooks.read_webhook("paid", b"{}")


def test_verification_comes_before_reading_and_sees_the_bytes(webhooks: Any) -> None:
    class ForgedError(Exception):
        pass

    def verify(headers: Any, content: bytes) -> None:
        assert content == b"<html>"
        raise ForgedError(headers["X-Signature"])

    with pytest.raises(ForgedError, match="forged"):
        webhooks.read_webhook("payment.paid", b"<html>", headers={"X-Signature": "forged"}, verify=verify)


def test_what_the_document_requires_is_said(webhooks: Any) -> None:
    known = webhooks.WEBHOOKS
    assert known["payment.paid"].security == ("signature: apiKey in header X-Signature",)
    assert known["payment.paid"].headers == ("X-Signature",)
    assert (known["many"].security, known["many"].headers) == ((), ())


def test_the_check_reads_each(made: Wire) -> None:
    report = check(made.folder / "document.json", None)
    assert report.problems == []
    assert report.findings.declared["webhooks"] == report.findings.present["webhooks"] == 3


def test_a_body_that_is_no_json_is_left_out_by_name(tmp_path: Path) -> None:
    hook = {"post": {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": an_object(a=TEXT)}}}}}
    path = tmp_path / "some.json"
    path.write_text(json.dumps({"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "webhooks": {"sms": hook}}))
    [problem] = check(path, None).problems
    assert problem.place == (
        "POST webhooks.sms: its body as application/x-www-form-urlencoded, which read_webhook does not read"
    )


def test_webhooks_alone_are_read_and_an_empty_object_in_a_union_is_no_finding(tmp_path: Path) -> None:
    person = {"kind": TEXT, "request": an_object(name=TEXT)}
    company = {"kind": TEXT, "request": an_object(firm=TEXT, number=TEXT, owner=TEXT)}
    either = {"oneOf": [an_object(("request",), **each) for each in (company, person)]}
    wire = Wire(
        tmp_path,
        "wire_updated",
        openapi="3.1.0",
        webhooks={"updated": posting({"allOf": [ref("Updated"), an_object(("event",), event=TEXT)]})},
        components={"schemas": {"Updated": either}},
    )
    report = check(wire.folder / "document.json", None)
    assert (report.problems, report.findings.present["webhooks"]) == ([], 1)


def test_a_change_of_a_body_breaks_on_the_wire_and_in_python(made: Wire, tmp_path: Path) -> None:
    old, new = made.folder / "document.json", tmp_path / "document.json"
    tree = copy.deepcopy(json.loads(old.read_text()))
    body = tree["webhooks"]["payment.paid"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    body["properties"]["kind"] = {"type": "integer"}
    tree["paths"]["/x"]["post"]["callbacks"]["onPaid"]["{$request.body#/url}"] = posting(an_object(z=TEXT))
    del tree["webhooks"]["many"]
    new.write_text(json.dumps(tree))
    entries = compare(load(old), load(new), python_changes(old, new)).entries
    callback = "paths./x.post.callbacks.onPaid.{$request.body#/url}.post.requestBody.content.application/json.schema"
    assert {each.place: (each.wire, each.python) for each in entries} == {
        "webhooks.payment.paid.post.requestBody.content.application/json.schema.properties.kind": ("breaks", "breaks"),
        callback: ("breaks", "breaks"),
        "webhooks.many.post": ("breaks", "breaks"),
    }
