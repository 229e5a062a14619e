"""Webhooks and callbacks: after the user's own verification, a body is what the document declares, or is refused."""

from __future__ import annotations

import copy
import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from victor_ext.spec.checking.check import check
from victor_ext.spec.diff.compare import compare
from victor_ext.spec.diff.python import python_changes
from victor_ext.spec.document import load

from .wire import TEXT, Tree, Wire, an_object, document, done, listed, package, parameter, ref, taking

pytestmark = pytest.mark.thorough
NUMBER: Tree = {"type": "number"}


def posting(schema: Tree, **more: Any) -> Tree:
    return {"post": {"requestBody": taking(schema), "responses": {"200": {"description": "-"}}, **more}}


def const(word: Any) -> Tree:
    return {"const": word}


PAYMENT = an_object(
    ("id", "state"),
    id=TEXT,
    state={"type": "string", "enum": ["open", "paid"]},
    amount={"type": "number", "format": "decimal"},
    plan={"anyOf": [ref("Line"), {"type": "null"}]},
    card={"oneOf": [ref("Card"), ref("Sepa")], "discriminator": {"propertyName": "kind"}},
    due={"type": ["string", "null"], "format": "date"},
    lines=listed(ref("Line")),
)
SCHEMAS: Tree = {
    "Payment": PAYMENT,
    "Line": an_object(
        ("price", "pin"),
        pin={"type": "string", "writeOnly": True},
        price=NUMBER,
        part=ref("Line"),
        object=const("line"),
        kind=const(1),
    ),
    "Card": an_object(("kind",), kind=const("Card"), last4=TEXT),
    "Sepa": an_object(("kind",), kind=const("Sepa"), iban=TEXT),
}
CALLBACKS = {"onPaid": {"{$request.body#/url}": posting(ref("Payment"))}}
HOOKS = {
    "payment.paid": posting(
        an_object(("type", "payment"), type=const("payment.paid"), kind=TEXT, payment=ref("Payment")),
        security=[{"signature": []}],
        parameters=[parameter("X-Signature", "header")],
    ),
    "payment.refunded": posting(an_object(("type",), type={"enum": ["payment.refunded"]}, payment=ref("Payment"))),
    "many": posting(listed(ref("Payment"))),
}
DOCUMENT = document({"/x": {"post": done("createPayment", callbacks=CALLBACKS)}}, SCHEMAS, webhooks=HOOKS)
DOCUMENT["components"]["securitySchemes"] = {"signature": {"type": "apiKey", "in": "header", "name": "X-Signature"}}


made = package("webhooks", **DOCUMENT)


@pytest.fixture(scope="module")
def webhooks(made: Wire) -> Any:
    return importlib.import_module("wire_webhooks.webhooks")


PAID: Tree = {"type": "payment.paid", "payment": {"id": "p", "state": "paid", "lines": [{"price": 1}]}}


def paid(**changes: Any) -> Tree:
    """The body of a payment that was paid, with other members of the payment."""
    payment = {name: value for name, value in {**PAID["payment"], **changes}.items() if value is not ...}
    return {**PAID, "payment": payment}


# ---- What is read ----


def test_a_body_is_its_model_with_its_digits_and_what_is_unknown(webhooks: Any) -> None:
    body = (
        b'{"type": "payment.paid", "payment": {"id": "p", "state": "PAID", "amount": 12345678901234567.89, "more": 1}}'
    )
    read = webhooks.read_webhook(body)
    assert type(read).__name__ == "PaymentPaidWebhook"
    assert (read.payment.state, str(read.payment.amount)) == ("paid", "12345678901234567.89")
    assert read.payment.additional_properties == {"more": 1}
    [item] = webhooks.read_webhook('[{"id": "p", "state": "new"}]', name="many")
    assert item.state == "new"
    body = b'{"id": "p", "state": "open", "due": null, "amount": null}'
    assert type(webhooks.read_webhook(body, name="createPayment.onPaid")).__name__ == "Payment"


@pytest.mark.parametrize(
    ("word", "name"), [("payment.paid", "PaymentPaidWebhook"), ("PAYMENT.REFUNDED", "PaymentRefundedWebhook")]
)
def test_the_constant_chooses_in_any_letter_case(webhooks: Any, word: str, name: str) -> None:
    assert type(webhooks.read_webhook(json.dumps({**PAID, "type": word}))).__name__ == name


