"""Records with generated fields: in any spelling, and what is left to be read by hand."""

import pytest
from flexfactor_api.typed import records

from victor_ext.providers import flexfactor

RECORDS = ("Decision", "Answer", "RefundAnswer", "TransmitAnswer", "Order")
BY_HAND = {
    *("success", "status", "error_code", "problems", "approved", "needs_capture", "succeeded"),
    *("order_id", "amount", "idempotency_key", "request_id"),
}


@pytest.mark.parametrize("name", RECORDS)
def test_no_rule_about_money_is_generated(name):
    """What says that money has moved is read by hand, whatever the settings say of its members."""
    assert BY_HAND.isdisjoint(vars(getattr(records, name)))


def test_a_member_is_found_in_any_letter_case_and_its_own_spelling_comes_first():
    decision = flexfactor.Decision({"RESULT": "a", "result": "b", "TraceID": "t-1"})
    assert (decision.result, decision.trace_id) == ("b", "t-1")
    assert decision.raw.additional_properties == {"RESULT": "a", "TraceID": "t-1"}
