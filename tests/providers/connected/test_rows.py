"""`connect(rows=...)`: what its caller knows of writes, on top of the rows of the document."""

import re
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from velo_api.api.payouts import submit_payout

from tests.providers.connected.till import URL, Caller, client_class, new_payment, operation
from tests.providers.running import MODES, Script
from victor_ext import (
    BodyKey,
    ConfigurationError,
    HeaderKey,
    InvalidRequest,
    OperationRow,
    Outcome,
    Promise,
    Proof,
    QueryKey,
    VictorError,
    connect,
    connect_async,
)

PAY, CANCEL = "POST /v1/payments", "DELETE /v1/payments/{payment_id}"
LOST = httpx.ReadError("the connection was cut")
KEYED = OperationRow(takes_key=True)
NO_STEPS: Any = print
each_mode = pytest.mark.parametrize("mode", MODES)


def find(*_: Any) -> Any:
    yield lambda: None


def sent(mode: str, name: str, *args: Any, **options: Any) -> tuple[int, str]:
    """How often a write is sent whose first response is lost, and what is known of it then."""
    done = httpx.Response(201, json={"id": "pay_1", "amount": 1})
    script = Script(LOST, done if args == () else httpx.Response(204))
    body = {} if args else {"body": new_payment(amount=1, reference="INV-1")}
    try:
        Caller(mode, script, **options).call(name, *args, **body)
    except VictorError as error:
        return len(script.requests), error.outcome.value
    return len(script.requests), "done"


@each_mode
class TestTheKeyOfOneWrite:
    def test_without_a_row_a_write_whose_document_declares_no_key_is_sent_once(
        self, mode: str
    ) -> None:
        once = (1, Outcome.UNKNOWN.value)
        assert sent(mode, "payments.cancel_payment", "pay_1", key=HeaderKey()) == once

    def test_a_row_says_that_it_takes_the_key(self, mode: str) -> None:
        options = {"key": HeaderKey(), "rows": {CANCEL: KEYED}}
        assert sent(mode, "payments.cancel_payment", "pay_1", **options) == (2, "done")
        assert sent(mode, "payments.take_payment", **options) == (2, "done")

    def test_a_row_says_that_the_key_which_is_declared_is_ignored(self, mode: str) -> None:
        rows = {PAY: OperationRow(takes_key=False)}
        once = (1, Outcome.UNKNOWN.value)
        assert sent(mode, "payments.take_payment", key=HeaderKey(), rows=rows) == once

    def test_a_row_is_before_the_functions_of_the_key(self, mode: str) -> None:
        key = HeaderKey(takes_key=lambda _: True, ignores_key=lambda _: False)
        rows = {PAY: OperationRow(takes_key=False)}
        assert sent(mode, "payments.take_payment", key=key, rows=rows)[0] == 1
        key = HeaderKey(ignores_key=lambda _: True)
        assert sent(mode, "payments.take_payment", key=key, rows={PAY: KEYED})[0] == 2

    def test_a_request_by_hand_finds_the_row(self, mode: str) -> None:
        script = Script(LOST, httpx.Response(204))
        caller = Caller(mode, script, key=HeaderKey(), rows={CANCEL: KEYED})
        caller.run(lambda client: client.http.request("DELETE", "/v1/payments/pay_1"))
        assert len(script.requests) == 2


def test_who_names_a_write_that_takes_the_key_says_that_no_other_does() -> None:
    """Where the document declares the key nowhere, each POST would take it else."""
    key = HeaderKey("X-Own-Key", takes_key=None)
    search = operation("payments.search_payments")
    with connect(client_class(), base_url=URL, key=key, rows={search: KEYED}) as till:
        body = new_payment(amount=1, reference="INV-1")
        pay = till.prepare(operation("payments.take_payment"), body=body)
    assert pay.promise is Promise.AT_MOST_ONCE


def test_a_row_that_names_a_function_or_its_module_is_one_of_the_text() -> None:
    pay = operation("payments.take_payment")
    row = OperationRow(proof=Proof(find))
    for named in (PAY, pay, pay.sync, pay.asyncio_detailed):
        with connect(client_class(), base_url=URL, rows={named: row}) as till:
            call = till.prepare(pay, body=new_payment(amount=1, reference="INV-1"))
        assert call.promise is Promise.LOOKED_UP


