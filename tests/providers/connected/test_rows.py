"""`connect(rows=...)`: what its caller knows of writes, on top of the rows of the document."""

import re
from datetime import timedelta
from types import SimpleNamespace

import httpx
import pytest
from velo_api.api.payouts import submit_payout

from tests.providers.connected.till import (
    URL,
    Caller,
    client_class,
    new_payment,
    operation,
)
from tests.providers.running import Script
from victor_ext import (
    BodyKey,
    ConfigurationError,
    HeaderKey,
    InvalidRequest,
    OperationRow,
    Outcome,
    Promise,
    Proof,
    UnreadableResponse,
    VictorError,
    connect,
    connect_async,
)

PAY, CANCEL = "POST /v1/payments", "DELETE /v1/payments/{payment_id}"
LOST = httpx.ReadError("the connection was cut")
KEYED = OperationRow(takes_key=True)
NO_STEPS = print


def find(*_):
    yield lambda: None


def sent(mode, name, *args, **options):
    """How often a write is sent whose first response is lost, and what is known of it then."""
    done = httpx.Response(201, json={"id": "pay_1", "amount": 1})
    script = Script(LOST, done if args == () else httpx.Response(204))
    body = {} if args else {"body": new_payment(amount=1, reference="INV-1")}
    try:
        Caller(mode, script, **options).call(name, *args, **body)
    except VictorError as error:
        return len(script.requests), error.outcome.value
    return len(script.requests), "done"


class TestTheKeyOfOneWrite:
    def test_without_a_row_a_write_whose_document_declares_no_key_is_sent_once(self, mode):
        once = (1, Outcome.UNKNOWN.value)
        assert sent(mode, "payments.cancel_payment", "pay_1", key=HeaderKey()) == once

    def test_a_row_says_that_its_write_takes_the_key(self, mode):
        options = {"key": HeaderKey(), "rows": {CANCEL: KEYED}}
        assert sent(mode, "payments.cancel_payment", "pay_1", **options) == (2, "done")
        assert sent(mode, "payments.take_payment", **options) == (2, "done")

    def test_a_row_says_of_a_request_by_hand_too_that_it_takes_the_key(self, mode):
        script = Script(LOST, httpx.Response(204))
        caller = Caller(mode, script, key=HeaderKey(), rows={CANCEL: KEYED})
        caller.run(lambda client: client.http.request("DELETE", "/v1/payments/pay_1"))
        assert len(script.requests) == 2

    def test_a_row_says_that_a_write_takes_its_key_in_the_body(self, mode):
        options = {"key": BodyKey("reference"), "rows": {PAY: KEYED}}
        assert sent(mode, "payments.take_payment", **options) == (2, "done")

    def test_a_row_says_that_the_key_which_is_declared_is_ignored(self, mode):
        rows = {PAY: OperationRow(takes_key=False)}
        once = (1, Outcome.UNKNOWN.value)
        assert sent(mode, "payments.take_payment", key=HeaderKey(), rows=rows) == once


def refused(rows, key=None):
    """Why both kinds of clients refuse these rows."""
    messages = set()
    for connecting in (connect, connect_async):
        with pytest.raises(ConfigurationError) as raised:
            connecting(client_class(), base_url=URL, key=key or HeaderKey(), rows=rows)
        messages.add(raised.value.message)
    (message,) = messages
    return message


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("POST /v1/payment", "is no operation of the document. It has: "),
        ("POST /v1/payments/{}", "is no operation of the document"),
        ("POST /v3/sourceAccounts", "is no operation of the document"),
        ("POST /v1/payments /v2/payments", "is no operation of the document"),
        ("refunds", "is no operation of the document. It has: "),
        ("", "is no operation of the document. It has: "),
        (print, "names no operation: write 'POST /v1/payouts', or the module"),
        (submit_payout, "is no operation of the document"),
        (17, "17 names no operation"),
        ("GET /v1/payments", "GET /v1/payments only reads: leave its row out"),
    ],
)
def test_a_row_that_names_no_write_of_the_document_is_refused(name, words):
    assert refused({name: KEYED}).startswith("rows: ")
    assert words in refused({name: KEYED})


