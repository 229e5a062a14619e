"""What this package does not know yet is sent by its name on the wire: `extra_body` of Victor.

And docs/victor.md is true: it quotes the document, and its document of a few lines makes a package.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import reduce
from pathlib import Path

import httpx
import pytest
from victor_api.typed.arguments import CREATE_REQUEST_PAYMENT

from tests.payments import payment
from tests.providers.running import Script
from tests.providers.victor.adapter import Harness
from tests.providers.victor.test_victor_client import create
from victor_ext import Conflict, InvalidRequest, check_payment_request


def test_extra_body_is_not_compared_when_an_answer_is_read_back(run):
    read = {
        "victor_payment_request_id": "in-1",
        "direction": "inbound",
        "status": "accepted",
        "payment_request": {
            "payment_details": {"amount": "44.23"},
            "payment_request_response": {"status": "Accepted", "notes": "yes"},
        },
    }
    script = Script(httpx.ReadError("cut"), httpx.Response(200, json=read))
    more = {"notes": "yes", "extra_body": {"reason_code": "AC04"}}
    result = run(script, lambda victor: victor.payment_requests.accept("in-1", **more))
    assert (result.id, [each.method for each in script.requests]) == ("in-1", ["POST", "GET"])
    assert "reason_code" not in str(script.requests[1].url)


@pytest.mark.parametrize(("argument", "sent"), CREATE_REQUEST_PAYMENT.items())
def test_a_member_with_an_argument_is_refused_by_the_arguments_name(run, argument, sent):
    """The checks of the arguments still run, in one error."""
    script = Script()
    extra = reduce(lambda inner, name: {name: inner}, sent.place.split(".")[::-1], "9")
    with pytest.raises(InvalidRequest) as raised:
        run(script, lambda victor: create(victor, amount=1.5, extra_body=extra))
    own, added = raised.value.problems
    assert (own.field, added.field) == ("amount", f"extra_body.{sent.place}")
    assert f"sends as {argument}:" in added.message
    assert not script.requests


@pytest.mark.parametrize(
    "extra", [{"status": "Declined"}, {"notes": "no"}, {"Modified-Amount": "1.00"}]
)
def test_a_response_to_a_request_says_what_the_method_says(run, extra):
    script = Script()
    with pytest.raises(InvalidRequest, match="leave it out here"):
        run(script, lambda victor: victor.payment_requests.accept("i", notes="n", extra_body=extra))
    assert not script.requests


def test_a_check_without_a_call_knows_further_members():
    with pytest.raises(InvalidRequest, match=r"extra_body\.payer is what this method sends"):
        check_payment_request(**payment(extra_body={"payer": "x"}))


@pytest.mark.parametrize("value", [Decimal("NaN"), 10**6000, "\ud800"], ids=["NaN", "long", "half"])
def test_a_value_that_nobody_can_write_is_refused_before_anything_is_sent(run, value):
    script = Script()
    for call in (
        lambda victor: create(victor, extra_body={"new": value}),
        lambda victor: victor.payment_requests.get("a1", extra_query={"new": {"a": value}}),
    ):
        with pytest.raises(InvalidRequest, match=r"cannot be written, and nothing was sent"):
            run(script, call)
    assert not script.requests


def test_a_filter_is_refused_only_where_the_method_sends_it(run):
    page = {"page": 0, "page_size": 50, "results": []}
    script = Script(*[httpx.Response(200, json=page)] * 2)
    start, filters = datetime(2026, 3, 4, tzinfo=UTC), {"status": "pending"}

    def find(victor, **extra):
        return victor.payment_requests.find("INV-1", start_datetime=start, extra_query=extra)

    run(script, lambda victor: find(victor, **filters))
    assert script.requests[0].url.params["status"] == "pending"
    for call in (
        lambda victor: list(victor.payment_requests.list(extra_query=filters)),
        lambda victor: find(victor, Page=1),
        lambda victor: find(victor, client_reference_id="INV-2"),
    ):
        with pytest.raises(InvalidRequest, match="leave it out here"):
            run(script, call)
    assert len(script.requests) == 1


def test_the_sandbox_takes_what_its_document_allows_and_a_key_covers_it(victor_sandbox):
    harness, key = Harness(victor_sandbox, awaited=False), "k" * 20

    def make(**extra):
        return harness(lambda victor: create(victor, idempotency_key=key, extra_body=extra))

    added = {"payment_details": {"surcharge": Decimal("0.10")}, "memo_lines": ["a", None]}
    assert make(**added).id == make(**added).id
    with pytest.raises(Conflict):
        make(memo_lines=[])
    assert victor_sandbox.work_done_by_key() == {key: 1}


ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "victor.md").read_text(encoding="utf-8")


def test_the_page_quotes_sentences_with_two_readings_from_the_document():
    document = " ".join((ROOT / "openapi" / "victor.yaml").read_text(encoding="utf-8").split())
    table = PAGE.partition("## Two readings")[2].partition("\n## ")[0]
    quoted = [sentence.rstrip(".") for sentence in re.findall(r'"([^"]{12,})"', table)]
    assert len(quoted) == 4
    assert [sentence for sentence in quoted if sentence not in document] == []
