"""Velo, EastPay and FlexFactor: the same report, as far as each provider can be asked."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.providers.eastpay import adapter as eastpay_adapter
from tests.providers.velo import adapter as velo_adapter
from victor_ext.money import Money
from victor_ext.providers.eastpay import EastPay
from victor_ext.providers.flexfactor import FlexFactor, FlexFactorAuth
from victor_ext.reconciliation import reconcile
from victor_ext.sandbox.flexfactor import FlexFactorSandbox

pytestmark = pytest.mark.slow
NOW = datetime.now(UTC)
WINDOW = {"start": NOW - timedelta(hours=1), "end": NOW + timedelta(hours=23)}
BANK = "https://bank.example/pay"


def found(report):
    """The kind of each row with what differs, and whose row it is: a reference, or an id."""
    with report:
        payments = [(row, row.ours or row.theirs) for row in report]
    return [
        (" ".join([row.kind.value, *row.differences]), payment.reference or payment.id)
        for row, payment in payments
        if payment
    ]


# Velo


@pytest.fixture
def velo():
    """A client, and the payor."""
    with velo_adapter.sandbox() as sandbox, velo_adapter.client(sandbox, awaited=False) as client:
        yield client, sandbox.payor_id


def test_payments_of_velo_are_matched_by_reference_and_compared_by_amount(velo):
    client, payor = velo
    for reference, price in (
        ("EQUAL", "44.23"),
        ("LESS", "44.23"),
        ("NEW", "1"),
        *[("TWICE", "1")] * 2,
    ):
        client.payouts.submit([velo_adapter.pay(reference, amount=Money.of(price, "USD"))])
    prices = {"EQUAL": "44.23", "LESS": "44", "TWICE": "1", "GONE": "1"}
    ours = [{"payor_payment_id": name, "amount": price} for name, price in prices.items()]
    report = reconcile(client, ours, **WINDOW, payor_id=payor, currency="USD")
    assert found(report) == [
        ("duplicate", "TWICE"),
        ("differs amount", "LESS"),
        ("missing", "GONE"),
        ("only_theirs", "NEW"),
        ("matched", "EQUAL"),
        ("matched", "TWICE"),
    ]


# EastPay


def new_eastpay(**options):
    given = {"entity_id": eastpay_adapter.ENTITY, "base_url": BANK, **options}
    return EastPay(eastpay_adapter.TOKEN, **given)


def test_eastpay_is_looked_up_payment_by_payment():
    with eastpay_adapter.sandbox() as bank, new_eastpay(base_url=f"{bank.url}/eastpay") as eastpay:
        equal, other = (eastpay_adapter.pay(eastpay, name).id for name in ("EQUAL", "OTHER"))
        ours = [
            {"id": equal, "reference": "EQUAL", "amount": "92.00"},
            {"id": other, "amount": "91.00"},
            {"id": "0" * 32, "amount": "1.00"},
            {"reference": "NO-ID", "amount": "1.00"},
        ]
        report = reconcile(eastpay, ours, **WINDOW, currency="EGP")
    assert found(report) == [
        ("differs amount", other),
        ("missing", "0" * 32),
        ("unchecked", "NO-ID"),
        ("matched", "EQUAL"),
    ]
    no_list = "EastPay has no list: payments that are missing in our book cannot be detected."
    assert no_list in report.summary.notes


# FlexFactor


def test_flexfactor_has_a_list_and_no_amounts():
    with FlexFactorSandbox() as sandbox:
        app_key, app_secret, mid = sandbox.add_client()
        for order in ("EQUAL", "NEW"):
            sandbox.add_order(order)
        one = {"amount": "1.00", "currency": "USD"}
        ours = [
            {"external_order_id": "EQUAL", **one},
            {
                "external_order_id": "EURO",
                **one,
                "currency": "EUR",
                "id": sandbox.add_order("KNOWN"),
            },
            {"external_order_id": "GONE", **one},
        ]
        auth = FlexFactorAuth(app_key, app_secret)
        with FlexFactor(auth, mid=mid, base_url=sandbox.url) as flexfactor:
            report = reconcile(flexfactor, ours, **WINDOW)
    assert found(report) == [
        ("differs currency reference", "EURO"),
        ("missing", "GONE"),
        ("only_theirs", "NEW"),
        ("matched", "EQUAL"),
    ]
    assert report.summary.notes == (
        "FlexFactor does not document the unit of an order's amount: amounts are not compared.",
    )
