"""Our book against a sandbox's, over real sockets: everything that was planted is found, and
nothing else.
"""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.reconciliation.planted import Planted
from victor_ext import (
    AsyncVictor,
    ConfigurationError,
    ConnectionFailed,
    RetryPolicy,
    ServerError,
    Victor,
    VictorOAuth,
)
from victor_ext.money import Money
from victor_ext.reconciliation import Kind, Progress, reconcile, reconcile_async

pytestmark = [pytest.mark.slow, pytest.mark.hours]


@pytest.fixture(scope="module")
def book(planted: Planted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return planted.write(tmp_path_factory.mktemp("book") / "ours.csv")


def found(report: Any) -> Counter[str]:
    return Counter(row.kind.value for row in report)


def test_all_that_was_planted_is_found_and_nothing_else(planted: Planted, book: Path) -> None:
    told, before = list[Progress](), len(planted.sandbox.received())
    with reconcile(planted.victor, book, **planted.window, on_progress=told.append) as report:
        assert found(report) == planted.expected
        rows = {
            row.theirs.reference if row.ours is None else row.ours.reference: row
            for row in report.differences()
        }
        assert rows["AMOUNT-3"].differences == ("amount",)
        assert rows["CURRENCY-3"].differences == ("currency",)
        assert rows["ANOTHER-3"].differences == ("reference",)
        assert rows["MISSING-3"].ours.key == "key-of-a-missing-one-3"
        assert (
            rows[None].reason
            == "The row has neither a reference nor an id, so it cannot be compared."
        )
        assert rows[None].ours.key == "key-of-one-without-a-reference"
        assert rows["UNKNOWN-3"].theirs.status == "pending"
        assert rows["TWICE-1"].other_id not in (None, rows["TWICE-1"].theirs.id)
        assert next(iter(report)).kind is Kind.DUPLICATE
        summary = report.summary
    assert not report.agrees
    assert summary.totals[Kind.MISSING].ours == [Money.of("221.15", "USD")]
    assert summary.totals[Kind.MODIFIED].theirs == [Money.of("40.00", "USD")]
    assert summary.outside == 1
    assert told[-1].ours == len(planted.rows)
    assert told[-1].theirs == summary.theirs
    assert told[-1].looked_up == 1
    assert {seen.method for seen in planted.sandbox.received()[before:]} == {"GET"}


def test_an_awaited_client_finds_the_same(planted: Planted, book: Path) -> None:
    async def run() -> Counter[str]:
        auth = VictorOAuth(*planted.sandbox.add_oauth_client())
        async with AsyncVictor(auth, base_url=planted.sandbox.url) as victor:
            with await reconcile_async(victor, book, **planted.window) as report:
                return found(report)

    assert asyncio.run(run()) == planted.expected


@pytest.mark.parametrize(
    ("fault", "error"),
    [("status", ServerError), ("cut_answer", ConnectionFailed)],
    ids=["a 503", "a cut answer"],
)
def test_a_walk_that_fails_gives_no_report(
    planted: Planted, book: Path, fault: str, error: type[Exception]
) -> None:
    options: dict[str, Any] = {"status": {"status": 503}, "cut_answer": {"after": 60}}[fault]
    auth = VictorOAuth(*planted.sandbox.add_oauth_client())
    quick = RetryPolicy(base=0.0, max_attempts=3)
    with Victor(auth, base_url=planted.sandbox.url, retry=quick) as victor:
        planted.sandbox.inject(fault, operation="list", skip=3, times=100, **options)
        try:
            with pytest.raises(error):
                reconcile(victor, book, **planted.window)
        finally:
            planted.sandbox.clear_faults()
        with reconcile(victor, book, **planted.window) as report:
            assert found(report) == planted.expected


def test_the_client_belongs_to_the_function(planted: Planted) -> None:
    ours = [{"reference": "R", "amount": "1.00"}]
    with pytest.raises(
        ConfigurationError, match="client is AsyncVictor: await reconcile_async instead"
    ):
        reconcile(AsyncVictor(VictorOAuth("id", "a secret that is fake")), ours, **planted.window)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # the mistake

    async def mistaken() -> None:
        await reconcile_async(planted.victor, ours, **planted.window)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # the mistake

    with pytest.raises(ConfigurationError, match="client is Victor: use reconcile instead"):
        asyncio.run(mistaken())


def test_a_report_is_read_before_it_is_closed(planted: Planted) -> None:
    with reconcile(planted.victor, [], **planted.window) as report:
        pass
    for read in (report.__iter__, report.differences):
        with pytest.raises(
            ConfigurationError, match="The report is closed: read it inside the `with` statement"
        ):
            read()
