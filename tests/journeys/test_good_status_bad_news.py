"""A good status is not yet good news: what the body says, or fails to say, decides what the caller
gets. One logic decides for both modes: `providers/test_every_system.py` runs it in both.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx
import pytest

from tests.cases import cases_beside
from tests.payments import payment
from tests.providers.running import Script
from tests.providers.victor.adapter import over
from victor_ext import (
    Conflict,
    InvalidRequest,
    Outcome,
    PaymentRequest,
    RetryPolicy,
    UnreadableResponse,
    VictorError,
)

CASES = cases_beside(__file__)
REFUSAL = {
    "status": 0,
    "data": None,
    "error": {"code": 101, "message": "error.amount.invalid", "field": "amount"},
}
SPRING = {
    "name": "r",
    "allErrors": [{"objectName": "r", "code": "Size", "defaultMessage": "too long"}],
}
ID = "victor_payment_request_id"


def create(victor):
    return victor.payment_requests.create(**SENT)


def accept(victor, **options):
    return victor.payment_requests.accept(**({"id": "b34783af0", "notes": "Thank you."} | options))


def get_one(victor):
    return victor.payment_requests.get("b34783af0")


def find_one(victor):
    return victor.payment_requests.find("INV-1042", start_datetime=datetime.now(UTC))


class Provider(Script):
    """Answers everything with status 200: with `said`, or what that makes of a request; and a read
    with `seen`.
    """

    def __init__(self, said, seen=None):
        def answer(request):
            given = seen if seen is not None and request.method == "GET" else said
            made = given(request) if callable(given) else given
            return made if isinstance(made, httpx.Response) else httpx.Response(200, json=made)

        super().__init__(answer)

    @property
    def methods(self):
        return [request.method for request in self.requests]

    def call(self, call, **options):
        retry = RetryPolicy(base=0.0, max_attempts=2)
        return over("blocking", self, call, retry=retry, **options)

    def error(self, call, match=".", kind=VictorError, outcome=Outcome.UNKNOWN, **options):
        """What a call raises, with this outcome."""
        with pytest.raises(kind, match=match) as raised:
            self.call(call, **options)
        assert raised.value.outcome is outcome
        return raised.value


@pytest.mark.parametrize("body", [REFUSAL, SPRING], ids=["one shape", "the other"])
@pytest.mark.parametrize("call", [create, accept, get_one, find_one])
def test_an_error_under_a_good_status_is_neither_success_nor_refusal(call, body):
    error = Provider(body).error(call, "reports an error", UnreadableResponse)
    assert error.problems
    assert json.loads(error.body) == body


@pytest.mark.parametrize(("body", "outcome"), CASES["no id"])
def test_a_create_whose_answer_has_no_id_is_sent_again_with_its_key(body, outcome):
    answers = iter([body, {ID: "a7ffd43c37c1", "status": "created"}])
    provider = Provider(lambda _request: next(answers))
    assert provider.call(create).id == "a7ffd43c37c1"
    assert len({request.headers["idempotency-key"] for request in provider.requests}) == 1

    Provider(body).error(
        create,
        "has no victor_payment_request_id",
        UnreadableResponse,
        Outcome(outcome),
    )


def reading(**response):
    """A request as `get` answers it, with the answer that it was given."""
    details = {"amount": "10.00", "original_amount": "10.00"}
    return {
        ID: "b34783af0",
        "status": "accepted" if response.get("status") == "Accepted" else "Pending",
        "payment_request": {"payment_details": details, "payment_request_response": response},
    }


@pytest.mark.parametrize(
    ("said", "words", "options"),
    [
        *(
            ({}, "no key makes a repeat safe", {"deadline": deadline})
            for deadline in (None, 60.0, 0.99)
        ),
        ({ID: "b34783af0", "status": "Rejected"}, "is declined with another response", {}),
        *(
            ({ID: "b34783af0", "status": word}, re.escape(repr(word)), {})
            for word in ("Failed", "Error", "expired", "no", "Pending", "Completed", "Accepted?")
        ),
    ],
)
def test_an_accept_whose_answer_is_no_acceptance_is_settled_by_reading_the_request(
    said, words, options
):
    provider = Provider(said, reading(status="Accepted", notes="Thank you."))
    assert provider.call(accept, **options).status == "accepted"
    assert provider.methods == ["POST", "GET"]

    provider = Provider(said, reading())
    error = provider.error(accept, words, **options)
    assert isinstance(error, UnreadableResponse) is (said == {})
    assert any("has no response yet" in note for note in error.__notes__)
    assert provider.methods == ["POST", "GET"]


def test_an_accept_answered_with_rejected_is_a_conflict_if_the_request_is_declined():
    """The provider took the call, and answered no: that the request is declined then may be this
    call's doing.
    """
    seen = {**reading(status="Rejected", notes="No."), "status": "declined"}
    Provider({ID: "b34783af0", "status": "Rejected"}, seen).error(accept, kind=Conflict)


def known(amount="100.00", *, allowed="true"):
    """A request as it was read before it was answered."""
    details = {"amount": amount, "amount_modification_allowed": allowed}
    seen = {ID: "b34783af0", "direction": "inbound", "status": "pending"}
    inside = {"payment_details": details}
    return PaymentRequest.of_json({**seen, "payment_request": inside}, "GetPaymentRequestResponse")


@pytest.mark.parametrize("allowed", [None, False, "FALSE", 0, "1", 1, 1.0])
def test_another_amount_for_a_record_that_does_not_allow_changes_is_not_sent(allowed):
    """Without the flag it is false: the document's default."""
    record = known(allowed=allowed)
    provider = Provider({ID: "b34783af0", **ACCEPTED, "original_amount": "100.00"})
    with pytest.raises(InvalidRequest, match=r"allows no amount but 100\.00"):
        provider.call(partial(accept, id=record, modified_amount="50.00"))
    assert provider.requests == []
    for same in ({}, {"modified_amount": "100.00"}):
        provider.call(partial(accept, id=record, **same))
    with pytest.raises(Conflict):  # of an id alone it is not known: it is sent
        provider.call(partial(accept, modified_amount="50.00"))


