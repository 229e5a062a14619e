"""What Velo's calls send, member by member."""

import json

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
