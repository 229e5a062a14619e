"""Records with generated fields: in any spelling, and what is left to be read by hand."""

import json

import pytest
from flexfactor_api.typed import records

from victor_ext import typed
from victor_ext.providers import flexfactor

RECORDS = ("Decision", "Answer", "RefundAnswer", "TransmitAnswer", "Order")
BY_HAND = {
    *("success", "status", "error_code", "problems", "approved", "needs_capture", "succeeded"),
    *("order_id", "amount", "idempotency_key", "request_id"),
}


@pytest.mark.parametrize("name", RECORDS)
def test_no_rule_about_money_is_generated(name: str) -> None:
    """What says that money has moved is read by hand, whatever the settings say of its members."""
    assert BY_HAND.isdisjoint(vars(getattr(records, name)))


def test_a_member_is_found_in_any_letter_case_and_its_own_spelling_comes_first() -> None:
    decision = flexfactor.Decision({"RESULT": "a", "result": "b", "TraceID": "t-1"})
    assert (decision.result, decision.trace_id) == ("b", "t-1")
    assert decision.raw.additional_properties == {"RESULT": "a", "TraceID": "t-1"}


def test_what_is_changed_in_raw_changes_no_record() -> None:
    order = flexfactor.Order({"id": "o-1", "new": {"a": 1}})
    order.raw.additional_properties["new"]["a"] = 2
    assert order.raw.additional_properties == {"new": {"a": 1}}


def test_a_row_of_an_order_has_what_was_sent() -> None:
    order = flexfactor.Order({"ID": "o-1", "status": 7, "CurrencyCode": "USD"})
    row = json.loads(json.dumps(order.to_dict()))
    assert {name: value for name, value in row.items() if value is not None} == {
        "id": "o-1",
        "status": 7,
        "currency": "USD",
    }


class Lifted(typed.AnyCaseRecord):
    """A record with a member of a part as its own field, as it is generated."""

    @property
    def planned(self) -> str | None:
        return typed.text(typed.part(self._json, "schedule"), "scheduledFor")


def test_a_member_of_a_part_is_found_in_any_letter_case_too() -> None:
    assert Lifted({"Schedule": {"ScheduledFOR": "today"}}).planned == "today"
    assert Lifted({"schedule": None}).planned is None
