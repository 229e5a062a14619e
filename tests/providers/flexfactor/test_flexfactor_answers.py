"""What an answer means: in any spelling, about which order, and whether it is done, is not done, or
goes on.

Whatever JSON it holds, it is read or named, and nothing of ours stumbles over it.
"""

import json
import os

import httpx
import pytest
from flexfactor_api.members import MEMBERS
from flexfactor_api.typed import records
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cases import cases_beside
from tests.providers.flexfactor.adapter import EXCHANGES, ORDER, over, scripted
from tests.providers.running import Script
from victor_ext import BadRequest, Outcome, TimedOut, UnreadableResponse, VictorError
from victor_ext.providers.flexfactor import Decision, OrderStatus, trace_id

CASES = cases_beside(__file__)
OTHER = "99999999-3d1f-4f0a-9a43-0f9d2f1c8e77"
about_one_order = pytest.mark.parametrize(
    ("word", "name"),
    [("order", "id"), ("refund", "orderId"), ("capture", "orderId"), ("cancel", "orderId")],
)


def answered(word, body, status=200):
    """What a call comes to that is answered with this body."""
    return over(Script(httpx.Response(status, json=body)), word)


# Spelling


@pytest.mark.parametrize("spelled", [str, str.title, str.lower, str.upper])
def test_an_answer_is_read_in_any_letter_case(spelled):
    def said(**members):
        return {spelled(name): value for name, value in members.items()}

    body = said(success=True, status="Approved", orderId=ORDER, traceId="t", statusCode="200001")
    for word in ("evaluate", "capture", "refund"):
        data = answered(word, body).to_dict()
        assert (data["success"], data["status"]) == (True, "APPROVED")
    decision = answered("evaluate", body)
    assert (decision.approved, decision.order_id) == (True, ORDER)
    assert decision.response_info.request_id == "t"
    refused = answered("evaluate", said(success=False, status="DECLINED", errors=["a"]))
    assert [each.message for each in refused.problems] == ["a"]
    assert answered("refund", said(success=True, responseCode="100")).succeeded
    assert answered("transmit", said(success=True, transmitId="c-1")).id == "c-1"


BY_HAND = {
    *("success", "status", "problems", "approved", "needs_capture", "succeeded"),
    *("order_id", "amount", "idempotency_key"),
}


@pytest.mark.parametrize("name", ["Decision", "Answer", "RefundAnswer", "TransmitAnswer", "Order"])
def test_fields_that_say_that_money_has_moved_are_written_by_hand_and_not_generated(name):
    assert BY_HAND.isdisjoint(vars(getattr(records, name)))


@pytest.mark.parametrize(
    ("said", "status", "name"),
    [
        ({"status": 42}, 42, None),
        ({"status": 7}, OrderStatus.COMPLETED, None),
        ({"status": 2, "statusName": "Completed"}, OrderStatus.CANCELLED, "Completed"),
        ({"statusName": "Chargeback"}, None, "Chargeback"),
        ({"status": True}, None, None),
        ({"status": 3, "errors": ["the card was refused"]}, OrderStatus.PROBLEM, None),
    ],
)
def test_the_state_of_an_order_is_its_number_and_its_name_is_as_it_came(said, status, name):
    order = answered("order", {"id": ORDER, **said})
    assert (order.status, order.status_name) == (status, name)


# About which order


@about_one_order
@pytest.mark.parametrize(
    ("named", "words"),
    [
        (OTHER, "about another order: its id is not that of the request"),
        (7, "about another order"),
        ({"id": ORDER}, "its id cannot be read"),
    ],
)
@pytest.mark.parametrize(
    "success", [{}, {"success": True}, {"success": False, "errors": ["too much"]}]
)
def test_an_answer_about_another_order_settles_nothing(word, name, named, words, success):
    with pytest.raises(UnreadableResponse, match=words) as raised:
        answered(word, {name: named, "status": "COMPLETED", **success})
    assert raised.value.outcome is Outcome.UNKNOWN


def test_a_wait_does_not_end_on_another_order():
    client, _script = scripted(httpx.Response(200, json={"id": OTHER, "status": 7}))
    with pytest.raises(TimedOut, match="could not be read"):
        client.orders.wait(ORDER, timeout=0)


