"""Words that the client checks: a misspelt one is refused, one that is marked as new is sent."""

import json

import httpx
import pytest

from tests.payments import payment
from tests.providers.running import Script
from tests.providers.systems import called
from victor_ext import InvalidRequest, Word


def payouts(until):
    return lambda velo: velo.payouts.wait("p-1", until=until, timeout=0)


def created(word):
    return lambda victor: victor.payment_requests.create(**payment(biller_type=word))


MISSPELT = [
    ("velo", payouts("ACEPTED"), "until"),
    ("velo", payouts(("CONFIRMED", "PAYED")), "until"),
    ("flexfactor", lambda it: it.orders.wait("o-1", until="COMPLETE", timeout=0), "until"),
    ("flexfactor", lambda it: it.orders.list(sort="up"), "sort"),
    ("victor", lambda it: it.payment_requests.list(status="canceled"), "status"),
    *(("victor", created(word), "biller_type") for word in ("GOVERNMENT", Word(" "))),
    ("victor", created(Word("\ud800")), "biller_type"),
]


@pytest.mark.parametrize(("system", "call", "argument"), MISSPELT)
def test_a_word_that_the_client_does_not_know_is_refused(system, call, argument):
    with pytest.raises(InvalidRequest, match=argument):
        called(system, "blocking", call, Script(httpx.Response(500)))


def test_an_unknown_word_that_is_marked_with_word_is_sent_as_it_is():
    receipt = {"victor_payment_request_id": "p-1", "status": "canceled", "results": []}
    script = Script(httpx.Response(200, json=receipt))
    listed = lambda it: it.payment_requests.list(status=Word("canceled"))  # noqa: E731 - beside its twin
    called("victor", "blocking", (listed, created(Word("GOVERNMENT"))), script)
    assert script.requests[0].url.params["status"] == "canceled"
    sent = json.loads(script.requests[-1].content)
    assert sent["payment_details"]["biller_type"] == "GOVERNMENT"
