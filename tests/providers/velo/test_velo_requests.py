"""What Velo's calls send, member by member."""

import json
from datetime import UTC, datetime

import httpx

from tests.providers.velo.adapter import pay, scripted


def test_a_payout_sends_its_payments_in_minor_units():
    client, script = scripted(httpx.Response(202, headers={"location": "/v3/payouts/po-1"}))
    assert client.payouts.submit([pay("INV-1042")], memo="March") == "po-1"
    [request] = script.requests
    assert (request.method, str(request.url)) == (
        "POST",
        "https://api.sandbox.velopayments.com/v3/payouts",
    )
    assert json.loads(request.content) == {
        "payments": [
            {
                "remoteId": "payee-7",
                "amount": 4423,
                "currency": "USD",
                "sourceAccountName": "USD account",
                "payorPaymentId": "INV-1042",
            }
        ],
        "payoutMemo": "March",
    }


def test_a_moment_is_sent_in_whole_seconds_and_a_window_of_days_is_one_day_wider():
    since = datetime(2026, 3, 4, 9, 0, 0, 500_000, tzinfo=UTC)
    client, script = scripted(httpx.Response(200, json={"content": []}))
    list(client.payees.changes("payor-1", since=since))
    client.payments.find("INV-1", payor_id="payor-1", since=since, until=since)
    changes, window = (request.url.params for request in script.requests)
    assert changes["updatedSince"] == "2026-03-04T09:00:00+00:00"
    days = (window["submittedDateFrom"], window["submittedDateTo"])
    assert days == ("2026-03-03", "2026-03-05")
