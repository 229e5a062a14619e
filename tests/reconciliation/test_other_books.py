"""Velo, EastPay and FlexFactor: the same report, as far as each provider can be asked."""

import asyncio
from collections.abc import Callable, Iterator
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
from victor_ext.providers.velo import Velo, VeloAuth
from victor_ext.reconciliation import reconcile, reconcile_async
from victor_ext.sandbox.eastpay import EastPaySandbox
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


def kinds(report: Any) -> list[str]:
    return [row.kind.value for row in report]


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


@pytest.fixture
def velo_sandbox() -> Iterator[Any]:
    with velo_adapter.sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def velo(velo_sandbox: Any) -> Iterator[Velo]:
    with velo_adapter.client(velo_sandbox, awaited=False) as client:
        yield client


@pytest.fixture
def bank() -> Iterator[EastPaySandbox]:
    with eastpay_adapter.sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def eastpay(bank: EastPaySandbox) -> Iterator[EastPay]:
    with eastpay_adapter.client(bank, awaited=False) as client:
        yield client


def test_payments_of_velo_are_matched_by_reference_and_compared_by_amount(
    compare: Compare, velo_sandbox: Any, velo: Velo
) -> None:
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
    new_client = partial(velo_adapter.client, velo_sandbox)
    rows, summary = compare(new_client, ours, payor_id=velo_sandbox.payor_id)
    assert rows == [
        ("duplicate", "TWICE", ()),
        ("differs", "LESS", ("amount",)),
        ("missing", "GONE", ()),
        ("unknown", "NEW", ()),
        ("matched", "EQUAL", ()),
        ("matched", "TWICE", ()),
    ]
    assert summary.theirs == 5


def test_a_payment_of_velo_beyond_the_window_is_looked_up_by_its_id(
    velo_sandbox: Any, velo: Velo
) -> None:
    velo_adapter.submit(velo, "LATE")
    (payment,) = velo.payments.list(velo_sandbox.payor_id)
    ids = (payment.id, "00000000-0000-4000-8000-000000000000", "no id of Velo's")
    ours = [{"id": id_, "amount": "44.23", "currency": "USD"} for id_ in ids]
    window = {"start": NOW - timedelta(days=9), "end": NOW - timedelta(days=8)}
    with reconcile(velo, ours, **window, payor_id=velo_sandbox.payor_id) as report:
        assert kinds(report) == ["missing", "missing", "matched"]


def test_eastpay_is_looked_up_payment_by_payment(
    compare: Compare, bank: EastPaySandbox, eastpay: EastPay
) -> None:
    def new_client(*, awaited: bool) -> Any:
        kind: Any = AsyncEastPay if awaited else EastPay
        entity = eastpay_adapter.ENTITY
        return kind(eastpay_adapter.TOKEN, base_url=f"{bank.url}/eastpay", entity_id=entity)

    equal, other = (eastpay_adapter.pay(eastpay, reference).id for reference in ("EQUAL", "OTHER"))
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
        *((amount, "matched") for amount in (None, "", "92.00", 92, 92.0, "EGP 92")),
        *(
            (amount, "differs")
            for amount in ("92,00", "EUR 92.00", {"value": "92.00"}, True, "92.001")
        ),
    ],
)
def test_an_amount_that_cannot_be_read_is_a_difference_though_one_may_be_left_out(
    compare: Compare, amount: Any, kind: str
) -> None:
    payment = {"id": "p-1", "currency": "EGP", "amount": amount, "result": {"code": "000.000.000"}}
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, json=payment))

    def new_client(*, awaited: bool) -> Any:
        make: Any = AsyncEastPay if awaited else EastPay
        url = "https://bank.example/pay"
        return make("t" * 32, base_url=url, entity_id="E1", transport=transport)

    rows, _ = compare(new_client, [{"id": "p-1", "amount": "92.00"}], currency="EGP")
    assert rows == [(kind, "p-1", ("amount",) if kind == "differs" else ())]


def inquired(
    reference: str, number: int, payment_type: str = "DB", code: str = "000.000.000"
) -> Payment:
    said = {
        "id": f"{number:032}",
        "merchantTransactionId": reference,
        "paymentType": payment_type,
        "result": {"code": code},
        "amount": "92.00",
        "currency": "egp" if reference == "KNOWN" else "EGP",
    }
    return Payment(said)


