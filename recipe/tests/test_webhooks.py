"""Webhooks and callbacks: after the user's own verification, a body is what the document declares,
or is refused.
"""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .calls.values import mutated
from .wire import TEXT, Wire, an_object, beside, package, taking

pytestmark = pytest.mark.pull_request


def posting(schema):
    return {"post": {"requestBody": taking(schema), "responses": {"200": {"description": "-"}}}}


CASES = beside("webhooks")
PAID = CASES["paid"]
SCHEMAS = CASES["document"]["components"]["schemas"]
HOOKS = CASES["document"]["webhooks"]


made = package(**CASES["document"])


@pytest.fixture(scope="module")
def webhooks(made):
    return made.webhooks


ONE_WORD = {"type": "string", "enum": ["paid"]}
only = package(webhooks={"paid": posting(an_object(type=ONE_WORD, id=TEXT))})


@pytest.mark.parametrize("name", [None, "paid"])
def test_an_event_of_another_kind_is_not_read_as_the_only_webhook(only, name):
    with pytest.raises(only.webhooks.UnreadableWebhook):
        only.webhooks.read_webhook('{"type": "payment_reversed", "id": "1"}', name=name)


def text_of(case):
    """What is posted in a case."""
    payment = {**PAID["payment"], **case.get("payment", {})}
    body = case.get("body", {**PAID, "payment": payment, **case.get("more", {})})
    return str(case.get("text", json.dumps(body)))


# ---- What is read ----


def test_a_webhook_is_read_as_its_model_with_exact_digits_and_unknown_members(webhooks):
    read = webhooks.read_webhook(
        b'{"type": "payment.paid", "payment": {"id": "p", "state": "PAID", "amount": '
        b'12345678901234567.89, "more": 1}}'
    )
    assert type(read).__name__ == "PaymentPaidWebhook"
    assert (read.payment.state, str(read.payment.amount)) == ("paid", "12345678901234567.89")
    assert read.payment.additional_properties == {"more": 1}


# ---- What is refused ----

LONG = [
    {"says": "it is not JSON", "text": "[" * 200_000},
    {"says": f"'{'x' * 60}': no webhook", "more": {"type": "x" * 999}},
]


@pytest.mark.parametrize("case", [*CASES["refused"], *LONG], ids=lambda case: case["says"])
def test_an_undeclared_webhook_body_raises_an_error_with_the_reason_and_the_bytes(webhooks, case):
    text = text_of(case)
    with pytest.raises(webhooks.UnreadableWebhook) as caught:
        webhooks.read_webhook(text, name=case.get("name"))
    assert case["says"] in str(caught.value)
    assert caught.value.content == text.encode()
    assert text not in str(caught.value)


