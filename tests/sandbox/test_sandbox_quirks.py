"""What the provider's examples and guides show, and its document does not allow."""

from __future__ import annotations

import time

import pytest

from tests.sandbox.sandbox_callers import KEY


@pytest.fixture
def odd(start):
    sandbox, caller = start(quirks=True)
    sandbox.add_account("243884643621")
    sandbox.add_counterparty("aHeq349838", account_number="243884643621")
    return sandbox, caller


def test_a_created_request_is_upper_case_and_full_of_nulls(odd):
    _, caller = odd
    made = caller.create(KEY).json()
    assert (made["direction"], made["status"]) == ("OUTBOUND", "created")
    assert made["error_message"] is None
    assert made["client_reference_id"] is None
    assert made["payment_request"]["approved_at"] is None
    assert made["payment_request"]["payee"]["ultimate_creditor"] is None
    created_at = made["payment_request"]["created_at"]
    assert isinstance(created_at, int)
    assert abs(created_at / 1000 - time.time()) < 60
    assert caller.create(KEY).json() == made


def test_the_status_of_one_request_is_either_pending_or_error(odd):
    """As the document describes it; the list has the life of a request."""
    sandbox, caller = odd
    made = caller.created()
    parent, child = made["victor_payment_request_id"], made["victor_payment_request_child_id"]
    sandbox.advance(1)
    assert caller.get(parent).json()["status"] == "Pending"
    assert {item["status"] for item in caller.listed()} == {"pending"}
    assert caller.get(parent).json()["payment_request"]["payment_request_response"] is None
    assert caller.get(child).json()["payment_request"]["payment_request_response"] == {}
    sandbox.move(parent, "failed", "No.")
    assert caller.get(parent).json()["status"] == "Error"
    for status in ("created", "needs-review", "accepted", "completed", "declined"):
        sandbox.move(parent, status)
        assert caller.get(parent).json()["status"] == "Pending"
        assert caller.list(victor_id=parent).json()["results"][0]["status"] == status


def test_pages_claim_a_size_of_25(odd):
    _, caller = odd
    caller.created()
    assert caller.list(page_size=1).json()["page_size"] == 25


def test_errors_carry_a_null_and_springs_other_fields(odd):
    _, caller = odd
    assert caller.create(amount="0").json()["data"] is None
    error = caller.list(page=-1).json()["allErrors"][0]
    assert (error["field"], error["bindingFailure"]) == ("page", False)


def test_an_answer_says_null_for_what_was_not_changed(odd):
    _, caller = odd
    child = caller.created()["victor_payment_request_child_id"]
    assert caller.respond(child).json()["modified_amount"] is None


def test_without_quirks_times_are_seconds(caller):
    created_at = caller.created()["payment_request"]["created_at"]
    assert abs(created_at - time.time()) < 60
