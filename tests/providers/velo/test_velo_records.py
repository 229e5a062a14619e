"""Records that read the JSON that came say what records over the generated models said.

`records_before` has the records as they were declared by hand, field by field.
"""

import inspect
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from velo_api import models
from velo_api.members import MEMBERS
from velo_api.typed import records

from tests.providers.velo import records_before
from victor_ext.providers import velo
from victor_ext.runtime.client.records import ModelRecord, Record
from victor_ext.runtime.core.json_values import parsed

BEFORE = {
    name: kind
    for name, kind in vars(records_before).items()
    if inspect.isclass(kind) and issubclass(kind, ModelRecord) and kind is not ModelRecord
}

EXACT = [
    parsed(digits)
    for digits in ("5.0", "9007199254740993.0", "12345678901234567891.0", "1e-400", "7.0e1")
]
"""Numbers of JSON that a float has not all digits of, or that JSON writes as one."""
GOOD = {
    "text": ["a text", "", " ", "2026-03-04T09:00:00Z", "2026-03-04", "true", "USD"],
    "flag": [True, False],
    "whole": [0, 1, -7, 2**60, 4423, *EXACT],
    "number": [1, 1.5, 0.1, -2, 1e300],
    "moment": [
        "2026-03-04T09:00:00Z",
        "2026-03-04t09:00:00z",
        "2026-03-04T09:00:00.123456789Z",
        "2026-03-04T09:00:00+05:30",
        "2026-03-04T09:00:00",
        "2026-02-30T09:00:00Z",
        "20260304T090000Z",
    ],
}
ODD = [None, "", " ", "a text", 0, 7, 5.0, 1.5, True, False, [], [5], {}, {"status": "x"}, "true"]


@st.composite
def bodies(draw: st.DrawFn, name: str, levels: int = 3) -> dict[str, Any]:
    """An object with some members of a model: mostly of their kinds, sometimes odd."""
    body: dict[str, Any] = {"undeclared": 1}
    for member, kind in MEMBERS[name].items():
        if draw(st.booleans()):
            body[member] = draw(values(kind, levels))
    return body


def values(kind: Any, levels: int) -> st.SearchStrategy[Any]:
    odd = st.sampled_from(ODD)
    if isinstance(kind, list):
        return st.lists(values(kind[0], levels - 1), max_size=3) | odd if levels else odd
    if kind in MEMBERS:
        return bodies(kind, levels - 1) | odd if levels else odd
    return st.sampled_from([*GOOD[kind], *ODD])


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(BEFORE))
@given(data=st.data())
def test_a_record_says_what_it_said(name: str, data: st.DataObject) -> None:
    body = data.draw(bodies(name))
    before = BEFORE[name](getattr(models, name).from_dict(body))
    now = getattr(records, name)(body)
    fields = before._declared_fields()
    assert set(now._field_names()) == set(fields)
    for field in fields:
        assert_same(getattr(now, field), getattr(before, field), f"{name}.{field}", body)
    assert now.raw.to_dict() == before.raw.to_dict()
    for field in fields:
        assert (now._shown(field) is None) is (before._shown(field) is None)


def assert_same(now: Any, before: Any, place: str, body: Any) -> None:
    if isinstance(before, tuple) and before and isinstance(before[0], Record):
        assert len(now) == len(before)
        for own, other in zip(now, before, strict=True):
            for field in other._declared_fields():
                assert_same(getattr(own, field), getattr(other, field), f"{place}.{field}", body)
        return
    if is_better(now, before):
        return
    assert now == before, (place, body)
    # nanoseconds were kept by a datetime of the generated package
    expected = datetime if isinstance(before, datetime) else type(before)
    assert type(now) is expected, (place, body)


def is_better(now: Any, before: Any) -> bool:
    """Whether a time is read that was not: in lower case, where the document says text."""
    return before is None and isinstance(now, datetime)


def test_the_package_offers_the_records_of_the_document() -> None:
    for name in BEFORE:
        kind = getattr(velo, name)
        assert issubclass(kind, getattr(records, name))
        assert kind.__doc__ is not None


def test_what_is_changed_in_raw_or_in_a_field_changes_no_record() -> None:
    payout = velo.Payout({"payoutId": "p-1", "status": "ACCEPTED"})
    payout.raw.status = "REJECTED"
    assert payout.status == payout.raw.status == "ACCEPTED"
    failure = velo.PayeeFailure({"failedSubmission": {"a": {"b": 1}}})
    failure.raw.failed_submission["a"]["b"] = 2
    failure.submission["a"]["b"] = 3
    assert failure.submission == {"a": {"b": 1}}


@pytest.mark.parametrize("name", ["status", "accounts", "raw"])
def test_what_the_provider_sent_cannot_be_set(name: str) -> None:
    payout = records.Payout({"payoutId": "p-1", "status": "ACCEPTED"})
    words = f"^{name} of Payout is what the provider sent: it cannot be set\\.$"
    with pytest.raises(AttributeError, match=words):
        setattr(payout, name, None)  # the mistake: an assignment in place of a comparison
    assert payout.status == "ACCEPTED"


def test_an_amount_has_the_digits_that_were_sent() -> None:
    funding = velo.Funding(parsed('{"amount": 12345678901234567891.0, "currency": "USD"}'))
    assert funding.amount is not None
    assert funding.amount.minor_units == 12345678901234567891


@pytest.mark.parametrize("value", [None, 5, "p-1", [], velo.Payout({}).raw, velo.Payout({})])
def test_a_record_of_something_else_than_a_json_object_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="Payout reads a JSON object, not"):
        velo.Payout(value)


def test_what_is_no_object_is_a_record_of_which_nothing_is_known() -> None:
    payout = velo.Payout({"acceptedPayments": [5, {"remoteId": "r-1"}, None]})
    assert [payment.remote_id for payment in payout.accepted] == [None, "r-1", None]