@about_one_order
@pytest.mark.parametrize("named", [ORDER.upper(), f" {ORDER} ", "", None])
def test_the_same_order_in_other_words_is_no_other_order(word, name, named):
    status = "CANCELLED" if word == "cancel" else "COMPLETED"
    body = {name: named, "status": status, "success": True}
    if word == "order" and named is None:
        with pytest.raises(UnreadableResponse, match="not an order"):
            answered(word, body)
    else:
        assert answered(word, body) is not None


# Done, not done, or not yet


NO, RESULT = "reports a rejection", ""


@pytest.mark.parametrize("word", [word for word, each in EXCHANGES.items() if each.writes])
@pytest.mark.parametrize(
    ("body", "meaning", "others"),
    [
        (body, group["means"], group.get("but", {}))
        for group in CASES["meanings"]
        for body in group["bodies"]
    ],
    ids=str,
)
def test_a_200_is_a_result_only_with_what_its_operation_needs(word, body, meaning, others):
    meaning = others.get(word, meaning)
    script = Script(httpx.Response(200, json=body))
    if meaning == RESULT:
        result, status = over(script, word), body.get("status", "")
        if word == "evaluate":
            assert result.approved is (status == "APPROVED")
            assert result.needs_capture is (status == "CAPTUREREQUIRED")
        elif word in ("refund", "capture"):
            assert result.succeeded
        return
    expected = BadRequest if meaning == NO else UnreadableResponse
    with pytest.raises(expected, match=meaning) as raised:
        over(script, word)
    assert raised.value.outcome is (Outcome.REJECTED if meaning == NO else Outcome.UNKNOWN)
    assert raised.value.problems or meaning != NO
    sent = [request.method for request in script.requests]
    may_be_repeated = meaning != NO and EXCHANGES[word].keyed
    assert sent.count("POST") == (3 if may_be_repeated else 1)


@pytest.mark.parametrize(
    "code", [{"statusCode": 500001}, {"statusCode": "ServiceUnavailable"}, {"status": 503}]
)
def test_a_400_with_the_code_of_an_error_that_leaves_a_doubt_refuses_nothing(code):
    for word in ("evaluate", "refund"):
        with pytest.raises(BadRequest) as raised:
            answered(word, {"success": False, **code}, 400)
        assert raised.value.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("status", "success", "approved"),
    [
        (" Approved ", None, True),
        ("APPROVED", True, True),
        ("APPROVED", False, False),
        ("DECLINED", True, False),
        ("CHALLENGE", True, False),
        ("APPROVED_PENDING", True, False),
        (None, True, False),
    ],
)
def test_a_decision_is_approved_only_if_its_status_says_so_and_success_is_not_false(
    status, success, approved
):
    decision = Decision({"status": status, "success": success}, idempotency_key="key")
    assert decision.approved is approved


# Whatever it holds


NAMES = st.sampled_from(sorted({name for members in MEMBERS.values() for name in members}))
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
WORDS = st.sampled_from(["APPROVED", " approved ", "FAILED", "CHALLENGE", "0", "400012"])
JSON = st.recursive(
    LEAVES | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
)
NOT_READ = [b"[" * 100_000, b'{"traceId":' * 100_000, b"\xff", b"null", b"7" * 5000]


@settings(
    max_examples=500 if "VICTOR_SEARCH" in os.environ else 50,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    JSON.map(lambda body: json.dumps(body).encode()) | st.sampled_from(NOT_READ),
    st.sampled_from([200, 202, 400, 409, 500]),
    st.sampled_from([*EXCHANGES]),
)
def test_a_call_ends_in_a_record_or_in_an_error_of_ours(body, status, word):
    try:
        result = over(Script(httpx.Response(status, content=body)), word)
    except VictorError as error:
        observed = f"{error} {trace_id(error)}"
    else:
        observed = repr([(name, getattr(result, name)) for name in dir(result)])
        assert status < 400
        assert word != "refund" or result.succeeded or result.status
    assert observed


@pytest.mark.parametrize(("body", "problems"), CASES["errors"].values(), ids=CASES["errors"].keys())
def test_every_shape_of_errors_is_read(body, problems):
    with pytest.raises(VictorError) as raised:
        answered("refund", body, 400)
    found = [[each.field, each.code, each.message] for each in raised.value.problems]
    assert found == problems
