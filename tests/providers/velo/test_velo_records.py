"""Records read the JSON that came, and nothing changes it."""

import pytest
from velo_api.typed import records

from victor_ext.providers import velo


def test_the_package_offers_the_records_of_the_document():
    for name in records.__all__:
        kind = getattr(velo, name)
        assert issubclass(kind, getattr(records, name))
        assert kind.__doc__ is not None


def test_a_change_to_raw_or_to_the_value_of_a_field_changes_no_record():
    payout = velo.Payout({"payoutId": "p-1", "status": "ACCEPTED"})
    payout.raw.status = "REJECTED"
    assert payout.status == payout.raw.status == "ACCEPTED"
    failure = velo.PayeeFailure({"failedSubmission": {"a": {"b": 1}}})
    failure.raw.failed_submission["a"]["b"] = 2
    failure.submission["a"]["b"] = 3
    assert failure.submission == {"a": {"b": 1}}


@pytest.mark.parametrize("code", ["HRK", "BGN", "UDS", "XAU"])
def test_an_amount_of_any_code_is_read(code):
    funding = velo.Funding({"amount": 4423, "currency": code})
    assert str(funding.amount) == f"44.23 {code}"


@pytest.mark.parametrize("value", [None, 5, "p-1", [], velo.Payout({}).raw, velo.Payout({})])
def test_a_record_of_something_else_than_a_json_object_is_refused(value):
    with pytest.raises(TypeError, match="Payout reads a JSON object, not"):
        velo.Payout(value)
