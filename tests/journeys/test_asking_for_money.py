"""Asking for money and answering, from a call of ours to the sandbox's own record of it, over real
sockets.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.payments import invoice
from victor_ext import (
    BadRequest,
    InvalidRequest,
    Outcome,
    VictorError,
    idempotency_key_for,
)

THREE_DAYS = 3 * 86_400.0


def three_days_pass(sandbox, victor):
    """At the provider; and the client learns of it from any answer."""
    sandbox.set_clock_skew(THREE_DAYS)
    for _ in victor.payment_requests.list(page_size=1):
        break


@pytest.mark.parametrize("days_pass", [False, True], ids=["at once", "days after it was due"])
def test_a_lost_answer_that_stays_lost_is_unknown_and_can_be_settled(
    victor_sandbox, victor, days_pass
):
    began = datetime.now(UTC) - timedelta(seconds=5)
    asked = invoice()
    victor_sandbox.inject("lose_answer", operation="create", times=None)
    with pytest.raises(VictorError) as caught:
        victor.payment_requests.create(**asked)
    assert caught.value.outcome is Outcome.UNKNOWN
    assert caught.value.idempotency_key == idempotency_key_for("invoice", 1042)
    assert str(caught.value.idempotency_key) in str(caught.value)
    victor_sandbox.clear_faults()
    if days_pass:
        three_days_pass(victor_sandbox, victor)

    found = victor.payment_requests.find("INV-1042", start_datetime=began)
    repeated = victor.payment_requests.create(**asked)

    assert [request.id for request in found] == [repeated.id]
    assert [repeated.id] == [
        each["id"] for each in victor_sandbox.requests() if each["direction"] == "outbound"
    ]
    assert victor_sandbox.work_done_by_key() == {caught.value.idempotency_key: 1}


def test_a_past_due_date_is_refused_by_the_provider_with_a_key_and_here_without(
    victor_sandbox, victor
):
    """Without a key of the caller's it is no repeat, and is refused here; with one, by the
    provider.
    """
    asked = invoice()
    three_days_pass(victor_sandbox, victor)

    with pytest.raises(BadRequest) as refused:
        victor.payment_requests.create(**asked)
    assert (refused.value.outcome, refused.value.problems[0].field) == (
        Outcome.REJECTED,
        "payment_details.due_date",
    )

    with pytest.raises(InvalidRequest, match=r"due_date .* is in the past"):
        victor.payment_requests.create(**{**asked, "idempotency_key": None})


READINGS = ("modified", "requested")
"""Whether the modified amount replaces that of the request, or stands in the response alone, as in
the document.
"""


@pytest.mark.parametrize(
    "reading",
    [
        pytest.param(each, marks=pytest.mark.victor_sandbox(accepted_amount=each))
        for each in READINGS
    ],
)
@pytest.mark.parametrize("fault", [None, "lose_answer"])
def test_an_acceptance_of_a_smaller_amount_reads_the_same_also_if_its_answer_is_lost(
    victor_sandbox, victor, reading, fault
):
    requests = victor.payment_requests
    inbound = victor_sandbox.create_inbound("44.23", amount_modification_allowed=True)
    if fault is not None:
        victor_sandbox.inject(fault, operation="respond")

    accepted = requests.accept(inbound, notes="Half now.", modified_amount="34.23")

    waited = requests.wait(inbound, until="accepted", timeout=0)
    for seen in (accepted, requests.get(inbound), waited, next(requests.watch(inbound))):
        assert (seen.amount, seen.original_amount) == (Decimal("34.23"), Decimal("44.23"))
        assert (seen.to_dict()["amount"], seen.to_dict()["original_amount"]) == ("34.23", "44.23")
    (listed,) = requests.list(victor_id=inbound)  # a list has no responses
    assert (str(listed.amount), str(listed.original_amount)) == (
        "34.23" if reading == "modified" else "44.23",
        "44.23",
    )