@pytest.mark.parametrize(
    "body",
    [
        {**PAID, "unknown": [None]},
        paid(state="disputed"),  # an unknown word of an enum
        paid(card={"kind": "CARD", "bank": 5}),
        paid(card={"kind": "ideal", "last4": 5}),  # an unknown variant
        paid(plan=None),
        paid(plan={"price": 1, "kind": 1}),
        paid(card=None, lines=[], amount=5, due="2026-03-04"),
        paid(lines=[{"price": 1, "part": {"price": 2.5, "object": "LINE"}}]),
    ],
)
def test_what_a_newer_document_may_add_is_no_fault(webhooks: Any, body: Tree) -> None:
    assert type(webhooks.read_webhook(json.dumps(body))).__name__ == "PaymentPaidWebhook"


# ---- What is refused ----

REFUSED: list[tuple[str, Any, str]] = [
    ("", "<html>", "it is not JSON"),
    ("payment.paid", "<html>", "it is not JSON"),
    ("", "[" * 200_000, "it is not JSON"),
    ("", '{"type": "payment.paid", "kind": NaN}', "it is not JSON"),
    ("", '{"type": "payment.paid", "more": -Infinity}', "it is not JSON"),
    ("payment.paid", [1], "it is an array, but an object is declared"),
    ("many", PAID, "it is an object, but an array is declared"),
    ("many", [5], "`[0]` is a number, but an object is declared"),
    ("", {}, "`type` is missing"),
    ("", [], "`type` is missing"),
    ("payment.paid", {}, "`type` is missing"),
    ("createPayment.onPaid", {"user": 5}, "`id` is missing"),
    ("payment.paid", {**PAID, "type": "payment.refunded"}, '`type` is "payment.refunded", but the document declares "'),
    ("", {**PAID, "type": "payment.lost"}, 'but the document declares "payment.paid", "payment.refunded"'),
    ("", {**PAID, "type": "x" * 999}, f'"{"x" * 60}...", but'),
    ("", {**PAID, "type": 5}, "`type` is 5, but"),
    ("", {**PAID, "type": ["payment.paid"]}, "`type` is an array, but"),
    ("", paid(amount="44.23"), "`payment.amount` is a string, but a number is declared"),
    ("", paid(id=...), "`payment.id` is missing"),
    ("", paid(id=[], card=[]), "`payment.id` is an array, but a string is declared"),
    ("", paid(id=None), "`payment.id` is null"),
    ("", paid(due="today"), "`payment.due` is a string, but"),
    ("", paid(card={"kind": "Sepa", "iban": 5}), "`payment.card.iban` is a number, but a string is declared"),
    ("", paid(plan={"price": 1, "object": "fee"}), '`payment.plan.object` is "fee"'),
    ("", paid(plan={"price": 1, "kind": True}), "`payment.plan.kind` is true, but the document declares 1"),
    ("", {**PAID, "payment": None}, "`payment` is null"),
    ("", paid(lines=[{"price": 1, "object": "fee"}]), '`payment.lines[0].object` is "fee"'),
    ("", paid(lines=[{"price": 1}, None]), "`payment.lines[1]` is null"),
    ("", paid(lines=[{"price": 1, "part": {"price": "2"}}]), "`payment.lines[0].part.price` is a string"),
    ("", json.dumps(paid(lines=[{"price": 7}])).replace("7", "1e999"), "price` is a number that is too large"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "body", "reason"), REFUSED)
def test_another_body_is_an_error_that_says_why_and_keeps_it(webhooks: Any, name: str, body: Any, reason: str) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    with pytest.raises(webhooks.UnreadableWebhook) as caught:
        webhooks.read_webhook(text, name=name or None)
    assert reason in str(caught.value)
    assert caught.value.content == text.encode()
    assert text not in str(caught.value)


@pytest.mark.parametrize("name", ["paid", ""])
def test_an_unknown_name_is_refused_by_the_names_of_the_document(webhooks: Any, name: str) -> None:
    with pytest.raises(ValueError, match=rf"'{name}' is no webhook of the document: write one of payment\.paid, pay"):
        webhooks.read_webhook(b"{}", name=name)


