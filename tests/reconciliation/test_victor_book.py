"""Our book against a sandbox's, over real sockets: everything that was planted is found, and
nothing else.
"""

import asyncio
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.reconciliation.planted import Planted
from victor_ext import (
    AsyncVictor,
    ConfigurationError,
    ConnectionFailed,
    RetryPolicy,
    ServerError,
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


def test_all_that_was_planted_is_found_and_nothing_else(planted, book):
    told, before = list[Progress](), len(planted.sandbox.received())
    with reconcile(planted.victor, book, **planted.window, on_progress=told.append) as report:
        assert found(report) == planted.expected
        rows = {
            row.theirs.reference if row.ours is None else row.ours.reference: row
            for row in report.differences()
        }
        differences = {"AMOUNT-3": "amount", "CURRENCY-3": "currency", "ANOTHER-3": "reference"}
        for name, difference in differences.items():
            assert rows[name].differences == (difference,)
        assert rows["MISSING-3"].ours.key == "key-of-a-missing-one-3"
        assert rows[None].reason.startswith("The row has neither a reference nor an id, so it ")
        assert rows["UNKNOWN-3"].theirs.status == "pending"
        assert rows["TWICE-1"].other_id not in (None, rows["TWICE-1"].theirs.id)
        assert next(iter(report)).kind is Kind.DUPLICATE
        summary = report.summary
    with pytest.raises(ConfigurationError, match="The report is closed: read it inside the `with`"):
        report.differences()
    assert summary.totals[Kind.MISSING].ours == [Money.of("221.15", "USD")]
    assert summary.totals[Kind.MODIFIED].theirs == [Money.of("40.00", "USD")]
    assert summary.outside == 1
    assert (told[-1].ours, told[-1].theirs) == (len(planted.rows), summary.theirs)
    assert {seen.method for seen in planted.sandbox.received()[before:]} == {"GET"}


def test_an_awaited_client_finds_the_same(planted, book):
    async def run():
        auth = VictorOAuth(*planted.sandbox.add_oauth_client())
        async with AsyncVictor(auth, base_url=planted.sandbox.url) as victor:
            with await reconcile_async(victor, book, **planted.window) as report:
                return found(report)

    assert asyncio.run(run()) == planted.expected


@pytest.mark.parametrize(
    ("fault", "options", "error"),
    [("status", {"status": 503}, ServerError), ("cut_answer", {"after": 60}, ConnectionFailed)],
)
def test_a_walk_that_fails_gives_no_report(planted, book, fault, options, error):
    quick = planted.victor.with_options(retry=RetryPolicy(base=0.0, max_attempts=3))
    planted.sandbox.inject(fault, operation="list", skip=3, times=100, **options)
    try:
        with pytest.raises(error):
            reconcile(quick, book, **planted.window)
    finally:
        planted.sandbox.clear_faults()


def test_the_client_belongs_to_the_function(planted):
    ours, awaited = list[Any](), AsyncVictor(VictorOAuth("id", "a secret that is fake"))
    mistaken = partial(reconcile_async, planted.victor, ours, **planted.window)
    wrong = {object(): "client is object: use ", awaited: "is AsyncVictor: await "}
    for client, why in wrong.items():
        with pytest.raises(ConfigurationError, match=why):
            reconcile(client, ours, **planted.window)
    with pytest.raises(ConfigurationError, match="client is Victor: use reconcile instead"):
        anyio.run(mistaken)
