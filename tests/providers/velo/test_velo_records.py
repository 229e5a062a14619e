"""Records read the JSON that came, and nothing changes it."""

import pytest
from velo_api.typed import records

from victor_ext.providers import velo


def test_the_package_offers_the_records_of_the_document():
    for name in records.__all__:
        kind = getattr(velo, name)
        assert issubclass(kind, getattr(records, name))
        assert kind.__doc__ is not None


@pytest.mark.parametrize("value", [None, 5, "p-1", [], velo.Payout({}).raw, velo.Payout({})])
def test_a_record_of_something_else_than_a_json_object_is_refused(value):
    with pytest.raises(TypeError, match="Payout reads a JSON object, not"):
        velo.Payout(value)