def test_arguments_of_another_type_are_named(webhooks: Any) -> None:
    with pytest.raises(TypeError, match="body is of type dict: pass the body as it came"):
        webhooks.read_webhook({})
    for headers in (b"{}", [("a", "b", "c")], 5):
        with pytest.raises(TypeError, match="headers must be a mapping, or pairs"):
            webhooks.read_webhook("payment.paid", headers)


WORDS = st.sampled_from(["payment.paid", "Card", "Sepa", "line", "2026-03-04"])
NAMES = st.sampled_from(
    [*SCHEMAS["Payment"]["properties"], *("type", "kind", "payment", "price", "part", "object", "x")]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=12,
)
LINES = st.lists(st.fixed_dictionaries({"price": VALUES, "object": VALUES}))
PAYMENTS = st.fixed_dictionaries(
    {"id": st.text(max_size=3), "state": st.sampled_from(["paid", "x"])},
    optional={"amount": VALUES, "card": VALUES, "due": VALUES, "lines": VALUES | LINES},
)
BODIES = VALUES | st.fixed_dictionaries(
    {"type": st.sampled_from(["payment.paid", "payment.refunded", "PAYMENT.PAID", "x"]) | VALUES, "payment": PAYMENTS}
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(BODIES, st.sampled_from([None, "payment.paid", "payment.refunded", "many", "createPayment.onPaid"]))
def test_any_value_is_refused_or_an_instance_of_the_class_that_its_words_select(
    webhooks: Any, value: Any, name: str | None
) -> None:
    try:
        read = webhooks.read_webhook(json.dumps(value), name=name)
    except webhooks.UnreadableWebhook:
        return
    classes = {"payment.paid": "PaymentPaidWebhook", "payment.refunded": "PaymentRefundedWebhook"}
    if name in (None, *classes):
        assert type(read).__name__ == classes[value["type"].casefold()]
        assert name in (None, value["type"].casefold())
    payments = read if isinstance(read, list) else [read] if name == "createPayment.onPaid" else [read.payment]
    for payment in filter(None, payments):
        given = payment.to_dict()
        assert isinstance(given["id"], str)
        assert not isinstance(given.get("amount"), str)
        card = type(payment.card).__name__
        assert card not in ("Card", "Sepa") or str(given["card"]["kind"]).casefold() == card.casefold()
        assert all(line.to_dict().get("object", "line") in (None, "line", "LINE") for line in payment.lines or ())


# ---- Other ways to tell webhooks apart ----


def event(name: str, **properties: Any) -> Tree:
    return {"allOf": [ref("Event"), an_object((), **properties)], "description": name}


BY_EVENT = {"propertyName": "event", "mapping": {"e.paid": ref("Paid")["$ref"], "e.failed": ref("Failed")["$ref"]}}
UNION = {"oneOf": [ref("Paid"), ref("Failed")], "discriminator": BY_EVENT}
WAYS: dict[str, tuple[Tree, Tree]] = {
    "by_base": (
        {"paid": posting(ref("Paid")), "failed": posting(ref("Failed"))},
        {
            "Event": {**an_object(("id",), id=TEXT, event=TEXT), "discriminator": BY_EVENT},
            "Paid": event("p", amount=NUMBER),
            "Failed": event("f", reason=TEXT),
        },
    ),
    "by_union": (
        {"all": posting(UNION)},
        {name: an_object(("id",), id=TEXT, event=TEXT, **{name: TEXT}) for name in ("Paid", "Failed")},
    ),
    "by_enum": (
        {"paid": posting(ref("Paid")), "again": posting(ref("Paid")), "failed": posting(ref("Failed"))},
        {
            name: an_object(("event", "id"), id=TEXT, event={"enum": words}, object=const("event"))
            for name, words in (("Paid", ["e.paid", "e.settled"]), ("Failed", ["e.failed", "e.lost"]))
        },
    ),
}


@pytest.fixture(scope="module", params=WAYS)
def way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Any]:
    hooks, schemas = WAYS[request.param]
    name = f"wire_{request.param}"
    wire = Wire(tmp_path_factory.mktemp(name), name, openapi="3.1.0", webhooks=hooks, components={"schemas": schemas})
    assert check(wire.folder / "document.json", None).problems == []
    return request.param, importlib.import_module(f"{name}.webhooks")


