"""Records with generated fields say what records say that were written by hand.

`records_before` has the records as they were declared, field by field.
"""

import json
from datetime import datetime
from random import Random
from typing import Any

import pytest
from flexfactor_api import models
from flexfactor_api.members import MEMBERS
from flexfactor_api.typed import records

from tests.providers.flexfactor import records_before
from victor_ext import typed
from victor_ext.money import Money
from victor_ext.providers import flexfactor
from victor_ext.providers.flexfactor import OrderStatus
from victor_ext.runtime.core.json_values import parsed

REQUEST = {"order_id": "o-1", "amount": Money(4423, "USD"), "idempotency_key": "k-1"}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "Decision": ("Decision", {"idempotency_key": "k-1"}),
    "Capture": ("Answer", REQUEST),
    "Refund": ("RefundAnswer", {"order_id": "o-1", "amount": Money(4423, "USD")}),
    "Transmission": ("TransmitAnswer", {}),
    "Order": ("Order", {}),
}
"""By the name of a record: the model of its body, and what the request says."""
COMPUTED = ("approved", "needs_capture", "succeeded", *REQUEST, "request_id")
UNDECLARED = ("externalId", "MerchantOrderId", "orderid", "orderSessionKey", "traceId", "new")
ODD = [
    *(None, "", " ", "a text", 0, 1, 7, 9, 5.0, 1.5, True, False, "true", "0"),
    *([], [5], {}, {"status": "x"}, "APPROVED", "approved ", "CAPTUREREQUIRED", "DONE", "PENDING"),
    *(
        "400012",
        400012,
        "USD",
        "COMPLETED",
        ["no"],
        {"card": ["no"]},
        [{"item1": "m", "item3": "1"}],
    ),
    *("2026-03-04T09:00:00Z", "2026-03-04t09:00:00z", "2026-03-04T09:00:00.123456789Z"),
    *("2026-03-04T09:00:00+05:30", "2026-03-04T09:00:00", "2026-02-30T09:00:00Z", "2026-03-04"),
    *(parsed("5.0"), parsed("12345678901234567891.0"), parsed("1e-400")),
]
LIKELY: dict[str, list[Any]] = {
    "status": ["APPROVED", "approved ", "CAPTUREREQUIRED", "DONE", "", 0, 2, 7, 9, True],
    "success": [True, False, 0, 1, "true", "no"],
}
SPELLINGS = (str, str, str.lower, str.upper, str.capitalize)


def body_of(model: str, random: Random) -> dict[str, Any]:
    """An object with some members of a model, in one spelling or several."""
    body: dict[str, Any] = {}
    for name in (*MEMBERS[model], *UNDECLARED):
        for _ in range(random.choice([0, 1, 1, 2])):
            spelling = random.choice(SPELLINGS)
            body[spelling(name)] = random.choice([*ODD, *LIKELY.get(name, []) * 3])
    return body


def differs(now: Any, before: Any) -> bool:
    """Whether a field has another value or type than it had, and that is not decided."""
    if before is None and now == "":
        return False  # decided: an empty text is what was sent; only null and nothing are None
    if before is None and isinstance(now, datetime):
        return False  # decided: a time in lower case is read, where the model kept it as text
    if before is None and type(now) in (int, OrderStatus):
        return False  # decided: 5.0 is a whole number under each spelling of `status`
    return now != before or type(now) is not type(before)


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_a_record_says_what_it_said(name: str) -> None:
    schema, request = KINDS[name]
    random = Random(name)
    for _ in range(2_000):
        body = body_of(schema, random)
        model = getattr(models, schema).from_dict(body)
        before = getattr(records_before, name)(model, **request)
        for source in (body, model):
            assert_same(getattr(flexfactor, name)(source, **request), before, body)


def assert_same(now: Any, before: Any, body: dict[str, Any]) -> None:
    assert set(now._field_names()) == set(before._field_names())
    for field in (*before._field_names(), *COMPUTED):
        if hasattr(before, field):
            values = getattr(now, field), getattr(before, field)
            assert not differs(*values), (field, *values, body)
    assert now.raw == before.raw
    # decided: a repr shows a generated text with the blanks that were sent, or as empty
    assert without_blanks(now) == without_blanks(before)


def without_blanks(record: Any) -> str:
    return "".join(repr(record).split()).replace("(id='')", "(id=None)")


@pytest.mark.parametrize("name", KINDS)
def test_no_rule_about_money_is_generated(name: str) -> None:
    """What says that money has moved is read by hand, whatever the settings say of its members."""
    generated = getattr(records, KINDS[name][0])
    by_hand = {"success", "status", "error_code", "problems", *COMPUTED}
    assert by_hand.isdisjoint(vars(generated))


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