@settings(
    max_examples=400,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(mutated(st.sampled_from([json.loads(text_of(case)) for case in CASES["accepted"]])))
def test_any_webhook_body_is_refused_or_read_as_the_class_that_its_type_selects(webhooks, value):
    try:
        read = webhooks.read_webhook(json.dumps(value))
    except webhooks.UnreadableWebhook:
        return
    classes = {"payment.paid": "PaymentPaidWebhook", "payment.refunded": "PaymentRefundedWebhook"}
    assert type(read).__name__ == classes[value["type"].casefold()]
    assert isinstance(read.payment.id, str)


# ---- Other ways to tell webhooks apart ----


def test_a_discriminating_word_of_a_webhook_matches_by_its_type_then_by_its_letters(tmp_path):
    webhooks = Wire(tmp_path, openapi="3.1.0", **CASES["words"]).webhooks
    for body, expected in CASES["bodies_of_words"]:
        try:
            found = type(webhooks.read_webhook(json.dumps(body))).__name__
        except webhooks.UnreadableWebhook as error:
            found = str(error)
        assert re.search(expected, found), (body, found)


@pytest.fixture(scope="module", params=CASES["ways"])
def way(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("way")
    wire = Wire(folder, openapi="3.1.0", **CASES["ways"][request.param])
    assert wire.faults() == []
    return request.param, wire.webhooks


@pytest.mark.parametrize(("word", "name"), [("e.paid", "Paid"), ("E.Failed", "Failed")])
def test_a_webhook_class_is_chosen_by_a_discriminator_a_constant_or_an_enum(way, word, name):
    _, webhooks = way
    read = webhooks.read_webhook(json.dumps({"id": "1", "event": word}))
    assert type(read).__name__ == name


def test_the_name_of_a_webhook_is_enough_unless_the_event_in_the_body_contradicts_it(
    way,
):
    kind, webhooks = way
    if kind == "by_union":
        with pytest.raises(webhooks.UnreadableWebhook, match="no variant that the document"):
            webhooks.read_webhook(b'{"id": "1", "event": "e.new"}')
        return
    paid = webhooks.read_webhook('{"id": "1", "event": "e.paid"}', name="paid")
    assert type(paid).__name__ == "Paid"
    with pytest.raises(webhooks.UnreadableWebhook, match=r"`event` is 'e\.failed': a word of"):
        webhooks.read_webhook('{"id": "1", "event": "e.failed"}', name="paid")
    for body in ('{"id": "1"}', '{"id": "1", "event": null}'):
        if kind == "by_enum":
            with pytest.raises(webhooks.UnreadableWebhook, match="`event` is missing"):
                webhooks.read_webhook(body, name="paid")
        else:
            assert type(webhooks.read_webhook(body, name="paid")).__name__ == "Paid"
    if kind == "by_enum":  # a name is enough for a word that is new
        new = webhooks.read_webhook('{"id": "1", "event": "e.new"}', name="paid")
        assert new.event == "e.new"


@pytest.mark.parametrize("case", CASES["shared"].values(), ids=CASES["shared"])
def test_a_body_is_of_the_webhooks_with_its_word_or_needs_a_name(case, tmp_path):
    own = {"webhooks": case["webhooks"], "components": {"schemas": case["schemas"]}}
    webhooks = Wire(tmp_path, openapi="3.1.0", paths={}, **own).webhooks
    for body, expected in case["bodies"]:
        try:
            read = type(webhooks.read_webhook(json.dumps(body))).__name__
        except webhooks.AmbiguousWebhook:
            read = "name"
        except webhooks.UnknownWebhook:
            read = "unknown"
        assert read == expected, body


def test_webhooks_that_nothing_tells_apart_need_a_name(tmp_path):
    names = ("Webhook", "UnknownWebhook")  # the second one is a name that the package has, too
    own = {"schemas": {name: an_object(id=TEXT, x=TEXT) for name in names}}
    bodies = ({"$ref": f"#/components/schemas/{name}"} for name in names)
    hooks = {"a": posting(an_object(id=TEXT)), **dict(zip("bc", map(posting, bodies), strict=True))}
    whole = {"openapi": "3.1.0", "paths": {}, "webhooks": hooks, "components": own}
    untold = Wire(tmp_path, **whole).webhooks
    with pytest.raises(
        untold.AmbiguousWebhook,
        match="it can be a or b or c, which the document does not tell apart",
    ):
        untold.read_webhook(b'{"id": "1"}')
    assert untold.read_webhook(b'{"id": "1"}', name="a").id == "1"
    for body in ('{"ID": "1"}', '{"id": " "}', '{"id": null}', "{}"):
        with pytest.raises(
            untold.UnreadableWebhook, match="it has no value of a member that the document declares"
        ):
            untold.read_webhook(body, name="a")


# ---- Verification ----


def test_verification_comes_before_reading_and_sees_the_bytes(webhooks):
    class ForgedError(Exception):
        pass

    def verify(headers, content):
        assert content == b"<html>"
        raise ForgedError(
            headers["X-Signature"],
            headers.get("x-SIGNATURE"),
            "X-signature" in headers,
            headers.get("b"),
        )

    for headers in (
        {"x-signature": "é1"},
        [(b"X-SIGNATURE", "é1".encode("latin-1"))],
        {"X-Signature": "é1"},
    ):
        with pytest.raises(ForgedError) as caught:
            webhooks.read_webhook(b"<html>", headers, name="payment.paid", verify=verify)
        assert caught.value.args == ("é1", "é1", True, None)


async def awaited(_headers, _body):
    """Nobody awaits it."""


@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize("verify", [lambda headers, _: headers["x-sig"] != "Łódź", awaited])
def test_a_check_that_returns_false_or_is_awaited_refuses_the_request(webhooks, verify):
    with pytest.raises(PermissionError, match="verify returned False, or is an async function"):
        webhooks.read_webhook(b"<html>", {"X-Sig": "Łódź"}, verify=verify)