PROOF = "proof must be Proof(find), where find is a function that"


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("takes_key", ("yes", 1, 0), "takes_key must be True or False, not "),
        ("proof", (find, Proof(NO_STEPS), SimpleNamespace(find=find)), PROOF),
        (
            "proof",
            (Proof(find, needs="payor_id"), Proof(find, needs=(7,))),
            "proof.needs must be names, such as ('payor_id',), not ",
        ),
        (
            "proof",
            (Proof(find, subject="reference"),),
            "proof.subject must be a function of the request, or None",
        ),
        (
            "proof",
            (Proof(find, times_differ=10), Proof(find, times_differ=-timedelta(1))),
            "proof.times_differ must be a timedelta of 0 or more",
        ),
        (
            "final",
            ("paid", 7, None, b"paid", {"paid": 1}, {1}, {None}, {""}, [" "], ("paid", " failed")),
            "final must be a set of words, such as {'paid', 'failed'}, not ",
        ),
        (
            "made",
            ("data..id", None, " id ", ".", 7),
            "made must be the place of an id, such as 'data.id', not ",
        ),
        (
            "reference",
            ("data..id", None, 7),
            "reference must be the place of your reference in a request, such as 'meta.orderId', ",
        ),
    ],
)
def test_a_value_that_its_column_cannot_have_is_refused_with_its_row_and_column(
    column, values, words
):
    for value in values:
        row = OperationRow(**{column: value})
        assert refused({PAY: row}).startswith(f"rows: {PAY}: {words}")


def test_a_wrong_place_of_an_id_is_told_by_the_first_response(mode):
    script = Script(httpx.Response(201, json={"id": "pay_1", "amount": 1}))
    caller = Caller(mode, script, rows={PAY: OperationRow(made="data.id")})
    words = "its body has no id at 'data.id', where `made` of its row says that it is"
    with pytest.raises(UnreadableResponse, match=words):
        caller.call("payments.take_payment", body=new_payment(amount=1))


@pytest.mark.parametrize("key", [HeaderKey(), None])
def test_a_reference_names_a_write_whatever_its_key(key):
    rows = {PAY: OperationRow(reference="reference")}
    body = new_payment(amount=1, reference="INV-1")
    with connect(client_class(), base_url=URL, key=key, rows=rows) as till:
        call = till.prepare(operation("payments.take_payment"), body=body)
    assert call.subject == "INV-1"


def test_rows_are_a_mapping_with_one_row_for_a_write():
    assert refused([PAY]).startswith("rows must be {'POST /v1/payouts': OperationRow(")
    assert f"or the like: {PAY} has Proof" in refused({PAY: Proof(find)})
    pay = operation("payments.take_payment")
    assert refused({PAY: KEYED, pay: KEYED}) == f"rows: {PAY} has two rows: write one."


def test_final_words_for_an_object_that_no_read_shows_are_refused():
    search = "POST /v1/payments/search"
    why = "no read of the document shows what it made: leave final out."
    assert refused({search: OperationRow(final={"paid"})}) == f"rows: {search}: {why}"


def test_a_row_that_takes_a_key_needs_its_place():
    words = re.escape(f"rows: {PAY}: takes_key=True needs the place of the key: pass key=")
    with pytest.raises(ConfigurationError, match=words):
        connect(client_class(), base_url=URL, rows={PAY: KEYED})


@pytest.mark.parametrize("key", [BodyKey("reference"), BodyKey("meta.key")])
def test_a_write_that_takes_a_key_of_the_callers_is_not_sent_without_it(mode, key):
    script = Script(httpx.Response(201, json={"id": "pay_1", "amount": 1}))
    caller = Caller(mode, script, key=key, rows={PAY: KEYED})
    with pytest.raises(InvalidRequest, match=rf"{key.name} is missing.*Set it yourself") as raised:
        caller.call("payments.take_payment", body=new_payment(amount=1))
    assert raised.value.outcome is Outcome.NOT_SENT
    assert [problem.field for problem in raised.value.problems] == [key.name]
    assert script.requests == []


@pytest.mark.parametrize("row", [KEYED, OperationRow(takes_key=False)])
def test_a_row_vouches_for_its_own_operation_alone(row):
    """Of the payment, whose key the document declares, nothing is said: it would be sent once."""
    key = HeaderKey("X-Wrong-Key")
    why = refused({CANCEL: row}, key)
    assert "it says so of HeaderKey('Idempotency-Key'). Write that, or say with takes_key" in why
    assert (f"No row says it of {PAY}." in why) is bool(row.takes_key)


IGNORED = OperationRow(takes_key=False)


def test_a_write_whose_row_says_that_it_ignores_the_key_is_sent_at_most_once():
    key, rows = HeaderKey("X-Wrong-Key"), {CANCEL: KEYED, PAY: IGNORED}
    with connect(client_class(), base_url=URL, key=key, rows=rows) as till:
        body = new_payment(amount=1, reference="INV-1")
        promise = till.prepare(operation("payments.take_payment"), body=body).promise
    assert promise is Promise.AT_MOST_ONCE
