"""The client under each reading of what no document says: it never asks twice, and what is there is
not called absent.
"""

import pytest

from tests.providers.victor.adapter import invoice
from victor_ext import NotFound, Outcome, VictorError, zulu

pytestmark = pytest.mark.pull_request
FORGETFUL = ({"key_repeat": "new"}, {"key_conflict": "new"})
"""Providers to which a key means nothing: nobody can keep them from asking twice."""
READINGS = {
    "quirks": (False, True),
    "key_repeat": ("current", "409", "new"),
    "key_conflict": ("400", "422", "replay", "new"),
    "key_life": (2,),
    "key_in_progress": (2,),
    "unknown_id": ("404",),
    "max_page_size": (2,),
    "first_page": ("1",),
    "page_beyond": ("last", "400", "404"),
    "list_lag": (2,),
    "window_ends": ("start", "end", "neither"),
    "clock_skew": (2,),
    "date_header": (False,),
    "keep_alive": (0,),
}
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
    provider, victor, victor_sandbox, faults
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
    assert len(requests) == 1 or provider in FORGETFUL
    assert outcomes <= {Outcome.UNKNOWN, Outcome.ACCEPTED}
    victor_sandbox.advance(5)  # whatever lags has come
    first, last = (zulu.from_epoch(requests[index]["created_at"]) for index in (0, -1))
    try:
        found = victor.payment_requests.find(
            asked["client_reference_id"], start_datetime=first, end_datetime=last
        )
        listed = {
            each.id for size in (1, None) for each in victor.payment_requests.list(page_size=size)
        }
    except VictorError:
        assert "page_beyond" in provider
        return
    assert made <= listed == {each["id"] for each in requests}
    assert {each.id for each in found} == listed
    with pytest.raises(NotFound):
        victor.payment_requests.get("RFP0000000")