def test_a_discriminator_or_an_enum_chooses(way: tuple[str, Any]) -> None:
    kind, webhooks = way
    for word, name in (("e.paid", "Paid"), ("E.Failed", "Failed")):
        read = webhooks.read_webhook(json.dumps({"id": "1", "event": word}))
        assert type(read).__name__ == name
    for body in ({"id": "1"}, {"id": "1", "event": "e.new"}, {"id": "1", "event": 5}, {"event": "e.paid"}):
        with pytest.raises(webhooks.UnreadableWebhook):
            webhooks.read_webhook(json.dumps(body))
    if kind == "by_union":
        with pytest.raises(webhooks.UnreadableWebhook, match="it is no variant that the document declares"):
            webhooks.read_webhook(b'{"id": "1", "event": "e.new"}')
        return
    assert type(webhooks.read_webhook('{"id": "1", "event": "e.paid"}', name="paid")).__name__ == "Paid"
    for other in ("e.failed", None):
        with pytest.raises(webhooks.UnreadableWebhook, match="`event` is"):
            webhooks.read_webhook(json.dumps({"id": "1", "event": other}), name="paid")
    if kind == "by_enum":  # a name is enough for a word that is new
        assert webhooks.read_webhook('{"id": "1", "event": "e.new"}', name="paid").event == "e.new"


def test_webhooks_that_nothing_tells_apart_need_a_name(tmp_path: Path) -> None:
    hooks = {"a": posting(an_object(id=TEXT)), "b": posting(an_object(id=TEXT, x=TEXT))}
    Wire(tmp_path, "wire_untold", openapi="3.1.0", paths={}, webhooks=hooks)
    untold = importlib.import_module("wire_untold.webhooks")
    with pytest.raises(ValueError, match="does not tell its webhooks apart: pass name=, one of a, b"):
        untold.read_webhook(b'{"id": "1"}')
    assert untold.read_webhook(b'{"id": "1"}', name="a").id == "1"
    for body in ('{"ID": "1"}', '{"id": " "}', '{"id": null}', "{}"):
        with pytest.raises(untold.UnreadableWebhook, match="it has no value of a member that the document declares"):
            untold.read_webhook(body, name="a")


def test_each_method_of_a_webhook_has_a_name(tmp_path: Path) -> None:
    one = {"get": "a", "put": "b", "post": "c", "query": "d"}
    hook = {method: posting(an_object((name,), **{name: TEXT}))["post"] for method, name in one.items()}
    hook["additionalOperations"] = {"COPY": hook.pop("get")}
    Wire(tmp_path, "wire_methods", openapi="3.2.0", webhooks={"x": hook})
    webhooks = importlib.import_module("wire_methods.webhooks")
    named = {"x": "b", "x.post": "c", "x.query": "d", "x.copy": "a"}
    assert webhooks.WEBHOOKS.keys() == named.keys()
    for name, member in named.items():
        assert webhooks.read_webhook(json.dumps({member: "1"}), name=name).to_dict() == {member: "1"}


# ---- Verification ----


def test_verification_comes_before_reading_and_sees_the_bytes(webhooks: Any) -> None:
    class ForgedError(Exception):
        pass

    def verify(headers: Any, content: bytes) -> None:
        assert content == b"<html>"
        raise ForgedError(
            headers["X-Signature"], headers.get("x-SIGNATURE"), "X-signature" in headers, headers.get("b")
        )

    for headers in ({"x-signature": "é1"}, [(b"X-SIGNATURE", "é1".encode("latin-1"))], {"X-Signature": "é1"}):
        with pytest.raises(ForgedError) as caught:
            webhooks.read_webhook(b"<html>", headers, name="payment.paid", verify=verify)
        assert caught.value.args == ("é1", "é1", True, None)


def test_what_the_document_requires_is_said(webhooks: Any) -> None:
    known = webhooks.WEBHOOKS
    assert known["payment.paid"].security == ("signature: apiKey in header X-Signature",)
    assert known["payment.paid"].headers == ("X-Signature",)
    assert (known["many"].security, known["many"].headers) == ((), ())


# ---- The check, and the diff ----


def test_the_check_reads_each(made: Wire) -> None:
    report = check(made.folder / "document.json", None)
    assert report.problems == []
    assert report.findings.declared["webhooks"] == report.findings.present["webhooks"] == 4


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
