"""A state of bulk sending is a book: `reconcile` reads each of its payments once."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.bulk.bulk_runs import referenced
from tests.cli.victor_command import Command
from victor_ext.reconciliation import Kind, reconcile

pytestmark = pytest.mark.pull_request
NOW = datetime.now(UTC)
THIS_WEEK = {"start": NOW - timedelta(days=3), "end": NOW + timedelta(days=3)}
LONG_AGO = {"start": NOW - timedelta(days=300), "end": NOW - timedelta(days=200)}


@pytest.fixture
def compared(client):
    """Compares our book with the provider's: the summary, and the rows of the report."""

    def compare(book, **window):
        with reconcile(client, book, **{**THIS_WEEK, **window}) as report:
            return report.summary, [*report]

    return compare


def kinds(rows):
    return [row.kind.value for row in rows]


def test_each_payment_of_a_state_is_compared_once_whatever_sheets_list_it(
    sender, compared, any_state
):
    first, second, third = referenced(3)
    here = sender.of(state=any_state)
    here.finish([first, second], batch="march")
    here.finish([second, third], batch="april")
    summary, rows = compared(here(batch=None).book())
    assert (summary.ours, kinds(rows)) == (3, ["matched"] * 3)
    places = {row.ours.reference: (row.ours.batch, row.ours.line) for row in rows}
    assert places == {"REF-1": ("march", 1), "REF-2": ("march", 2), "REF-3": ("april", 2)}
    assert rows[0].to_dict()["batch"] == rows[0].ours.batch


def test_the_book_of_a_batch_has_its_payments_and_no_others(sender, compared):
    sender.finish(referenced(4))
    sender.finish([{**referenced(5)[4]}], batch="another")
    summary, rows = compared(sender().book())
    assert (summary.ours, kinds(rows)) == (4, ["only_theirs", *["matched"] * 4])


def test_a_row_in_doubt_is_unchecked_in_every_window(sender, compared, victor_sandbox):
    victor_sandbox.inject("cut_request", operation="create", times=2)
    assert sender().send(referenced(1)).exit_status == 3
    for window in (THIS_WEEK, LONG_AGO):
        _, (row,) = compared(sender().book(), **window)
        assert (row.kind, row.ours.at) == (Kind.UNCHECKED, None)
        assert row.reason.startswith("Bulk sending calls it unknown.")


# The command


def reconciled(bulk, *words, **variables):
    window = ("--start", "yesterday", "--end", "tomorrow")
    return Command.__call__(bulk, "reconcile", *window, *words, **variables)


def test_the_command_compares_a_whole_state_or_some_batches(bulk):
    for number, name in enumerate(["a.csv", "b.csv", "c.csv"]):
        bulk.write([referenced(3)[number]], name)
        assert bulk.send(name).status == 0
    whole = reconciled(bulk, "--state", bulk.state)
    assert (whole.status, whole.out.splitlines()[-1]) == (0, "The books agree.")
    two = reconciled(bulk, "--state", bulk.state, "--batch", "a.csv", "--batch", "b.csv")
    assert two.status == 1
    (difference, *_) = two.out.splitlines()
    assert difference.startswith("only theirs")
    assert "REF-3" in difference
