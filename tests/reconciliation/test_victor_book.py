"""Our book against a sandbox's, over real sockets: everything that was planted is found, and
nothing else.
"""

import asyncio
from collections import Counter
from functools import partial

import anyio
import pytest

from victor_ext import (
    AsyncVictor,
    ConfigurationError,
    ConnectionFailed,
    RetryPolicy,
    UnreadableResponse,
    VictorOAuth,
)
from victor_ext.reconciliation import Kind, reconcile, reconcile_async

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def book(planted, tmp_path_factory):
    return planted.write(tmp_path_factory.mktemp("book") / "ours.csv")


def found(report):
    return Counter(row.kind.value for row in report)


def test_all_planted_differences_are_found_and_no_others(planted, book):
    told, before = [], len(planted.sandbox.received())
    with reconcile(planted.victor, book, **planted.window, on_progress=told.append) as report:
        assert found(report) == planted.expected
        assert next(iter(report)).kind is Kind.DUPLICATE, "what matters most comes first"
    assert report.summary.outside == 1
    assert (told[-1].ours, told[-1].theirs) == (len(planted.rows), report.summary.theirs)
    assert {seen.method for seen in planted.sandbox.received()[before:]} == {"GET"}


def test_the_progress_says_how_much_of_our_file_is_read(planted, tmp_path):
    times = {"at": "2001-03-01T00:00:00Z", "amount": "1.00"}
    rows = [{"reference": f"OLD-{number:04}", **times} for number in range(1200)]
    told = []
    for ours in (planted.write(tmp_path / "ours.csv", rows), rows):
        with reconcile(planted.victor, ours, **planted.window, on_progress=told.append):
            pass
    of_file = [counts for counts in told if counts.read_share is not None]
    shares = [round(counts.read_share, 2) for counts in of_file]
    assert [counts.ours for counts in of_file[:3]] == [500, 1000, 1200]
    assert shares == [0.42, 0.83, *[1.0] * (len(shares) - 2)]
    of_mappings = told[len(of_file) :]
    assert {counts.read_share for counts in of_mappings} == {None}
    assert of_mappings[0].ours == 500


def test_a_row_says_what_differs_and_which_payments_it_is_about(planted, book):
    with reconcile(planted.victor, book, **planted.window) as report:
        rows = {(row.ours or row.theirs).reference: row for row in report.differences()}
    assert rows["AMOUNT-3"].differences == ("amount",)
    assert rows["CURRENCY-3"].differences == ("currency",)
    assert rows["MISSING-3"].ours.key == "key-of-a-missing-one-3"
    assert rows["ONLY-THEIRS-3"].theirs.status == "pending"
    assert rows["TWICE-1"].other_id not in (None, rows["TWICE-1"].theirs.id)
    assert rows[None].reason.startswith("The row has neither a reference nor an id, so it ")


def test_a_report_that_is_closed_cannot_be_read(planted):
    with reconcile(planted.victor, [], **planted.window) as report:
        pass
    with pytest.raises(ConfigurationError, match="The report is closed: read it inside the `with`"):
        report.differences()


def test_an_awaited_client_finds_the_same(planted, book):
    async def run():
        auth = VictorOAuth(*planted.sandbox.add_oauth_client())
        async with AsyncVictor(auth, base_url=planted.sandbox.url) as victor:
            with await reconcile_async(victor, book, **planted.window) as report:
                return found(report)

    assert asyncio.run(run()) == planted.expected


@pytest.mark.parametrize(
    ("fault", "options", "error"),
    [
        ("cut_answer", {"after": 60}, ConnectionFailed),
        ("status", {"status": 200, "body": "{}"}, UnreadableResponse),
    ],
    ids=["cut off", "without its list"],
)
def test_a_page_that_cannot_be_read_gives_no_report(planted, book, fault, options, error):
    """A page without its list is no empty one."""
    quick = planted.victor.with_options(retry=RetryPolicy(base=0.0, max_attempts=3))
    planted.sandbox.inject(fault, operation="list", skip=3, times=100, **options)
    try:
        with pytest.raises(error):
            reconcile(quick, book, **planted.window, page_size=10)
    finally:
        planted.sandbox.clear_faults()


def test_a_client_of_the_other_kind_or_of_none_is_refused_with_what_to_use(planted):
    awaited = AsyncVictor(VictorOAuth("id", "a secret that is fake"))
    for client, why in ((object(), "client is object: use "), (awaited, "is AsyncVictor: await ")):
        with pytest.raises(ConfigurationError, match=why):
            reconcile(client, [], **planted.window)
    mistaken = partial(reconcile_async, planted.victor, [], **planted.window)
    with pytest.raises(ConfigurationError, match="client is Victor: use reconcile instead"):
        anyio.run(mistaken)