def refused(rows: Any) -> str:
    """Why both kinds of clients refuse these rows."""
    messages: set[str] = set()
    for connecting in (connect, connect_async):
        with pytest.raises(ConfigurationError) as raised:
            connecting(client_class(), base_url=URL, key=HeaderKey(), rows=rows)
        messages.add(raised.value.message)
    (message,) = messages
    return message


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("POST /v1/payment", "is no operation of the document. Did you mean 'POST /v1/payments'?"),
        ("POST /v1/payments/{}", "is no operation of the document. Did you mean "),
        ("POST /v3/sourceAccounts", "is no operation of the document"),
        ("POST /v1/payments /v2/payments", "is no operation of the document"),
        ("refunds", "is no operation of the document, as 'POST /v1/payouts' may be."),
        ("", "is no operation of the document, as 'POST /v1/payouts' may be."),
        (print, "names no operation: write 'POST /v1/payouts', or the module"),
        (submit_payout, "is no operation of the document"),
        (17, "17 names no operation"),
        ("GET /v1/payments", "GET /v1/payments only reads: leave its row out"),
    ],
)
def test_a_row_that_leads_to_no_write_names_the_nearest_operation(name: Any, words: str) -> None:
    assert refused({name: KEYED}).startswith("rows: ")
    assert words in refused({name: KEYED})


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"takes_key": "yes"}, "takes_key must be True or False, not 'yes'."),
        ({"proof": find}, "proof must be Proof(find), where find is a function that"),
        ({"proof": Proof(NO_STEPS)}, "proof must be Proof(find), where find is a function that"),
        ({"final": "paid"}, "final must be a set of words, such as {'paid', 'failed'}, not 'paid'"),
        ({"final": 7}, "final must be a set of words"),
        (
            {"made": "data..id"},
            "made must be the place of an id, such as 'data.id', not 'data..id'",
        ),
        ({"made": None}, "made must be the place of an id"),
    ],
)
def test_a_value_that_its_column_cannot_have_is_named(columns: Any, words: str) -> None:
    assert refused({PAY: OperationRow(**columns)}).startswith(f"rows: {PAY}: {words}")


def test_rows_are_a_mapping_with_one_row_for_a_write() -> None:
    assert refused([PAY]).startswith("rows must be {'POST /v1/payouts': OperationRow(")
    assert f"or the like: {PAY} has Proof" in refused({PAY: Proof(find)})
    pay = operation("payments.take_payment")
    assert refused({PAY: KEYED, pay: KEYED}) == f"rows: {PAY} has two rows: write one."


def test_words_that_end_what_no_read_shows_are_refused() -> None:
    search = "POST /v1/payments/search"
    why = "no read of the document shows what it made: leave final out."
    assert refused({search: OperationRow(final={"paid"})}) == f"rows: {search}: {why}"


@pytest.mark.parametrize("key", [None, SimpleNamespace(prepare=print, read=print)])
def test_a_row_that_takes_a_key_needs_its_place(key: Any) -> None:
    words = re.escape(f"rows: {PAY}: takes_key=True needs the place of the key: pass key=")
    with pytest.raises(ConfigurationError, match=words):
        connect(client_class(), base_url=URL, key=key, rows={PAY: KEYED})


@each_mode
@pytest.mark.parametrize("key", [BodyKey("reference"), BodyKey("meta.key"), QueryKey("k")])
def test_a_write_that_takes_a_key_of_the_callers_is_not_sent_without_it(
    mode: str, key: Any
) -> None:
    script = Script(httpx.Response(201, json={"id": "pay_1", "amount": 1}))
    caller = Caller(mode, script, key=key, rows={PAY: KEYED})
    with pytest.raises(InvalidRequest, match=rf"{key.name} is missing.*Set it yourself") as raised:
        caller.call("payments.take_payment", body=new_payment(amount=1))
    assert raised.value.outcome is Outcome.NOT_SENT
    assert [problem.field for problem in raised.value.problems] == [key.name]
    assert script.requests == []


@each_mode
def test_a_write_with_its_key_in_the_body_is_sent_again(mode: str) -> None:
    key = BodyKey("reference")
    assert sent(mode, "payments.take_payment", key=key, rows={PAY: KEYED}) == (2, "done")


def test_a_write_that_cannot_be_stored_without_its_key_names_the_member() -> None:
    key = BodyKey("reference")
    with connect(client_class(), base_url=URL, key=key, rows={PAY: KEYED}) as till:
        with pytest.raises(InvalidRequest, match="reference is missing"):
            till.prepare(operation("payments.take_payment"), body=new_payment(amount=1))
        body = new_payment(amount=1, reference="INV-1")
        call = till.prepare(operation("payments.take_payment"), body=body)
    assert call.promise is Promise.KEYED


def test_a_row_vouches_for_a_key_of_another_name_than_the_declared_one() -> None:
    key = BodyKey("reference")
    with pytest.raises(ConfigurationError, match="say with takes_key which requests take yours"):
        connect(client_class(), base_url=URL, key=key)
    connect(client_class(), base_url=URL, key=key, rows={PAY: KEYED}).close()
