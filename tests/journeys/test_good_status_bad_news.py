"""A good status is not yet good news: what the body says, or fails to say, decides what the caller is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from victor_ext import (
    AsyncVictor,
    Conflict,
    Outcome,
    PaymentRequest,
    RetryPolicy,
    UnreadableResponse,
    Victor,
    VictorOAuth,
)
from victor_ext.sandbox import Sandbox

TOKEN = {"access_token": "t", "token_type": "Bearer", "expires": 4_102_444_800_000}
REFUSAL = {"status": 0, "data": None, "error": {"code": 101, "message": "error.amount.invalid", "field": "amount"}}
SPRING = {"name": "r", "allErrors": [{"objectName": "r", "code": "Size", "defaultMessage": "too long"}]}
Answer = Callable[[httpx.Request], dict[str, Any]]


def create(victor: Any) -> Any:
    return victor.payment_requests.create(
        payee_account_number="043987673645",
        payer_counterparty_id="aHeq349838",
        amount="44.23",
        biller_type="BUSINESS",
        due_date=datetime.now(UTC).date(),
    )


def accept(victor: Any, **options: Any) -> Any:
    return victor.payment_requests.accept("b34783af0", **({"notes": "Thank you."} | options))


class Provider:
    """Answers everything with status 200, and remembers what it was asked."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json=TOKEN)
        self.asked.append(request)
        return httpx.Response(200, json=self.answer(request))

    def call(self, face: type, call: Callable[[Any], Any]) -> PaymentRequest:
        options: dict[str, Any] = {
            "transport": httpx.MockTransport(self),
            "retry": RetryPolicy(base=0.0, max_attempts=2),
        }
        auth = VictorOAuth("id", "not-a-secret")
        if face is Victor:
            with Victor(auth, **options) as victor:
                found: PaymentRequest = call(victor)
                return found

        async def main() -> PaymentRequest:
            async with AsyncVictor(auth, **options) as victor:
                answered: PaymentRequest = await call(victor)
                return answered

        return asyncio.run(main())


both_faces = pytest.mark.parametrize("face", [Victor, AsyncVictor])


@both_faces
@pytest.mark.parametrize("body", [REFUSAL, SPRING], ids=["one shape", "the other"])
@pytest.mark.parametrize(
    "call",
    [create, accept, lambda victor: victor.payment_requests.get("b34783af0")],
    ids=["create", "accept", "get"],
)
def test_an_error_under_a_good_status_is_neither_success_nor_refusal(face: type, call: Any, body: Any) -> None:
    with pytest.raises(UnreadableResponse, match="reports an error") as raised:
        Provider(lambda _request: body).call(face, call)
    assert raised.value.outcome is Outcome.UNKNOWN
    assert raised.value.problems
    assert raised.value.body is not None
    assert json.loads(raised.value.body) == body


def test_an_error_under_a_good_status_does_not_end_a_list() -> None:
    with (
        Victor(VictorOAuth("id", "not-a-secret"), transport=httpx.MockTransport(Provider(lambda _: REFUSAL))) as victor,
        pytest.raises(UnreadableResponse, match="reports an error"),
    ):
        victor.with_options(retry=RetryPolicy(max_attempts=1)).payment_requests.find(
            "INV-1042", start_datetime=datetime.now(UTC)
        )


@both_faces
@pytest.mark.parametrize("body", [{}, {"results": None}, {"victor_payment_request_id": None}, {"ok": True}])
@pytest.mark.parametrize(
    "call",
    [
        lambda victor: victor.payment_requests.get("b34783af0"),
        lambda victor: victor.payment_requests.find("INV-1042", start_datetime=datetime.now(UTC)),
    ],
    ids=["get", "find"],
)
def test_a_read_that_says_nothing_is_read_again(face: type, call: Any, body: Any) -> None:
    answers = iter([body, {"victor_payment_request_id": "b34783af0", "page": 0, "results": []}])
    provider = Provider(lambda _request: next(answers))
    provider.call(face, call)
    assert len(provider.asked) == 2

    with pytest.raises(UnreadableResponse, match="says nothing"):
        Provider(lambda _request: body).call(face, call)


@both_faces
@pytest.mark.parametrize("body", [{}, {"victor_payment_request_id": None}, {"victor_payment_request_id": ""}])
def test_a_create_whose_answer_names_no_request_is_asked_again_with_its_key(face: type, body: Any) -> None:
    answers = iter([body, {"victor_payment_request_id": "a7ffd43c37c1", "status": "created"}])
    provider = Provider(lambda _request: next(answers))
    assert provider.call(face, create).id == "a7ffd43c37c1"
    assert len({request.headers["idempotency-key"] for request in provider.asked}) == 1

    with pytest.raises(UnreadableResponse, match="has no victor_payment_request_id") as raised:
        Provider(lambda _request: body).call(face, create)
    assert raised.value.outcome is Outcome.ACCEPTED


def reading(**response: Any) -> dict[str, Any]:
    """A request as `get` answers it, with the answer that it was given."""
    details = {"amount": "10.00", "original_amount": "10.00"}
    return {
        "victor_payment_request_id": "b34783af0",
        "status": "accepted" if response.get("status") == "Accepted" else "Pending",
        "payment_request": {"payment_details": details, "payment_request_response": response},
    }


@both_faces
def test_an_answer_that_says_nothing_is_settled_by_looking(face: type) -> None:
    def seen(request: httpx.Request) -> dict[str, Any]:
        return {} if request.method == "POST" else reading(status="Accepted", notes="Thank you.")

    provider = Provider(seen)
    assert provider.call(face, accept).status == "accepted"
    assert [request.method for request in provider.asked] == ["POST", "GET"]


