"""Webhooks and callbacks: after the user's own verification, a body is what the document declares,
or is refused.
"""

import json
import re

import pytest

from .wire import TEXT, Wire, an_object, beside, checked, document, package, taking

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


@pytest.mark.parametrize("case", CASES["accepted"], ids=str)
def test_a_webhook_body_with_additions_of_a_newer_document_is_read(webhooks, case):
    assert type(webhooks.read_webhook(text_of(case))).__name__ == "PaymentPaidWebhook"


# ---- What is refused ----

LONG = [
    {"says": "it is not JSON", "text": "[" * 200_000},
    {"says": f'"{"x" * 60}...", but', "more": {"type": "x" * 999}},
]


@pytest.mark.parametrize("case", [*CASES["refused"], *LONG], ids=lambda case: case["says"])
def test_an_undeclared_webhook_body_raises_an_error_with_the_reason_and_the_bytes(webhooks, case):
    text = text_of(case)
    with pytest.raises(webhooks.UnreadableWebhook) as caught:
        webhooks.read_webhook(text, name=case.get("name"))
    assert case["says"] in str(caught.value)
    assert caught.value.content == text.encode()
    assert text not in str(caught.value)


@pytest.mark.parametrize("name", ["paid", ""])
def test_an_unknown_webhook_name_is_refused_with_the_names_of_the_document(webhooks, name):
    with pytest.raises(
        ValueError,
        match=rf"'{name}' is no webhook of the document: write one of payment\.paid, pay",
    ):
        webhooks.read_webhook(b"{}", name=name)


def test_read_webhook_names_an_argument_of_the_wrong_type_in_its_error(webhooks):
    with pytest.raises(TypeError, match="body is of type dict: pass the body as it came"):
        webhooks.read_webhook({})
    for headers in (b"{}", [("a", "b", "c")], 5):
        with pytest.raises(TypeError, match="headers must be a mapping, or pairs"):
            webhooks.read_webhook("payment.paid", headers)


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
    return request.param, wire.webhooks


@pytest.mark.parametrize(("word", "name"), [("e.paid", "Paid"), ("E.Failed", "Failed")])
def test_a_webhook_class_is_chosen_by_a_discriminator_a_constant_or_an_enum(way, word, name):
    _, webhooks = way
    read = webhooks.read_webhook(json.dumps({"id": "1", "event": word}))
    assert type(read).__name__ == name


@pytest.mark.parametrize(
    "body",
    [{"id": "1"}, {"id": "1", "event": "e.new"}, {"id": "1", "event": 5}, {"event": "e.paid"}],
    ids=str,
)
def test_a_webhook_that_no_event_word_selects_is_refused_as_unknown_only_if_the_word_is_new(
    way, body
):
    _, webhooks = way
    with pytest.raises(webhooks.UnreadableWebhook) as caught:
        webhooks.read_webhook(json.dumps(body))
    is_new = body.get("event") == "e.new"
    assert isinstance(caught.value, webhooks.UnknownWebhook) == is_new
    named = re.findall('"e[.](?!new)[a-z]+"', str(caught.value))
    # each word once, however many webhooks or schemas have it
    assert len(named) == len({*named})


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
    with pytest.raises(webhooks.UnreadableWebhook, match="`event` is"):
        webhooks.read_webhook('{"id": "1", "event": "e.failed"}', name="paid")
    for body in ('{"id": "1"}', '{"id": "1", "event": null}'):
        if kind == "by_enum":
            with pytest.raises(webhooks.UnreadableWebhook, match="`event` is"):
                webhooks.read_webhook(body, name="paid")
        else:
            assert type(webhooks.read_webhook(body, name="paid")).__name__ == "Paid"
    if kind == "by_enum":  # a name is enough for a word that is new
        new = webhooks.read_webhook('{"id": "1", "event": "e.new"}', name="paid")
        assert new.event == "e.new"


