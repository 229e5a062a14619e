"""Velo, EastPay and FlexFactor: the same report, as far as each provider can be asked."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import httpx
import pytest

from tests.providers.eastpay import adapter as eastpay_adapter
from tests.providers.systems import refusal
from tests.providers.velo import adapter as velo_adapter
from victor_ext import BadRequest, ConfigurationError, NotFound, RetryPolicy, ServerError
from victor_ext.money import Money
from victor_ext.providers.eastpay import EastPay, Payment
from victor_ext.providers.flexfactor import FlexFactor, FlexFactorAuth, FlexFactorToken
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


def test_a_payment_of_velo_beyond_the_window_is_looked_up_by_its_id(velo):
    client, payor = velo
    client.payouts.submit([velo_adapter.pay("OLD", amount=Money.of("44.23", "USD"))])
    (old,) = client.payments.list(payor)
    ids = (old.id, "00000000-0000-4000-8000-000000000000", "no id of Velo's")
    ours = [{"id": id_, "amount": "44.23"} for id_ in ids]
    window = {"start": NOW - timedelta(days=9), "end": NOW - timedelta(days=8)}
    report = reconcile(client, ours, **window, payor_id=payor, currency="USD")
    assert [kind for kind, _ in found(report)] == ["missing", "missing", "matched"]


def test_a_reconciliation_of_velo_without_a_payor_is_refused(velo):
    client, _ = velo
    with pytest.raises(ConfigurationError, match="payor_id is missing"):
        reconcile(client, [], **WINDOW)


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


@pytest.mark.parametrize(
    ("amount", "kind"),
    [
        *((amount, "matched") for amount in (None, "", "92.00", 92, "EGP 92")),
        *(
            (amount, "differs amount")
            for amount in ("92,00", "EUR 92.00", {"value": "92.00"}, "92.001")
        ),
    ],
)
def test_an_unreadable_amount_of_eastpay_is_a_difference_but_an_absent_amount_is_not(amount, kind):
    payment = {"id": "p-1", "currency": "EGP", "amount": amount, "result": {"code": "000.000.000"}}
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, json=payment))
    with new_eastpay(transport=transport) as eastpay:
        report = reconcile(eastpay, [{"id": "p-1", "amount": "92.00"}], **WINDOW, currency="EGP")
    assert found(report) == [(kind, "p-1")]


PAID, STEP, DECLINED = ("DB", "000.000.000"), ("RF", "000.000.000"), ("DB", "800.100.152")


@pytest.mark.parametrize(
    ("id", "inquired", "kinds"),
    [
        pytest.param(None, [PAID, STEP], ["matched"], id="a step is no payment"),
        pytest.param(None, [PAID, PAID], ["duplicate", "matched"], id="paid twice"),
        pytest.param(f"{99:032}", [PAID, PAID], ["duplicate", "differs id"], id="another id"),
        pytest.param(None, [DECLINED, PAID], ["matched"], id="tried again"),
        pytest.param(None, [DECLINED], ["matched"], id="declined"),
        pytest.param(None, [], ["missing"], id="not there"),
        pytest.param(None, NotFound("No such inquiry."), ["unchecked"], id="not found"),
    ],
)
def test_eastpay_is_looked_up_by_reference_where_its_bank_answers_that(id, inquired, kinds):
    """By a stand-in of the inquiry, which only some banks have."""

    def find(reference):
        if isinstance(inquired, Exception):
            raise inquired
        common = {"merchantTransactionId": reference, "amount": "92.00", "currency": "EGP"}
        return [
            Payment({"id": f"{n:032}", "paymentType": kind, "result": {"code": code}, **common})
            for n, (kind, code) in enumerate(inquired)
        ]

    eastpay = new_eastpay()
    eastpay.payments.entity = SimpleNamespace(found_by_reference=True)
    eastpay.payments.find = find
    ours = [{"reference": "R-1", "id": id, "amount": "92"}]
    with eastpay:
        report = reconcile(eastpay, ours, **WINDOW, currency="EGP")
    assert [kind for kind, _ in found(report)] == kinds


@pytest.mark.parametrize(("status", "error"), [(500, ServerError), (400, BadRequest)])
def test_a_lookup_that_fails_is_no_missing_payment_where_no_list_was_read(status, error):
    transport = httpx.MockTransport(lambda _request: refusal("eastpay", status))
    retry = RetryPolicy(base=0.0, max_attempts=3)
    with new_eastpay(transport=transport, retry=retry) as eastpay, pytest.raises(error):
        reconcile(eastpay, [{"id": "0" * 32, "amount": "1"}], **WINDOW, currency="EGP")


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


@pytest.mark.parametrize(
    "placed", ["2026-03-03T19:00:00", "2026-03-05T04:00:00", "2026-03-04T12:00:00Z", None]
)
def test_a_time_without_a_zone_takes_no_order_out_of_the_window(placed):
    """The provider's list has it in the window, and in which zone it writes its times is not
    documented.
    """
    order = {"orderId": "o-1", "externalOrderId": "NEW", "orderPlacedDate": placed}
    page = httpx.Response(200, json={"items": [order], "isLastPage": True})
    transport = httpx.MockTransport(lambda _request: page)
    day = {"start": datetime(2026, 3, 4, tzinfo=UTC), "end": datetime(2026, 3, 5, tzinfo=UTC)}
    token = FlexFactorToken("not-a-secret")
    with FlexFactor(token, mid=str(uuid4()), transport=transport) as flexfactor:
        assert found(reconcile(flexfactor, [], **day)) == [("only_theirs", "NEW")]