ACCEPTED = {"status": "Accepted"}
ANOTHER = "with another amount"
THANKS = {**ACCEPTED, "notes": "Thank you."}
MENTIONED = "b34783af0"
ANSWERED = {
    "id": MENTIONED,
    "known": known(),
    "known without an amount": known(None),
}


@pytest.mark.parametrize(("of", "options", "details", "response", "expected"), CASES["read back"])
def test_a_request_read_back_after_a_lost_answer_is_compared_with_the_accept_sent(
    of, options, details, response, expected
):
    def lossy(request):
        if request.method == "POST":
            raise httpx.ReadTimeout(
                "the answer to the answer was lost, and the request is read back"
            )
        given = {} if response is None else {"payment_request_response": response}
        inside = {"payment_details": details, **given}
        return {ID: MENTIONED, "status": "accepted", "payment_request": inside}

    def call(victor):
        return victor.payment_requests.accept(ANSWERED[of], **{"notes": "Thank you.", **options})

    if expected is None:
        assert Provider(lossy).call(call).status == "accepted"
    else:
        Provider(lossy).error(call, expected, Conflict)


@pytest.mark.parametrize(("of", "options", "answer", "amount"), CASES["answers"])
def test_the_amounts_in_the_answer_to_an_accept_are_compared_with_those_sent(
    of, options, answer, amount
):
    provider = Provider({ID: MENTIONED, **THANKS, **answer})
    call = partial(accept, id=ANSWERED[of], **options)
    if amount is None:
        provider.error(call, f"is accepted {ANOTHER}", Conflict)
    else:
        assert provider.call(call).amount == amount


KEY = "one-key-for-one-payment"
MINE = {
    ID: "a7ffd43c37c1",
    "status": "created",
    "client_reference_id": "INV-1",
    "payment_request": {
        "payee": {"account_number": "043987673645"},
        "payer": {"victor_counterparty_id": "aHeq349838"},
        "payment_details": {"amount": "44.23"},
    },
}
SENT = payment()
WHOLE = {
    **SENT,
    "ultimate_creditor": "SampleCo Inc.",
    "notes": "Invoice 7731",
    "client_reference_id": "INV-1",
}
NEXT_DAY = SENT["due_date"] + timedelta(days=1)


def create_with_key(victor, reference="INV-1", key=KEY, **options):
    arguments = {**SENT, "client_reference_id": reference, "idempotency_key": key, **options}
    return victor.payment_requests.create(**arguments)


