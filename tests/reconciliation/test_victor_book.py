"""Our book against a sandbox's, over real sockets: everything that was planted is found, and
nothing else.
"""

import asyncio
from collections import Counter

import pytest

from victor_ext import (
    AsyncVictor,
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
