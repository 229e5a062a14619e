"""A request for payment from its making to its end, over real sockets."""

import pytest

from tests.cases import cases_beside

pytestmark = pytest.mark.slow
CASES = cases_beside(__file__)
HERE = "243884643621"


@pytest.fixture
def with_twin(both):
    sandbox, caller = both
    sandbox.add_account("043987673645", name="SampleCo")
    sandbox.add_account(HERE, routing_number="011401533", name="Victor Doe")
    sandbox.add_counterparty("aHeq349838", account_number=HERE)
    return sandbox, caller


def test_a_counterparty_in_the_sandbox_gets_an_inbound_twin_that_declines_for_both(with_twin):
    _, caller = with_twin
    made = caller.created(amount="44.23")
    parent = made["victor_payment_request_id"]
    child = made["victor_payment_request_child_id"]
    (twin,) = caller.listed(direction="inbound")
    ids = twin["victor_payment_request_id"], twin["victor_payment_request_parent_id"]
    assert (*ids, twin["status"]) == (child, parent, "pending")
    found = caller.get(child).json()["payment_request"]
    assert found["payer"] == {
        "account_number": HERE,
        "routing_number": "011401533",
        "name": "Victor Doe",
    }
    assert found["payment_request_response"] == {}
    assert caller.respond(child, "Declined", "Not ours").json()["status"] == "Rejected"
    assert {item["status"] for item in caller.listed()} == {"declined"}


def test_accepting_the_twin_moves_both_to_completed(with_twin):
    sandbox, caller = with_twin
    made = caller.created(amount="44.23")
    child = made["victor_payment_request_child_id"]
    answer = caller.respond(child, notes="Paid in full")
    assert answer.json() == {
        "victor_payment_request_id": child,
        "status": "Accepted",
        "original_amount": "44.23",
        "notes": "Paid in full",
    }
    assert {item["status"] for item in caller.listed()} == {"accepted"}
    assert sandbox.advance(1) == 2
    assert {item["status"] for item in caller.listed()} == {"completed"}
    assert caller.get(child).json()["payment_request"]["payment_request_response"] == answer.json()
    outbound = caller.listed(direction="outbound")[0]["payment_request"]
    assert outbound["payment_details"]["approval_notes"] == "Paid in full"
    assert outbound["approved_at"] >= outbound["created_at"]


@pytest.mark.parametrize(("counterparty", "path"), CASES["lives"].items())
def test_the_counterparty_of_a_request_decides_its_statuses(sandbox, caller, counterparty, path):
    request_id = caller.created(payer_counterparty_id=counterparty)["victor_payment_request_id"]
    seen = [sandbox.request(request_id)["status"]]
    for _ in path[1:]:
        sandbox.advance(1)
        seen.append(sandbox.request(request_id)["status"])
    assert seen == path
    if path[-1] == "failed":
        found = caller.get(request_id).json()
        assert found["status"] == "Error"
        assert found["error_message"].startswith(
            "Routing Number 800000219 is available on the RTP network but"
        )


def test_a_request_that_nobody_answers_expires_after_its_due_date(with_twin):
    sandbox, caller = with_twin
    caller.created()
    sandbox.advance(1)
    sandbox.advance(11 * 3600)
    assert {request["status"] for request in sandbox.requests()} == {"pending"}
    sandbox.advance(36 * 3600)
    assert {request["status"] for request in sandbox.requests()} == {"expired"}
    assert sandbox.advance(30 * 86_400) == 0