def described(**parts):
    """The answer to a create, with other parts; None leaves one out."""
    beside = {name: parts.pop(name) for name in ("direction", "status") if name in parts}
    reference = parts.pop("reference", MINE["client_reference_id"])
    inside = {**MINE["payment_request"], **parts}
    expected = {name: value for name, value in inside.items() if value is not None}
    return {**MINE, **beside, "client_reference_id": reference, "payment_request": expected}


@pytest.mark.parametrize(
    ("other", "named"),
    [
        *CASES["another payment"],
        ({"payment_details": {"due_date": f"{NEXT_DAY}"}}, f"the due_date '{NEXT_DAY}'"),
    ],
)
@pytest.mark.parametrize("own_key", [True, False], ids=["a key of the caller's", "a key made here"])
def test_an_answer_about_another_payment_is_a_conflict(own_key, other, named):
    call = partial(create_with_key, **WHOLE, key=KEY if own_key else None)
    error = Provider(described(**other)).error(call, re.escape(named), Conflict)
    assert error.idempotency_key is not None
    if own_key:
        words = (
            r"used for another payment.* same key and the same values, or look with get\(\) "
            r"and .*\.find\("
        )
        assert re.search(words, str(error))
        assert str(error).endswith(
            "Take another key only when it is certain that this payment does not exist."
        )


LEFT_OUT = {
    "ultimate_creditor": {"payee": {"ultimate_creditor": "SampleCo Inc."}},
    "notes": {"payment_details": {"notes": "Invoice 7731"}},
    "client_reference_id": {"reference": "INV-1"},
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_member_that_was_not_sent_and_is_in_the_answer_shows_another_payment(name):
    sent = {**SENT, "client_reference_id": None}
    answer = described(**{"reference": None, **LEFT_OUT[name]})
    Provider(answer).error(partial(create_with_key, reference=None), f"has the {name} ", Conflict)
    assert not PaymentRequest.of_json(answer).could_be(sent, since=datetime.now(UTC))


@pytest.mark.parametrize("same", CASES["same"])
@pytest.mark.parametrize("allowed", [None, False])
def test_the_same_payment_in_other_words_is_the_same(same, allowed):
    provider = Provider(described(**same))
    call = partial(create_with_key, **WHOLE, amount_modification_allowed=allowed)
    assert provider.call(call).id == "a7ffd43c37c1"
    assert len(provider.requests) == 1


@pytest.mark.parametrize("own_key", [True, False], ids=["a key of the caller's", "a key made here"])
@pytest.mark.parametrize("odd", CASES["odd"])
def test_a_member_that_cannot_be_read_confirms_no_payment(own_key, odd):
    call = partial(create_with_key, **WHOLE, key=KEY if own_key else None)
    name, value = next(iter(odd.items()))
    part = name.partition("payment_request.")[2]
    answer = described(**({part: value} if part else {"payment_details": odd}))
    if name == "payment_request":
        answer |= odd
    seen = PaymentRequest.of_json(answer)
    assert seen.has_reference("INV-1")
    assert not seen.could_be(WHOLE, since=datetime.now(UTC))
    outcome = Outcome.UNKNOWN if own_key else Outcome.ACCEPTED
    words = f"whose {name} cannot be read, and the record that was"
    Provider(answer).error(call, words, UnreadableResponse, outcome)
    provider = Provider(answer, MINE)
    assert provider.call(call).id == "a7ffd43c37c1"
    assert provider.methods == ["POST", "GET"]


@pytest.mark.parametrize(
    ("other", "is_it"),
    [
        *CASES["looked up"],
        ({"payment_details": {"amount": "44.23", "due_date": f"{NEXT_DAY}"}}, False),
    ],
)
def test_a_record_found_by_a_look_up_is_compared_in_the_same_way_as_an_answer(other, is_it):
    found = PaymentRequest.of_json(described(**other))
    for record in (found, PaymentRequest(found.raw)):
        assert record.could_be(WHOLE, since=datetime.now(UTC)) is is_it


BARE = {ID: "a7ffd43c37c1", "status": "created"}


@pytest.mark.parametrize(
    ("key", "answer"),
    [(None, BARE), (KEY, BARE), (None, described(payee=None, reference=None))],
    ids=[
        "a key made here",
        "a key of the caller's",
        "under a key made here there is no other payment",
    ],
)
def test_a_receipt_with_an_id_alone_confirms_a_create(key, answer):
    provider = Provider(answer)
    assert provider.call(partial(create_with_key, key=key)).id == "a7ffd43c37c1"
    assert len(provider.requests) == 1
