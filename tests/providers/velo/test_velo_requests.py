"""What Velo's calls send, member by member."""

import json
from datetime import UTC, date, datetime

import httpx

from tests.providers.velo.adapter import pay, scripted
from victor_ext.providers.velo import Address, Individual, NewPayee, PaymentChannel


def test_a_payout_sends_its_payments_in_minor_units() -> None:
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


def test_a_payee_is_sent_with_its_address_and_account() -> None:
    payee = NewPayee(
        remote_id="bob",
        email="bob@example.com",
        address=Address(
            line1="1 Elm Street", city="Springfield", country="US", zip_or_postcode="01101"
        ),
        individual=Individual(
            first_name="Bob", last_name="Wiggins", date_of_birth=date(1970, 5, 20)
        ),
        payment_channel=PaymentChannel(
            account_name="Bob",
            country_code="US",
            currency="USD",
            account_number="043987673645",
            routing_number="011401533",
        ),
    )
    client, script = scripted(httpx.Response(201, json={"batchId": "b-1"}))
    assert client.payees.create("payor-1", [payee]) == "b-1"
    [request] = script.requests
    assert (request.method, request.url.path) == ("POST", "/v4/payees")
    assert json.loads(request.content) == {
        "payorId": "payor-1",
        "payees": [
            {
                "type": "Individual",
                "remoteId": "bob",
                "email": "bob@example.com",
                "individual": {
                    "name": {"firstName": "Bob", "lastName": "Wiggins"},
                    "dateOfBirth": "1970-05-20",
                },
                "address": {
                    "line1": "1 Elm Street",
                    "city": "Springfield",
                    "country": "US",
                    "zipOrPostcode": "01101",
                },
                "paymentChannel": {
                    "accountName": "Bob",
                    "countryCode": "US",
                    "currency": "USD",
                    "accountNumber": "043987673645",
                    "routingNumber": "011401533",
                },
            }
        ],
    }


def test_a_list_of_payments_sends_its_filters() -> None:
    client, script = scripted(httpx.Response(200, json={"content": []}))
    payments = client.payments.list(
        "payor-1",
        status="CONFIRMED",
        submitted_from=date(2026, 3, 4),
        sort="submittedDateTime:asc",
    )
    assert list(payments) == []
    [request] = script.requests
    assert (request.method, request.url.path) == ("GET", "/v4/paymentaudit/payments")
    assert dict(request.url.params) == {
        "payorId": "payor-1",
        "status": "CONFIRMED",
        "submittedDateFrom": "2026-03-04",
        "sort": "submittedDateTime:asc,paymentId:asc",
        "page": "1",
    }


def test_a_moment_is_sent_in_whole_seconds_and_a_day_with_its_neighbours() -> None:
    since = datetime(2026, 3, 4, 9, 0, 0, 500_000, tzinfo=UTC)
    client, script = scripted(httpx.Response(200, json={"content": []}))
    list(client.payees.changes("payor-1", since=since))
    client.payments.find("INV-1", payor_id="payor-1", since=since, until=since)
    changes, window = (request.url.params for request in script.requests)
    assert changes["updatedSince"] == "2026-03-04T09:00:00+00:00"
    days = (window["submittedDateFrom"], window["submittedDateTo"])
    assert days == ("2026-03-03", "2026-03-05")
