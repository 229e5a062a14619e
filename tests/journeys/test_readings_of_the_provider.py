"""The client under each reading of what no document says: it never asks twice, and what is there is
not called absent.
"""

import pytest

from tests.payments import invoice
from victor_ext import NotFound, Outcome, VictorError, zulu

pytestmark = pytest.mark.pull_request
READINGS = {"key_life": (2,), "max_page_size": (2,)}
"""The options of the sandbox that play a reading, and their values."""
PROVIDERS = [{name: value} for name, values in READINGS.items() for value in values]
TEXTS = {"notes": " Rechnung № 7 ", "client_reference_id": "INV-1042/ä№"}


@pytest.mark.parametrize(
    "provider",
    [
        pytest.param(each, marks=pytest.mark.victor_sandbox(**each), id=str(each)[1:-1])
        for each in PROVIDERS
    ],
)
def test_after_a_lost_response_no_create_is_called_undone_and_each_request_is_found(
    provider,
    victor,
    victor_sandbox,
    faults,
):
    asked = invoice(**TEXTS)
    faults.lose_answer(operation="create")
    outcomes, made = set(), set()
    for amount in ("44.23", "44.23", "45.00"):
        try:
            made.add(victor.payment_requests.create(**{**asked, "amount": amount}).id)
        except VictorError as error:
            outcomes.add(error.outcome)
    requests = victor_sandbox.requests()
    assert len(requests) == 1
    assert outcomes <= {Outcome.UNKNOWN, Outcome.ACCEPTED}
    victor_sandbox.advance(5)  # whatever lags has come
    first, last = (zulu.from_epoch(requests[index]["created_at"]) for index in (0, -1))
    found = victor.payment_requests.find(
        asked["client_reference_id"], start_datetime=first, end_datetime=last
    )
    listed = {
        each.id for size in (1, None) for each in victor.payment_requests.list(page_size=size)
    }
    assert made <= listed == {each["id"] for each in requests}
    assert {each.id for each in found} == listed
    with pytest.raises(NotFound):
        victor.payment_requests.get("RFP0000000")
