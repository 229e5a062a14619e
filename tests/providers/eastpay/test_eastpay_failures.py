"""What the caller observes when an exchange fails: never a second charge, never a silent success."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.eastpay.adapter import PRICE, Harness, observe, pay
from victor_ext import BadRequest, ConnectionFailed, Outcome, StatusError, UnreadableResponse, VictorError
from victor_ext.providers.eastpay import Payment
from victor_ext.providers.eastpay.operations import operations_of


def test_a_checkout_whose_answer_was_lost(harness: Harness) -> None:
    harness.sandbox.inject("lose_answer", operation="prepare")
    with pytest.raises(ConnectionFailed, match="lapses after 15 minutes") as raised:
        harness(lambda eastpay: eastpay.checkouts.prepare(PRICE))
    assert raised.value.outcome is Outcome.UNKNOWN


class TestRedirects:
    def test_a_307_is_sent_again_with_method_and_body(self, harness: Harness) -> None:
        to = {"Location": "/gateway/v3/payments"}
        harness.sandbox.inject("status", operation="pay", status=307, headers=to, body="")
        paid = harness.debit("INV-1")
        assert (paid.succeeded, paid.payment_type, paid.fields["amount"]) == (True, "DB", "92.00")
        assert [(seen.method, seen.path) for seen in harness.sandbox.received()] == [
            ("POST", "/eastpay/v3/payments"),
            ("POST", "/gateway/v3/payments"),
        ]
        assert harness.sandbox.work_done_by_reference() == {"INV-1": 1}

    @pytest.mark.parametrize(
        ("status", "to"),
        [
            *((307, to) for to in ("https://elsewhere.example/gateway/v3/payments", "http://127.0.0.1:9/v3", "")),
            *((status, "/gateway/v3/payments") for status in (301, 302, 303, 308)),
        ],
    )
    def test_no_other_redirect_of_a_payment_is_followed(self, harness: Harness, status: int, to: str) -> None:
        harness.sandbox.inject("status", operation="pay", status=status, headers={"Location": to}, body="", times=None)
        with pytest.raises(StatusError, match=rf"a redirect \(status {status}\) that is not followed"):
            harness.debit("INV-1")
        assert harness.sandbox.work_done_by_reference().get("INV-1", 0) == 0


def test_a_reference_that_is_refused_is_no_declined_card(harness: Harness) -> None:
    body = '{"result": {"code": "100.300.701", "description": "Reference validation failed"}}'
    harness.sandbox.inject("status", operation="pay", status=400, body=body)
    with pytest.raises(BadRequest, match=r"Reference validation failed; 100\.300\.701: The EastPay gateway") as raised:
        harness.debit("INV-1")
    assert (raised.value.outcome, raised.value.attempts) == (Outcome.REJECTED, 1)
    assert harness.sandbox.work_done_by_reference() == {}


def debit(client: Any) -> Any:
    return pay(client, "INV-1")


def prepare(client: Any) -> Any:
    return client.checkouts.prepare(PRICE)


def payment_of(status: int, body: object, call: Any = debit) -> Payment:
    """The payment that a call returns, if the gateway answers everything alike."""
    seen = observe(status, body, call)
    assert isinstance(seen, Payment)
    return seen


def rejected(status: int, body: object, *words: str, call: Any = debit) -> VictorError:
    """The error that says that nothing was done, in these words."""
    return _failed(BadRequest, Outcome.REJECTED, status, body, words, call)


def unreadable(status: int, body: object, *words: str, outcome: Outcome = Outcome.UNKNOWN, call: Any = debit) -> None:
    """The error of an answer that proves nothing."""
    _failed(UnreadableResponse, outcome, status, body, words, call)


def _failed(kind: Any, outcome: Outcome, status: int, body: object, words: Any, call: Any) -> VictorError:
    error = observe(status, body, call)
    assert isinstance(error, kind)
    assert error.outcome is outcome
    assert [each for each in words if each not in str(error)] == []
    return error


SMALL = {"name": "amount", "message": "is too small"}


class TestA400:
    """It is a declined payment or a request that was wrong: the body decides."""

    @pytest.mark.parametrize(
        ("code", "words"),
        [
            ("100.300.701", "look before you charge again under another reference"),
            ("100.100.100", "The EastPay gateway: authorization; it was refused"),
            ("100.400.001", "The EastPay gateway: authentication"),
        ],
    )
    def test_a_refusal_of_the_gateway_that_names_no_payment_is_of_the_request(self, code: str, words: str) -> None:
        """Who took it for a declined payment would ask the shopper for another card, and be refused again."""
        for result in ({"code": code}, {"code": code, "description": "Reference validation failed"}):
            error = rejected(400, {"result": result}, words)
            assert [(problem.field, problem.code) for problem in error.problems] == [("", code)]
            assert ("Reference validation failed" in str(error)) is ("description" in result)
        assert payment_of(400, {"id": "8ac7", "result": {"code": code}}).result.rejected

    @pytest.mark.parametrize("asks", [False, True])
    @pytest.mark.parametrize("status", [200, 400])
    @pytest.mark.parametrize("code", ["800.110.100", "800.100.153", "100.300.701"])
    @pytest.mark.parametrize("words", ["Duplicate transmission", "DUPLICATE_REFERENCE", "Payment already taken"])
    def test_a_rejection_that_speaks_of_an_earlier_payment_is_none(
        self, asks: bool, status: int, code: str, words: str
    ) -> None:
        """Who asked for another card would charge the shopper twice, when the answer to the first one was lost."""
        said = {"result": {"code": code, "description": words}}
        call = (lambda client: client.payments.inquire("8ac7")) if asks else debit
        seen = payment_of(status, {"id": "8ac7", **said}, call)
        assert (seen.result.kind, seen.result.must_inquire, seen.result.rejection) == ("unknown", True, None)
        assert "look before you charge again" in seen.result.meaning
        alone = observe(status, said, call)
        if not asks and status == 200:
            assert alone.result.must_inquire
        else:
            assert isinstance(alone, VictorError)
            assert asks or (alone.outcome is Outcome.UNKNOWN and "look with payments.find('INV-1')" in str(alone))

    @pytest.mark.parametrize("more", [{}, {"parameterErrors": [{"name": "amount"}]}])
    def test_a_code_of_success_contradicts_it_and_is_neither(self, more: dict[str, Any]) -> None:
        words = "its result code says that it succeeded (000.000.000)", "before you repeat it"
        unreadable(400, {"id": "8ac7", "result": {"code": "000.000.000", **more}}, *words)

    @pytest.mark.parametrize(
        "body",
        [
            {"result": {"code": "100.300.701", "parameterErrors": [SMALL]}},
            {"result": {"code": "invalid"}, "parameterErrors": [SMALL]},
            {"result": {"parameterErrors": [{**SMALL, "value": "4111111111111111"}]}},
        ],
    )
    def test_refused_parameters_are_an_error(self, body: object) -> None:
        error = rejected(400, body, "amount: is too small")
        assert [(problem.field, problem.message) for problem in error.problems] == [("amount", "is too small")]

    def test_parameter_errors_do_not_hide_that_something_is_under_way(self) -> None:
        body = {"result": {"code": "100.200.100", "parameterErrors": [{"name": "amount"}]}}
        assert payment_of(400, body).result.must_inquire

    @pytest.mark.parametrize(
        "body",
        [
            *(b"", b"<html>", b"[]", b"null", {}, {"result": None}, {"result": []}, {"result": {}}),
            *({"result": {"code": 1}}, {"result": {"code": ""}}),
            {"code": "800.100.153"},
        ],
    )
    def test_anything_else_is_an_error(self, body: object) -> None:
        rejected(400, body)

    def test_of_a_checkout_it_is_always_an_error(self) -> None:
        error = rejected(400, {"result": {"code": "100.300.701"}}, call=prepare)
        assert error.problems[0].code == "100.300.701"


class TestA200:
    @pytest.mark.parametrize(
        "body", [b"", b"<html>", b"[]", {}, {"id": "8ac7"}, {"id": "8ac7", "result": {}}, {"result": {"code": 0}}]
    )
    def test_without_a_result_code_it_is_no_success(self, body: object) -> None:
        unreadable(200, body, outcome=Outcome.ACCEPTED if body and isinstance(body, dict) else Outcome.UNKNOWN)

    @pytest.mark.parametrize(
        "other",
        [
            {"merchantTransactionId": "INV-2"}, {"amount": "92.01"}, {"currency": "EUR"}, {"paymentType": "RF"},
            {"entityId": "EB000002"}, {"merchantTransactionId": "inv-1"},
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("status", [200, 400])
    def test_a_result_of_another_payment_proves_nothing(self, status: int, other: dict[str, str]) -> None:
        code = "000.000.000" if status == 200 else "800.100.153"
        words = f"about another payment: its {next(iter(other))} is not" if status == 200 else "status 400"
        unreadable(status, {"id": "8ac7", "result": {"code": code}, **other}, words)

    def test_the_same_payment_in_other_words_is_the_same(self) -> None:
        same = {"merchantTransactionId": " INV-1", "amount": "EGP 92", "currency": "egp", "paymentType": "DB"}
        payment_of(200, {"id": "8ac7", "result": {"code": "000.000.000"}, "entityId": None, **same})

    @pytest.mark.parametrize(
        "odd",
        [
            {"amount": "99,00"}, {"amount": "EUR 92.00"}, {"amount": {"value": "92.00"}}, {"amount": True},
            {"currency": ["EGP"]}, {"paymentType": []}, {"merchantTransactionId": {"id": "INV-1"}},
        ],
    )  # fmt: skip
    def test_what_cannot_be_read_confirms_nothing(self, odd: dict[str, Any]) -> None:
        unreadable(
            200, {"id": "8ac7", "result": {"code": "000.000.000"}, **odd}, f"its {next(iter(odd))} cannot be read"
        )

    def test_fields_of_other_types_are_read_as_absent(self) -> None:
        body = {"id": 7, "paymentType": None, "timestamp": {}, "ndc": [], "result": {"code": "000.000.000"}, "new": 1}
        payment = payment_of(201, body)
        assert (payment.id, payment.payment_type, payment.timestamp, payment.ndc) == ("", None, None, None)
        assert (payment.fields["new"], payment.description, payment.merchant_transaction_id) == (1, None, None)

    @pytest.mark.parametrize("body", [{}, {"id": ""}, {"id": 5}, {"result": {"code": "000.200.100"}}])
    def test_a_checkout_without_an_id(self, body: object) -> None:
        error = observe(200, body, prepare)
        assert isinstance(error, UnreadableResponse)
        assert "no checkout id" in str(error)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from(["000.000.000", "100.200.100", "8ac7"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "result", "code", "name", "x"]), inner),
)


@given(st.sampled_from([200, 201, 400, 403, 404, 500]), JSON | st.binary())
def test_whatever_comes_is_a_payment_or_an_error(status: int, body: Any) -> None:
    result = observe(status, body)
    if isinstance(result, Payment):
        assert result.fields["result"]["code"] == result.result.code
        assert status < 400 or not result.succeeded
        assert result.result.kind
        assert repr(result)
    else:
        assert isinstance(result, VictorError)
        assert result.outcome is not Outcome.NOT_SENT


class TestWhoIsRefused:
    """An inquiry that is refused says nothing of the payment: who took it for a decline would charge again."""

    @pytest.mark.parametrize("code", ["100.300.101", "100.400.001", "800.100.153"])
    def test_a_refusal_without_an_id_is_not_that_of_the_payment(self, code: str) -> None:
        body = {"result": {"code": code}}
        for status, kind in ((400, BadRequest), (200, UnreadableResponse)):
            assert isinstance(observe(status, body, lambda eastpay: eastpay.payments.inquire("pay-1")), kind)
            for call in (
                lambda eastpay: eastpay.checkouts.status("checkout-1"),
                lambda eastpay: eastpay.payments.wait("pay-1", timeout=0),
            ):
                assert isinstance(observe(status, body, call), VictorError)

    @pytest.mark.parametrize("status", [200, 400])
    def test_a_decline_that_names_the_payment_is(self, status: int) -> None:
        body = {"id": "pay-1", "result": {"code": "800.100.153"}}
        assert payment_of(status, body, lambda eastpay: eastpay.payments.inquire("pay-1")).result.rejected


@pytest.mark.parametrize("status", [402, 408, 409, 422, 429])
def test_a_payment_under_way_is_no_refusal_whatever_the_status(status: int) -> None:
    assert payment_of(status, {"id": "pay-1", "result": {"code": "100.200.100"}}).result.must_inquire
    error = observe(status, {"id": "pay-1", "result": {"code": "000.000.000"}})
    assert isinstance(error, UnreadableResponse)
    assert (error.outcome, error.attempts) == (Outcome.UNKNOWN, 1)
    rejected(422, {"id": "pay-1", "result": {"code": "100.100.100"}})


def test_a_body_that_may_repeat_the_card_is_not_quoted() -> None:
    assert "no luck" not in str(observe(503, b"no luck"))
    assert "no luck" in str(observe(503, b"no luck", lambda client: client.payments.inquire("8ac7")))


@pytest.mark.parametrize(("code", "is_good"), [("100.200.100", True), ("800.100.153", False)])
def test_of_an_operation_without_a_row_too(code: str, is_good: bool) -> None:
    def send(client: Any) -> Any:
        return client.api.get_httpx_client().post("/v3/new")

    seen = observe(402, {"result": {"code": code}}, send)
    assert getattr(seen, "status_code", None) == 402 if is_good else isinstance(seen, StatusError)


@pytest.mark.parametrize("checkout_id", ["../../x", "x" * 300, '"><script>'])
def test_an_id_of_a_checkout_that_cannot_be_used_was_made_all_the_same(checkout_id: str) -> None:
    unreadable(200, {"id": checkout_id}, outcome=Outcome.ACCEPTED, call=prepare)


def test_words_without_a_code_are_no_evidence_that_it_was_done() -> None:
    error = observe(200, {"result": {"description": "invalid request"}})
    assert error.outcome is Outcome.UNKNOWN
    assert "invalid request" in str(error)


@pytest.mark.parametrize("code", ["200.300.404", "000.100.110"])
def test_a_code_that_is_not_in_the_table_rejects_nothing_without_a_row_either(code: str) -> None:
    """Its class is `UNKNOWN`: "inquire. Never charge again"."""
    seen = observe(400, {"result": {"code": code}}, lambda client: client.api.get_httpx_client().post("/v3/new"))
    assert getattr(seen, "outcome", None) is not Outcome.REJECTED


def test_no_inquiry_goes_over_a_connection_that_has_just_been_used() -> None:
    """A late second response to `POST /v3/payments` has the id of the payment, too."""
    assert not operations_of(found_by_reference=False)["GET /v3/payments/{}"].is_read_by_id
