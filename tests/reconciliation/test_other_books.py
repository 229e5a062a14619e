"""Velo, EastPay and FlexFactor: the same report, as far as each provider can be asked."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from eastpay_api import models

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
from victor_ext.providers.velo import PaymentInstruction, Velo, VeloAuth
from victor_ext.reconciliation import reconcile, reconcile_async
from victor_ext.sandbox.eastpay import EastPaySandbox
from victor_ext.sandbox.flexfactor import FlexFactorSandbox

pytestmark = [pytest.mark.slow, pytest.mark.hours]
NOW = datetime.now(UTC)
WINDOW = {"start": NOW - timedelta(hours=1), "end": NOW + timedelta(hours=23)}
Report = list[tuple[str, str | None, tuple[str, ...]]]
Compare = Callable[..., tuple[Report, Any]]


@pytest.fixture(params=[False, True], ids=["blocking", "awaited"])
def compare(request: pytest.FixtureRequest) -> Compare:
    """Compare with a client of an adapter: the rows (kind, reference or id, differences), and the
    summary.
    """

    def shown(report: Any) -> tuple[Report, Any]:
        with report:
            rows = [
                (
                    row.kind.value,
                    (row.ours or row.theirs).reference or (row.ours or row.theirs).id,
                    row.differences,
                )
                for row in report
            ]
            return rows, report.summary

    def run(
        adapter: Any, sandbox: Any, ours: list[dict[str, Any]], **options: Any
    ) -> tuple[Report, Any]:
        async def awaited() -> tuple[Report, Any]:
            async with adapter.client(sandbox, awaited=True) as client:
                return shown(await reconcile_async(client, ours, **WINDOW, **options))

        if request.param:
            return asyncio.run(awaited())
        with adapter.client(sandbox, awaited=False) as client:
            return shown(reconcile(client, ours, **WINDOW, **options))

    return run


def test_payments_of_velo_are_matched_by_reference_and_compared_by_amount(compare: Compare) -> None:
    with velo_adapter.sandbox() as sandbox:
        with velo_adapter.client(sandbox, awaited=False) as velo:
            prices = (("EQUAL", "44.23"), ("LESS", "44.23"), *[("TWICE", "1")] * 2, ("NEW", "1"))
            for reference, price in prices:
                payment = PaymentInstruction(
                    remote_id=velo_adapter.PAYEE, amount=Money.of(price, "USD"),
                    source_account_name=velo_adapter.ACCOUNT, payor_payment_id=reference,
                )  # fmt: skip
                velo.payouts.submit([payment])
        ours = [
            {"payor_payment_id": reference, "amount": amount, "currency": "USD"}
            for reference, amount in (
                ("EQUAL", "44.23"),
                ("LESS", "44"),
                ("TWICE", "1"),
                ("GONE", "1"),
            )
        ]
        rows, summary = compare(velo_adapter, sandbox, ours, payor_id=sandbox.payor_id)
    assert rows == [
        ("duplicate", "TWICE", ()),
        ("differs", "LESS", ("amount",)),
        ("missing", "GONE", ()),
        ("unknown", "NEW", ()),
        ("matched", "EQUAL", ()),
        ("matched", "TWICE", ()),
    ]
    assert summary.theirs == 5


def test_a_payment_of_velo_beyond_the_window_is_looked_up_by_its_id() -> None:
    with velo_adapter.sandbox() as sandbox, velo_adapter.client(sandbox, awaited=False) as velo:
        velo_adapter.submit(velo, "LATE")
        (payment,) = velo.payments.list(sandbox.payor_id)
        ours = [
            {"id": payment_id, "amount": "44.23", "currency": "USD"}
            for payment_id in (
                payment.id,
                "00000000-0000-4000-8000-000000000000",
                "no id of Velo's",
            )
        ]
        window = {"start": NOW - timedelta(days=9), "end": NOW - timedelta(days=8)}
        with reconcile(velo, ours, **window, payor_id=sandbox.payor_id) as report:
            assert [row.kind.value for row in report] == ["missing", "missing", "matched"]


def test_eastpay_is_looked_up_payment_by_payment(compare: Compare) -> None:
    def client(sandbox: EastPaySandbox, *, awaited: bool) -> Any:
        kind: Any = AsyncEastPay if awaited else EastPay
        entity = eastpay_adapter.ENTITY
        return kind(eastpay_adapter.TOKEN, base_url=f"{sandbox.url}/eastpay", entity_id=entity)

    with eastpay_adapter.sandbox() as sandbox:
        with eastpay_adapter.client(sandbox, awaited=False) as eastpay:
            ids = [eastpay_adapter.pay(eastpay, reference).id for reference in ("EQUAL", "OTHER")]
        ours = [
            {"id": ids[0], "reference": "EQUAL", "amount": "92.00"},
            {"id": ids[1], "amount": "91.00"},
            {"id": "0" * 32, "amount": "1.00"},
            {"reference": "NO-ID", "amount": "1.00"},
        ]
        rows, summary = compare(SimpleNamespace(client=client), sandbox, ours, currency="EGP")
    assert rows == [
        ("differs", ids[1], ("amount",)),
        ("missing", "0" * 32, ()),
        ("unchecked", "NO-ID", ()),
        ("matched", "EQUAL", ()),
    ]
    assert (
        "EastPay has no list: payments that are missing in our book cannot be detected."
        in summary.notes
    )


@pytest.mark.parametrize(
    ("said", "differences"),
    [
        *((said, ()) for said in (None, "", "92.00", 92, 92.0, "EGP 92")),
        *(
            (said, ("amount",))
            for said in ("92,00", "EUR 92.00", {"value": "92.00"}, True, "92.001")
        ),
    ],
)
def test_an_amount_that_cannot_be_read_is_a_difference_though_one_may_be_left_out(
    compare: Compare, said: Any, differences: tuple[str, ...]
) -> None:
    payment = {"id": "p-1", "currency": "EGP", "amount": said, "result": {"code": "000.000.000"}}

    def client(_sandbox: object, *, awaited: bool) -> Any:
        transport = httpx.MockTransport(lambda _request: httpx.Response(200, json=payment))
        kind: Any = AsyncEastPay if awaited else EastPay
        return kind(
            "t" * 32, base_url="https://bank.example/pay", entity_id="E1", transport=transport
        )

    ours = [{"id": "p-1", "amount": "92.00"}]
    rows, _ = compare(SimpleNamespace(client=client), None, ours, currency="EGP")
    assert rows == [("differs" if differences else "matched", "p-1", differences)]


def test_eastpay_is_looked_up_by_reference_where_its_bank_answers_that() -> None:
    """By a stand-in of the inquiry, which only some banks have: a step is no payment, and not found
    proves nothing.
    """

    def payment(
        reference: str, number: int, payment_type: str = "DB", code: str = "000.000.000"
    ) -> Payment:
        amounts = {"amount": "92.00", "currency": "egp" if reference == "KNOWN" else "EGP"}
        return Payment(models.Payment.from_dict({
            "id": f"{number:032}", "merchantTransactionId": reference, "paymentType": payment_type,
            "result": {"code": code}, **amounts,
        }))  # fmt: skip

    def find(reference: str) -> list[Payment]:
        if reference == "404":
            raise NotFound("No such inquiry.")
        known = {
            "EQUAL": [payment("EQUAL", 1), payment("EQUAL", 2, "RF")],
            "TWICE": [payment("TWICE", 3), payment("TWICE", 4)],
            "AGAIN": [payment("AGAIN", 5, code="800.100.152"), payment("AGAIN", 6)],
            "DECLINED": [payment("DECLINED", 7, code="800.100.152")],
            "KNOWN": [payment("KNOWN", 8), payment("KNOWN", 9)],
            "WRONG": [payment("WRONG", 10), payment("WRONG", 11)],
        }
        return known.get(reference, [])

    ids = dict.fromkeys(("EQUAL", "TWICE", "GONE", "404", "AGAIN", "DECLINED")) | {
        "KNOWN": f"{8:032}",
        "WRONG": f"{99:032}",
    }
    ours = [{"reference": reference, "id": id_, "amount": "92"} for reference, id_ in ids.items()]
    with (
        eastpay_adapter.sandbox() as sandbox,
        eastpay_adapter.client(sandbox, awaited=False) as eastpay,
    ):
        eastpay.payments.entity = SimpleNamespace(found_by_reference=True)
        eastpay.payments.find = find
        with reconcile(eastpay, ours, **WINDOW, currency="EGP") as report:
            rows = [
                (row.kind.value, row.ours.reference, " ".join(row.differences))
                for row in report
                if row.ours
            ]
    assert rows == [
        *(("duplicate", reference, "") for reference in ("TWICE", "KNOWN", "WRONG")),
        ("differs", "WRONG", "id"),
        ("missing", "GONE", ""),
        ("unchecked", "404", ""),
        *(
            ("matched", reference, "")
            for reference in ("EQUAL", "TWICE", "AGAIN", "DECLINED", "KNOWN")
        ),
    ]


def test_flexfactor_has_a_list_and_no_amounts(compare: Compare) -> None:
    with FlexFactorSandbox() as sandbox:
        app_key, app_secret, mid = sandbox.add_client()
        for order in ("EQUAL", "NEW"):
            sandbox.add_order(order)
        known = sandbox.add_order("KNOWN")

        def client(sandbox: FlexFactorSandbox, *, awaited: bool) -> Any:
            kind: Any = AsyncFlexFactor if awaited else FlexFactor
            return kind(FlexFactorAuth(app_key, app_secret), mid=mid, base_url=sandbox.url)

        ours = [
            {"external_order_id": "EQUAL", "amount": "1.00", "currency": "USD"},
            {"external_order_id": "EURO", "amount": "1.00", "currency": "EUR", "id": known},
            {"external_order_id": "GONE", "amount": "1.00", "currency": "USD"},
        ]
        rows, summary = compare(SimpleNamespace(client=client), sandbox, ours)
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
        assert [row.kind.value for row in report] == ["unknown"]


@pytest.mark.parametrize(("status", "error"), [(500, ServerError), (400, BadRequest)])
def test_a_lookup_that_fails_is_no_missing_payment_where_no_list_was_read(
    status: int, error: type[Exception]
) -> None:
    retry = RetryPolicy(base=0.0, max_attempts=3)
    with (
        eastpay_adapter.sandbox() as sandbox,
        eastpay_adapter.client(sandbox, awaited=False, retry=retry) as eastpay,
    ):
        sandbox.inject("status", status=status, operation="inquire", times=100)
        ours = [{"id": "0" * 32, "amount": "1"}]
        with pytest.raises(error):
            reconcile(eastpay, ours, **WINDOW, currency="EGP")


def test_only_clients_are_taken_and_velo_needs_the_payor() -> None:
    clients: dict[Any, str] = {
        object(): r"client is object: use .* Victor, EastPay, FlexFactor or Velo",
        Velo(VeloAuth("key", "not-a-secret")): "payor_id is missing",
    }
    for client, message in clients.items():
        with pytest.raises(ConfigurationError, match=message):
            reconcile(client, [], **WINDOW)