DECLINED = "800.100.152"
KNOWN = {
    "EQUAL": [inquired("EQUAL", 1), inquired("EQUAL", 2, "RF")],
    "TWICE": [inquired("TWICE", 3), inquired("TWICE", 4)],
    "AGAIN": [inquired("AGAIN", 5, code=DECLINED), inquired("AGAIN", 6)],
    "DECLINED": [inquired("DECLINED", 7, code=DECLINED)],
    "KNOWN": [inquired("KNOWN", 8), inquired("KNOWN", 9)],
    "WRONG": [inquired("WRONG", 10), inquired("WRONG", 11)],
}


def find(reference: str) -> list[Payment]:
    if reference == "404":
        raise NotFound("No such inquiry.")
    return KNOWN.get(reference, [])


def test_eastpay_is_looked_up_by_reference_where_its_bank_answers_that(eastpay: Any) -> None:
    """By a stand-in of the inquiry, which only some banks have: a step is no payment, and not found
    proves nothing.
    """
    eastpay.payments.entity = SimpleNamespace(found_by_reference=True)
    eastpay.payments.find = find
    without_id = dict.fromkeys(("EQUAL", "TWICE", "GONE", "404", "AGAIN", "DECLINED"))
    ids = without_id | {"KNOWN": f"{8:032}", "WRONG": f"{99:032}"}
    ours = [{"reference": reference, "id": id_, "amount": "92"} for reference, id_ in ids.items()]
    with reconcile(eastpay, ours, **WINDOW, currency="EGP") as report:
        rows = [
            (row.kind.value, row.ours.reference, " ".join(row.differences))
            for row in report
            if row.ours
        ]
    assert rows == [
        ("duplicate", "TWICE", ""),
        ("duplicate", "KNOWN", ""),
        ("duplicate", "WRONG", ""),
        ("differs", "WRONG", "id"),
        ("missing", "GONE", ""),
        ("unchecked", "404", ""),
        ("matched", "EQUAL", ""),
        ("matched", "TWICE", ""),
        ("matched", "AGAIN", ""),
        ("matched", "DECLINED", ""),
        ("matched", "KNOWN", ""),
    ]


def test_flexfactor_has_a_list_and_no_amounts(compare: Compare) -> None:
    with FlexFactorSandbox() as sandbox:
        app_key, app_secret, mid = sandbox.add_client()
        for order in ("EQUAL", "NEW"):
            sandbox.add_order(order)
        known = sandbox.add_order("KNOWN")

        def new_client(*, awaited: bool) -> Any:
            kind: Any = AsyncFlexFactor if awaited else FlexFactor
            return kind(FlexFactorAuth(app_key, app_secret), mid=mid, base_url=sandbox.url)

        ours = [
            {"external_order_id": "EQUAL", "amount": "1.00", "currency": "USD"},
            {"external_order_id": "EURO", "amount": "1.00", "currency": "EUR", "id": known},
            {"external_order_id": "GONE", "amount": "1.00", "currency": "USD"},
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
def test_a_time_without_a_zone_takes_no_order_out_of_the_window(placed: str | None) -> None:
    """The provider's list has it in the window, and in which zone it writes its times is not
    documented.
    """

    def provider(request: httpx.Request) -> httpx.Response:
        order = {"orderId": "o-1", "externalOrderId": "NEW", "orderPlacedDate": placed}
        return httpx.Response(200, json={"items": [order], "isLastPage": True})

    start = datetime(2026, 3, 4, tzinfo=UTC)
    token = FlexFactorToken("not-a-secret")
    with (
        FlexFactor(token, mid=str(uuid4()), transport=httpx.MockTransport(provider)) as flexfactor,
        reconcile(flexfactor, [], start=start, end=start + timedelta(days=1)) as report,
    ):
        assert kinds(report) == ["unknown"]


@pytest.mark.parametrize(("status", "error"), [(500, ServerError), (400, BadRequest)])
def test_a_lookup_that_fails_is_no_missing_payment_where_no_list_was_read(
    bank: EastPaySandbox, status: int, error: type[Exception]
) -> None:
    retry = RetryPolicy(base=0.0, max_attempts=3)
    bank.inject("status", status=status, operation="inquire", times=100)
    with (
        eastpay_adapter.client(bank, awaited=False, retry=retry) as eastpay,
        pytest.raises(error),
    ):
        reconcile(eastpay, [{"id": "0" * 32, "amount": "1"}], **WINDOW, currency="EGP")


def test_only_clients_are_taken_and_velo_needs_the_payor() -> None:
    clients: dict[Any, str] = {
        object(): r"client is object: use .* Victor, EastPay, FlexFactor or Velo",
        Velo(VeloAuth("key", "not-a-secret")): "payor_id is missing",
    }
    for client, message in clients.items():
        with pytest.raises(ConfigurationError, match=message):
            reconcile(client, [], **WINDOW)
