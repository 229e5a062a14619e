"""The engine of all sandboxes: what a table of operations does. A mistake in it is said when its
class is made, or its sandbox starts; one in its responses, by a 500.
"""

from pathlib import Path

import httpx
import pytest

from tests.cases import cases_beside
from victor_ext.sandbox.engine import Listing, Refused, Result, Row, TableProvider
from victor_ext.sandbox.server import HeaderKey, ServerInThread

DOCUMENT = Path(__file__).with_name("charges.yaml")
NAME = {"name": "a"}
UNDER_KEY = {"Idempotency-Key": "k"}
CHARGE = Row("charge", "POST /charges", lambda state, _: Result(body=state["made"]), 201)


def provider(*rows, **members):
    """A class of a provider with these rows."""
    own = {
        "name": "small",
        "title": "Small",
        "rows": rows,
        "new_state": lambda _: {"made": {"id": "1"}, "found": {"id": "1"}},
        "authenticate": lambda *_: "ann",
    }
    return type("SmallProvider", (TableProvider,), {**own, **members})


def sandbox(*rows, **members):
    made = provider(*rows, **members)
    return type("SmallSandbox", (ServerInThread,), {"provider_type": made})()


def _made(state, asked):
    if "refused" in asked.body:
        raise Refused(422, "It is refused.", "refused", code="no")
    if "too_large" in asked.body:
        return Result(body={"success": False}, status=200)
    state.append({"id": str(len(state)), **asked.body})
    return Result(body=state[-1], made=state[-1]["id"], work=[asked.body["name"]])


ODD = (
    Row("make", "POST /things", _made, 201, is_keyed=True),
    Row("list", "GET /things", lambda state, _: [*state], listing=Listing(largest=2)),
)


def _owner(_provider, call):
    if not call.bearer_token:
        raise Refused(401, "There is no token.", code="who")
    return call.bearer_token


@pytest.fixture
def odd():
    own = {"new_state": lambda _: [], "authenticate": _owner}
    with sandbox(*ODD, key=HeaderKey("Idempotency-Key"), **own) as odd:
        caller = httpx.Client(base_url=odd.url, headers={"Authorization": "Bearer ann"})
        with caller:
            yield odd, caller


# What a table does


def test_a_key_repeats_its_response_for_one_caller_and_one_request(odd):
    sandbox, ann = odd
    first, again = (ann.post("/things", json=NAME, headers=UNDER_KEY) for _ in range(2))
    other = ann.post("/things", json={"name": "b"}, headers=UNDER_KEY)
    ann.post("/things", json=NAME, headers={**UNDER_KEY, "Authorization": "Bearer bob"})
    assert (first.status_code, again.json()) == (201, first.json())
    assert other.status_code == 409
    assert sandbox.work_done_by_reference() == {"a": 2}
    seen = sandbox.received()[:3]
    assert [one.replayed for one in seen] == [False, True, False]
    named = [(one.reference, one.request_id) for one in seen]
    assert named == [("a", "0"), ("a", "0"), (None, None)]


@pytest.mark.parametrize(("body", "status"), [({"refused": 1}, 422), ({"too_large": 1}, 200)])
def test_neither_a_refusal_nor_a_success_without_work_binds_a_key(odd, body, status):
    sandbox, ann = odd
    for _ in range(2):
        assert ann.post("/things", json=body, headers=UNDER_KEY).status_code == status
    assert [one.replayed for one in sandbox.received()] == [False, False]
    assert ann.post("/things", json=NAME, headers=UNDER_KEY).status_code == 201


# What the server does for each table

"""The kinds of faults that do the work; a stall does it or not, as it is told."""


def charged(body, **members):
    """The response to a charge, of a provider with the document."""
    with sandbox(CHARGE, document=str(DOCUMENT), **members) as small:
        return httpx.post(f"{small.url}/charges", json=body)


@pytest.mark.parametrize(
    ("wrong", "place"), [({"id": 5}, "id"), *((each, "the body") for each in (5, [], "text"))]
)
def test_a_response_that_breaks_the_document_is_a_500_that_names_where(wrong, place, caplog):
    made = charged({"cents": 1}, new_state=lambda _: {"made": wrong})
    assert (made.status_code, made.json()["error"]["code"]) == (500, "nonconforming_answer")
    assert f"breaks the document at: {place}: it is not of type" in made.text
    assert f"a response to 'charge' breaks the document at: {place}" in caplog.text


@pytest.mark.parametrize(
    ("body", "said"), cases_beside(__file__)["bodies that the document refuses"]
)
def test_a_refusal_says_what_the_document_wants(body, said):
    response = charged(body)
    assert response.status_code == 400
    assert response.json()["error"]["message"] == said
