"""What the provider's examples and guides show, and its document does not allow."""

from __future__ import annotations

import time

import pytest

from tests.sandbox.sandbox_callers import KEY
from victor_ext.sandbox.victor.model import STATUSES


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


@pytest.mark.parametrize("options", [{}, {"quirks": True}, {"get_status": "listed"}])
def test_the_status_of_one_request_is_either_pending_or_error(start, options):
    """The document's `status` of `get`: "Either “Pending” or “Error”". The list has the life of a request."""
    sandbox, caller = start(**options)
    request_id = caller.created()["victor_payment_request_id"]
    for status in STATUSES:
        sandbox.move(request_id, status, "No.")
        assert caller.list(victor_id=request_id).json()["results"][0]["status"] == status
        documented = "Error" if status == "failed" else "Pending"
        assert caller.get(request_id).json()["status"] == (status if "get_status" in options else documented)


def test_there_is_no_response_of_an_outbound_request(odd):
    _, caller = odd
    made = caller.created()
    outbound, inbound = made["victor_payment_request_id"], made["victor_payment_request_child_id"]
    assert caller.get(outbound).json()["payment_request"]["payment_request_response"] is None
    assert caller.get(inbound).json()["payment_request"]["payment_request_response"] == {}


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