@both_faces
def test_an_answer_that_says_nothing_and_cannot_be_seen_is_unknown(face: type) -> None:
    provider = Provider(lambda request: {} if request.method == "POST" else reading())
    with pytest.raises(UnreadableResponse, match="no key makes a repeat safe") as raised:
        provider.call(face, accept)
    assert raised.value.outcome is Outcome.UNKNOWN
    assert any("shows no answer" in note for note in raised.value.__notes__)
    assert [request.method for request in provider.asked] == ["POST", "GET"]


@both_faces
@pytest.mark.parametrize(
    ("options", "answer", "differs"),
    [
        ({}, {"status": "Rejected", "notes": "Thank you."}, "is declined with another answer"),
        (
            {},
            {"status": "Accepted", "notes": "Thank you.", "original_amount": "10.00", "modified_amount": "1.00"},
            "is accepted with another amount",
        ),
        (
            {"modified_amount": Decimal("5.00")},
            {"status": "Accepted", "notes": "Thank you.", "original_amount": "10.00"},
            "is accepted with another amount",
        ),
        (
            {"modified_amount": Decimal("5.00")},
            {"status": "Accepted", "notes": "Thank you.", "original_amount": "10.00", "modified_amount": "1.00"},
            "is accepted with another amount",
        ),
    ],
)
def test_an_answer_to_accept_that_says_something_else_is_no_success(
    face: type, options: Any, answer: Any, differs: str
) -> None:
    with pytest.raises(Conflict, match=differs) as raised:
        Provider(lambda _request: {"victor_payment_request_id": "b34783af0", **answer}).call(
            face, lambda victor: accept(victor, **options)
        )
    assert raised.value.outcome is Outcome.UNKNOWN


LOST = "the answer to the answer was lost, and the request is read back"


@both_faces
@pytest.mark.parametrize(
    ("options", "given", "told"),
    [
        ({}, {"notes": "Thank you."}, None),
        ({"notes": " Thank  you.\n"}, {"notes": "Thank you."}, None),
        ({}, {"notes": "Thank you.", "original_amount": "10.00", "modified_amount": "10.00"}, None),
        ({"modified_amount": "5.00"}, {"notes": "Thank you.", "modified_amount": "5.00"}, None),
        ({}, {"notes": "Thanks"}, "with other notes than"),
        ({}, {"notes": "Thank you.", "original_amount": "10.00", "modified_amount": "1.00"}, "another amount"),
        ({}, {"notes": "Thank you.", "original_amount": "10.00", "modified_amount": "1.0000"}, "another amount"),
        ({"modified_amount": "5.00"}, {"notes": "Thank you.", "modified_amount": "5.0000"}, None),
        ({"modified_amount": "5.00"}, {"notes": "Thank you.", "modified_amount": "1.00"}, "another amount"),
        ({"modified_amount": "5.00"}, {"notes": "Thank you.", "modified_amount": "1.0000"}, "another amount"),
        ({"modified_amount": "5.00"}, {"notes": "Thank you.", "original_amount": "10.00"}, "another amount"),
        ({"modified_amount": "5.00"}, {"notes": "Thank you."}, "another amount"),
        ({"modified_amount": "10.00"}, {"notes": "Thank you.", "original_amount": "10.00"}, None),
    ],
)
def test_the_same_answer_in_other_words_may_be_ours(face: type, options: Any, given: Any, told: str | None) -> None:
    def lossy(request: httpx.Request) -> dict[str, Any]:
        if request.method == "POST":
            raise httpx.ReadTimeout(LOST)
        return reading(status="Accepted", **given)

    provider = Provider(lossy)
    if told is None:
        assert provider.call(face, lambda victor: accept(victor, **options)).status == "accepted"
        return
    with pytest.raises(Conflict, match=told) as raised:
        provider.call(face, lambda victor: accept(victor, **options))
    assert raised.value.outcome is Outcome.UNKNOWN


def test_somebody_elses_answer_with_our_words_is_not_taken_for_ours(victor_sandbox: Sandbox, victor: Victor) -> None:
    first: dict[str, Any] = {"modified_amount": "1.00"}
    for theirs, ours in ((first, {}), ({}, first)):
        inbound = victor_sandbox.create_inbound("10.00", amount_modification_allowed=True)
        victor.payment_requests.accept(inbound, notes="Thank you.", **theirs)
        victor_sandbox.inject("status", status=503, operation="respond", work=False)

        with pytest.raises(Conflict, match="another amount") as raised:
            victor.payment_requests.accept(inbound, notes="Thank you.", **ours)

        assert raised.value.outcome is Outcome.UNKNOWN


@pytest.mark.victor_sandbox(key_conflict="replay")
@pytest.mark.parametrize(
    ("other", "named"), [({"amount": "44.24"}, "the amount 44.23"), ({"client_reference_id": "INV-2"}, "'INV-1'")]
)
def test_a_replay_of_another_payment_is_no_success(
    victor_sandbox: Sandbox, victor: Victor, other: Any, named: str
) -> None:
    payment = {
        "payee_account_number": "043987673645",
        "payer_counterparty_id": "aHeq349838",
        "amount": "44.23",
        "biller_type": "BUSINESS",
        "due_date": datetime.now(UTC).date(),
        "client_reference_id": "INV-1",
        "idempotency_key": "one-key-for-two-payments",
    }
    first = victor.payment_requests.create(**payment)
    assert victor.payment_requests.create(**{**payment, "amount": Decimal("44.23")}) == first

    with pytest.raises(Conflict, match="used for another payment") as raised:
        victor.payment_requests.create(**{**payment, **other})

    assert named in str(raised.value)
    assert raised.value.outcome is Outcome.UNKNOWN
    assert raised.value.idempotency_key == payment["idempotency_key"]