@pytest.mark.parametrize("kind", CASES["shared"])
def test_a_webhook_is_unknown_only_if_no_webhook_of_the_document_declares_the_body(tmp_path, kind):
    case = CASES["shared"][kind]
    own = {"webhooks": case["webhooks"], "components": {"schemas": case["schemas"]}}
    wire = Wire(tmp_path, openapi="3.1.0", **own)
    webhooks = wire.webhooks
    for body, expected in case["bodies"]:
        try:
            found = type(webhooks.read_webhook(json.dumps(body))).__name__
        except webhooks.UnknownWebhook:
            found = "unknown"
        except webhooks.AmbiguousWebhook:
            found = "name"
        assert found == expected, body
    assert wire.report().notes["webhook-needs-name"] == [*webhooks.UNTOLD]
    if not webhooks.UNTOLD:
        assert "name" not in [expected for _, expected in case["bodies"]]


def test_webhooks_that_nothing_tells_apart_need_a_name(tmp_path):
    names = ("Webhook", "UnknownWebhook")  # the second one is a name that the package has, too
    own = {"schemas": {name: an_object(id=TEXT, x=TEXT) for name in names}}
    bodies = ({"$ref": f"#/components/schemas/{name}"} for name in names)
    hooks = {"a": posting(an_object(id=TEXT)), **dict(zip("bc", map(posting, bodies), strict=True))}
    whole = {"openapi": "3.1.0", "paths": {}, "webhooks": hooks, "components": own}
    untold = Wire(tmp_path, **whole).webhooks
    with pytest.raises(
        ValueError, match="does not tell its webhooks apart: pass name=, one of a, b, c"
    ):
        untold.read_webhook(b'{"id": "1"}')
    assert untold.read_webhook(b'{"id": "1"}', name="a").id == "1"
    for body in ('{"ID": "1"}', '{"id": " "}', '{"id": null}', "{}"):
        with pytest.raises(
            untold.UnreadableWebhook, match="it has no value of a member that the document declares"
        ):
            untold.read_webhook(body, name="a")


def test_each_webhook_and_each_method_of_one_has_a_name(tmp_path):
    one = {"get": "a", "put": "b", "post": "c", "query": "d"}
    hook = {
        method: posting(an_object((name,), **{name: TEXT}))["post"] for method, name in one.items()
    }
    hook["additionalOperations"] = {"COPY": hook.pop("get")}
    others = {name: posting(an_object((name,), **{name: TEXT})) for name in ("a{b", "a?b", "a_b")}
    hooks = {"x": hook, **others}
    webhooks = Wire(tmp_path, openapi="3.2.0", webhooks=hooks).webhooks
    members = {name: name for name in others}
    members |= {"x": "b", "x.post": "c", "x.query": "d", "x.copy": "a"}
    assert webhooks.WEBHOOKS.keys() == members.keys()
    for name, member in members.items():
        body = {member: "1"}
        assert webhooks.read_webhook(json.dumps(body), name=name).to_dict() == body


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


def test_a_webhook_has_the_security_and_headers_that_the_document_requires(webhooks):
    known = webhooks.WEBHOOKS
    assert known["payment.paid"].security == ("signature: apiKey in header X-Signature",)
    assert known["payment.paid"].headers == ("X-Signature",)
    assert (known["many"].security, known["many"].headers) == ((), ())


# ---- Calls and the check ----


def test_a_body_of_each_webhook_is_read(made):
    assert len(made.webhooks.WEBHOOKS) == 4


def test_a_webhook_whose_body_is_not_json_is_reported_as_left_out(tmp_path):
    hook = {"post": {"requestBody": taking(an_object(a=TEXT), "application/x-www-form-urlencoded")}}
    [problem] = checked(tmp_path, document(webhooks={"sms": hook})).problems
    assert problem.place == (
        "POST webhooks.sms: its body as application/x-www-form-urlencoded, which read_webhook "
        "does not read"
    )


def test_a_document_without_paths_makes_a_package_that_reads_its_webhooks(
    tmp_path,
):
    wire = Wire(tmp_path, **CASES["updated"])
    assert len(wire.webhooks.WEBHOOKS) == 1
