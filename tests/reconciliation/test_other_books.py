"""Velo, EastPay and FlexFactor: the same report, as far as each provider can be asked."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.providers.eastpay import adapter as eastpay_adapter
from tests.providers.velo import adapter as velo_adapter
from victor_ext import BadRequest, ConfigurationError, NotFound, RetryPolicy, ServerError
from victor_ext.money import Money
from victor_ext.providers.eastpay import AsyncEastPay, EastPay, Payment
from victor_ext.providers.flexfactor import (
    AsyncFlexFactor,
    FlexFactor,
    FlexFactorAuth,
    FlexFactorToken,
)
from victor_ext.reconciliation import reconcile, reconcile_async
from victor_ext.sandbox.flexfactor import FlexFactorSandbox

pytestmark = [pytest.mark.slow, pytest.mark.hours]
NOW = datetime.now(UTC)
WINDOW = {"start": NOW - timedelta(hours=1), "end": NOW + timedelta(hours=23)}
Report = tuple[list[tuple[str, str | None, tuple[str, ...]]], Any]
"""The rows (kind, reference or id, differences), and the summary."""
Compare = Callable[..., Report]


def shown(report: Any) -> Report:
    with report:
        rows = [(row, row.ours or row.theirs) for row in report]
        return [
            (row.kind.value, payment.reference or payment.id, row.differences)
            for row, payment in rows
        ], report.summary


@pytest.fixture(params=[False, True], ids=["blocking", "awaited"])
def compare(request: pytest.FixtureRequest) -> Compare:
    """Compare with a client, which the first argument makes: it is told whether it is awaited."""

    def run(new_client: Callable[..., Any], ours: list[dict[str, Any]], **options: Any) -> Report:
        async def awaited() -> Report:
            async with new_client(awaited=True) as client:
                return shown(await reconcile_async(client, ours, **WINDOW, **options))

        if request.param:
            return asyncio.run(awaited())
        with new_client(awaited=False) as client:
            return shown(reconcile(client, ours, **WINDOW, **options))

    return run


def test_payments_of_velo_are_matched_by_reference_and_compared_by_amount(compare):
    with velo_adapter.sandbox() as sandbox, velo_adapter.client(sandbox, awaited=False) as velo:
        for reference, price in (
            ("EQUAL", "44.23"),
            ("LESS", "44.23"),
            ("TWICE", "1"),
            ("TWICE", "1"),
            ("NEW", "1"),
        ):
            velo.payouts.submit([velo_adapter.pay(reference, amount=Money.of(price, "USD"))])
        prices = {"EQUAL": "44.23", "LESS": "44", "TWICE": "1", "GONE": "1"}
        ours = [
            {"payor_payment_id": reference, "amount": amount, "currency": "USD"}
            for reference, amount in prices.items()
        ]
        new_client = partial(velo_adapter.client, sandbox)
        rows, _ = compare(new_client, ours, payor_id=sandbox.payor_id)
        listed = velo.payments.list(sandbox.payor_id)
        (equal,) = (payment for payment in listed if payment.payor_payment_id == "EQUAL")
        # Beyond the window, one is looked up by its id.
        ids = (equal.id, "00000000-0000-4000-8000-000000000000", "no id of Velo's")
        ours = [{"id": id_, "amount": "44.23", "currency": "USD"} for id_ in ids]
        window = {"start": NOW - timedelta(days=9), "end": NOW - timedelta(days=8)}
        with reconcile(velo, ours, **window, payor_id=sandbox.payor_id) as report:
            assert [row.kind.value for row in report] == ["missing", "missing", "matched"]
        with pytest.raises(ConfigurationError, match="payor_id is missing"):
            reconcile(velo, [], **WINDOW)
    assert rows == [
        ("duplicate", "TWICE", ()),
        ("differs", "LESS", ("amount",)),
        ("missing", "GONE", ()),
        ("unknown", "NEW", ()),
        ("matched", "EQUAL", ()),
        ("matched", "TWICE", ()),
    ]


def new_eastpay(*, awaited: bool, **options: Any) -> Any:
    kind: Any = AsyncEastPay if awaited else EastPay
    entity = eastpay_adapter.ENTITY
    return kind(eastpay_adapter.TOKEN, **{"entity_id": entity, **options})


def test_eastpay_is_looked_up_payment_by_payment(compare):
    with eastpay_adapter.sandbox() as bank:
        new_client = partial(new_eastpay, base_url=f"{bank.url}/eastpay")
        with new_client(awaited=False) as eastpay:
            equal, other = (eastpay_adapter.pay(eastpay, name).id for name in ("EQUAL", "OTHER"))
        ours = [
            {"id": equal, "reference": "EQUAL", "amount": "92.00"},
            {"id": other, "amount": "91.00"},
            {"id": "0" * 32, "amount": "1.00"},
            {"reference": "NO-ID", "amount": "1.00"},
        ]
        rows, summary = compare(new_client, ours, currency="EGP")
    assert rows == [
        ("differs", other, ("amount",)),
        ("missing", "0" * 32, ()),
        ("unchecked", "NO-ID", ()),
        ("matched", "EQUAL", ()),
    ]
    no_list = "EastPay has no list: payments that are missing in our book cannot be detected."
    assert no_list in summary.notes


@pytest.mark.parametrize(
    ("amount", "kind"),
    [
        *((amount, "matched") for amount in (None, "", "92.00", 92, "EGP 92")),
        *((amount, "differs") for amount in ("92,00", "EUR 92.00", {"value": "92.00"}, "92.001")),
    ],
)
def test_an_amount_that_cannot_be_read_is_a_difference_though_one_may_be_left_out(
    compare, amount, kind
):
    payment = {"id": "p-1", "currency": "EGP", "amount": amount, "result": {"code": "000.000.000"}}
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, json=payment))
    new_client = partial(new_eastpay, base_url="https://bank.example/pay", transport=transport)
    rows, _ = compare(new_client, [{"id": "p-1", "amount": "92.00"}], currency="EGP")
    assert rows == [(kind, "p-1", ("amount",) if kind == "differs" else ())]


DECLINED = "800.100.152"
KNOWN: dict[str, list[tuple[int, str, str]]] = {
    "EQUAL": [(1, "DB", "000.000.000"), (2, "RF", "000.000.000")],
    "TWICE": [(3, "DB", "000.000.000"), (4, "DB", "000.000.000")],
    "AGAIN": [(5, "DB", DECLINED), (6, "DB", "000.000.000")],
    "DECLINED": [(7, "DB", DECLINED)],
    "WRONG": [(10, "DB", "000.000.000"), (11, "DB", "000.000.000")],
    "GONE": [],
}


def test_eastpay_is_looked_up_by_reference_where_its_bank_answers_that():
    """By a stand-in of the inquiry, which only some banks have: a step is no payment, and not found
    proves nothing.
    """

    def find(reference):
        if reference == "404":
            raise NotFound("No such inquiry.")
        common = {"merchantTransactionId": reference, "amount": "92.00", "currency": "EGP"}
        return [
            Payment({"id": f"{n:032}", "paymentType": kind, "result": {"code": code}, **common})
            for n, kind, code in KNOWN[reference]
        ]

    eastpay = new_eastpay(awaited=False, base_url="https://bank.example/pay")
    eastpay.payments.entity = SimpleNamespace(found_by_reference=True)
    eastpay.payments.find = find
    ids = dict.fromkeys((*KNOWN, "404")) | {"WRONG": f"{99:032}"}
    ours = [{"reference": reference, "id": id_, "amount": "92"} for reference, id_ in ids.items()]
    with eastpay, reconcile(eastpay, ours, **WINDOW, currency="EGP") as report:
        rows = {(row.kind.value, row.ours.reference) for row in report if row.ours}
    assert rows == {
        ("duplicate", "TWICE"),
        ("duplicate", "WRONG"),
        ("differs", "WRONG"),
        ("missing", "GONE"),
        ("unchecked", "404"),
        *(("matched", reference) for reference in ("EQUAL", "TWICE", "AGAIN", "DECLINED")),
    }


def test_flexfactor_has_a_list_and_no_amounts(compare):
    with FlexFactorSandbox() as sandbox:
        app_key, app_secret, mid = sandbox.add_client()
        for order in ("EQUAL", "NEW"):
            sandbox.add_order(order)
        known = sandbox.add_order("KNOWN")

        def new_client(*, awaited):
            kind = AsyncFlexFactor if awaited else FlexFactor
            return kind(FlexFactorAuth(app_key, app_secret), mid=mid, base_url=sandbox.url)

        one = {"amount": "1.00", "currency": "USD"}
        ours = [
            {"external_order_id": "EQUAL", **one},
            {"external_order_id": "EURO", **one, "currency": "EUR", "id": known},
            {"external_order_id": "GONE", **one},
        ]
        rows, summary = compare(new_client, ours)
    assert sorted(rows) == [
        ("differs", "EURO", ("currency", "reference")),
        ("matched", "EQUAL", ()),
        ("missing", "GONE", ()),
        ("unknown", "NEW", ()),
    ]
    assert summary.notes == (
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
    start = datetime(2026, 3, 4, tzinfo=UTC)
    token = FlexFactorToken("not-a-secret")
    with (
        FlexFactor(token, mid=str(uuid4()), transport=transport) as flexfactor,
        reconcile(flexfactor, [], start=start, end=start + timedelta(days=1)) as report,
    ):
        assert [row.kind.value for row in report] == ["unknown"]


@pytest.mark.parametrize(("status", "error"), [(500, ServerError), (400, BadRequest)])
def test_a_lookup_that_fails_is_no_missing_payment_where_no_list_was_read(status, error):
    retry = RetryPolicy(base=0.0, max_attempts=3)
    transport = httpx.MockTransport(lambda _request: httpx.Response(status, json={}))
    bank = {"base_url": "https://bank.example/pay", "transport": transport, "retry": retry}
    with new_eastpay(awaited=False, **bank) as eastpay, pytest.raises(error):
        reconcile(eastpay, [{"id": "0" * 32, "amount": "1"}], **WINDOW, currency="EGP")
