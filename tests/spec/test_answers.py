"""Answers in several content types, of which the answer says which it is; and webhooks and callbacks."""

from __future__ import annotations

import copy
import importlib
import json
import re
from pathlib import Path
from typing import Any, get_type_hints

import httpx
import pytest

from victor_ext.spec.checking.check import check
from victor_ext.spec.diff.compare import compare
from victor_ext.spec.diff.python import python_changes
from victor_ext.spec.document import load

from .wire import TEXT, Tree, Wire, an_object, document, done, listed, package, parameter, ref, taking

pytestmark = pytest.mark.thorough
THING = ref("Thing")
INLINE = an_object(b=TEXT)


def content(**schemas: Tree | None) -> Tree:
    return {kind: {} if schema is None else {"schema": schema} for kind, schema in schemas.items()}


ANSWERS: dict[str, Tree] = {
    "every": content(**{"text/csv; charset=utf-8": None, "application/json": THING, "application/xml": THING}),
    "inline": content(**{"application/json": INLINE, "application/jose+jwe": INLINE}),
    "texts": content(**{"application/json": TEXT, "text/plain": TEXT}),
    "ranges": content(**{"application/json": THING, "image/*": None, "*/*": {"type": "string", "format": "binary"}}),
    "raw": content(**{"application/pdf": None, "text/plain": None}),
    "texts_only": content(**{"text/csv": None, "text/plain": None}),
    "versions": content(**{"application/v1+json": THING, "application/v2+json": INLINE, "text/csv": None}),
    "anything": content(**{"*/*": {"type": "string", "format": "binary"}}),
    "any_json": content(**{"*/*": THING}),
    "any_text": content(**{"*/*": TEXT}),
    "octets": content(**{"application/octet-stream": TEXT}),
    "pdf": content(**{"application/pdf": None}),
    "xml": content(**{"application/xml": THING}),
    "csv": content(**{"text/csv": THING}),
    "single": content(**{"application/json": THING, "application/hal+json": THING, "misplaced": None}),
}


PATHS: Tree = {
    f"/{name}": {"get": {"operationId": name, "responses": {"200": {"description": "-", "content": each}}}}
    for name, each in ANSWERS.items()
}


wire = package("answers", paths=PATHS, components={"schemas": {"Thing": an_object(a=TEXT)}})


def read(wire: Wire, name: str, kind: str | None, body: bytes) -> Any:
    return wire.read(name, httpx.Response(200, content=body, headers={"Content-Type": kind} if kind else {}))


@pytest.mark.parametrize("kind", ["Application/JSON", None, "application/unknown", "application/problem+json"])
def test_json_is_read_as_its_schema(wire: Wire, kind: str | None) -> None:
    found = read(wire, "ranges" if kind == "application/problem+json" else "every", kind, b'{"a": "1"}')
    assert (type(found).__name__, found.a) == ("Thing", "1")


@pytest.mark.parametrize(
    ("name", "kind", "body", "text"),
    [
        ("texts", "Text/Plain", '"ü",2'.encode(), '"ü",2'),
        ("any_text", None, b"caf\xe9 \xc3\xa9", "caf\\xe9 \xe9"),  # what is no text can be printed
        *((name, "application/json", b'"1"', "1") for name in ("texts", "any_text", "csv")),
    ],
)
def test_text_is_read_as_text(wire: Wire, name: str, kind: str | None, body: bytes, text: str) -> None:
    assert read(wire, name, kind, body) == text


@pytest.mark.parametrize(("name", "kind"), [("ranges", "application/zip"), ("anything", None)])
@pytest.mark.parametrize("body", [b"", b"\x00\xff", b'{"a": 1}'])
def test_the_rest_is_read_as_bytes(wire: Wire, name: str, kind: str | None, body: bytes) -> None:
    assert read(wire, name, kind, body).payload.read() == body


def test_the_check_reads_every_content_type(wire: Wire) -> None:
    assert check(wire.folder / "document.json", None).problems == []


def test_a_body_that_is_not_json_is_refused_where_no_content_type_says_so(wire: Wire) -> None:
    errors = importlib.import_module(f"{wire.name}.errors")
    for kind, body in (("text/html", b"<p>"), ("application/json", b'"text"')):
        with pytest.raises(errors.UnreadableBody):
            read(wire, "every", kind, body)


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("every", {"Thing", "File", "str", "None"}),
        ("inline", {"InlineResponse200", "File", "None"}),
        ("single", {"Thing", "None"}),
        ("texts_only", {"str", "None"}),
    ],
)
def test_the_types(wire: Wire, name: str, names: set[str]) -> None:
    returned = get_type_hints(wire.module(name).sync)["return"]
    assert set(re.sub(r"wire_answers[\w.]*\.", "", str(returned)).replace(" ", "").split("|")) == names


# Webhooks and callbacks are read as tolerantly as answers, after the user's own verification.


def posting(schema: Tree, **more: Any) -> Tree:
    return {"post": {"requestBody": taking(schema), "responses": {"200": {"description": "-"}}, **more}}


PAYMENT = an_object(
    ("id", "state"),
    id=TEXT,
    state={"type": "string", "enum": ["open", "paid"]},
    amount={"type": "number", "format": "decimal"},
)
CALLBACKS = {"onPaid": {"{$request.body#/url}": posting(ref("Payment"))}}
HOOKS = {
    "payment.paid": posting(
        an_object(("kind",), kind=TEXT, payment=ref("Payment")),
        security=[{"signature": []}],
        parameters=[parameter("X-Signature", "header")],
    ),
    "many": posting(listed(ref("Payment"))),
}
DOCUMENT = document({"/x": {"post": done("createPayment", callbacks=CALLBACKS)}}, {"Payment": PAYMENT}, webhooks=HOOKS)
DOCUMENT["components"]["securitySchemes"] = {"signature": {"type": "apiKey", "in": "header", "name": "X-Signature"}}


made = package("webhooks", **DOCUMENT)


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
    hook = {"post": {"requestBody": taking(an_object(a=TEXT), "application/x-www-form-urlencoded")}}
    (tmp_path / "some.json").write_text(json.dumps(document(webhooks={"sms": hook})))
    [problem] = check(tmp_path / "some.json", None).problems
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
