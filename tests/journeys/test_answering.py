"""Answering requests that we are asked to pay: sent once, and looked at when in doubt."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.providers.victor.adapter import payment
from victor_ext import Conflict, InvalidRequest, Outcome, Victor, VictorError
from victor_ext.sandbox import Sandbox


def answers(sandbox: Sandbox) -> int:
    """How many answers the sandbox was sent."""
    return sum(exchange.operation == "respond" for exchange in sandbox.received())


READINGS = ("modified", "requested")
"""Whether the modified amount replaces that of the request, or stands in the response alone, as in the document."""


@pytest.mark.parametrize(
    "reading", [pytest.param(each, marks=pytest.mark.victor_sandbox(accepted_amount=each)) for each in READINGS]
)
@pytest.mark.parametrize("fault", [None, "lose_answer"])
def test_paying_less_has_one_amount_whatever_the_network_does(
    victor_sandbox: Sandbox, victor: Victor, reading: str, fault: Any
) -> None:
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
    assert (str(listed.amount), str(listed.original_amount)) == ("34.23" if reading == "modified" else "44.23", "44.23")


def test_a_request_of_our_own_is_not_ours_to_answer(victor_sandbox: Sandbox, victor: Victor) -> None:
    made = victor.payment_requests.create(**payment())
    for answer in (victor.payment_requests.accept, victor.payment_requests.decline):
        with pytest.raises(InvalidRequest, match="an outbound request: answer the inbound one") as caught:
            answer(made, notes="")
        assert [problem.field for problem in caught.value.problems] == ["id", "notes"]
    assert answers(victor_sandbox) == 0


def test_a_key_on_every_call_makes_no_answer_repeatable(victor_sandbox: Sandbox, victor: Victor) -> None:
    from victor_api.api.payment_requests import respond_to_payment_request
    from victor_api.models import RfpInboundPaymentRequestResponseRequestDetails as AnswerDetails

    inbound = victor_sandbox.create_inbound("10.00")
    victor_sandbox.inject("status", status=503, operation="respond", work=False)
    client = victor.api.with_headers({"Idempotency-Key": "one-key-for-all-of-my-calls"})

    with pytest.raises(VictorError) as caught:
        respond_to_payment_request.sync(inbound, client=client, body=AnswerDetails.from_dict(
            {"status": "Accepted", "notes": "Thank you."}
        ))  # fmt: skip

    assert caught.value.outcome is Outcome.UNKNOWN
    assert answers(victor_sandbox) == 1


@pytest.mark.parametrize("payer", ["acceptsRfp", "declinesRfp"])
def test_what_became_of_a_request_of_ours_is_no_answer_of_ours(
    victor_sandbox: Sandbox, victor: Victor, payer: str
) -> None:
    """Its status may be the very one that was meant: it is the payer's doing."""
    behaviour = "accept" if payer == "acceptsRfp" else "decline"
    victor_sandbox.add_counterparty(payer, behaviour=behaviour)
    made = victor.payment_requests.create(**payment(payer_counterparty_id=payer))
    victor_sandbox.advance(3600)
    victor_sandbox.inject("lose_answer", operation="respond")
    answer = victor.payment_requests.accept if behaviour == "accept" else victor.payment_requests.decline

    with pytest.raises(Conflict, match="is outbound: it asks another party") as caught:
        answer(made.id, notes="Thank you.")

    assert caught.value.outcome is Outcome.REJECTED
