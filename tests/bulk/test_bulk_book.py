"""A state of bulk sending is a book: `reconcile` reads each of its payments once."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.bulk.bulk_runs import lose_answers, referenced, refused
from tests.cli.victor_command import Command, settings_of
from victor_ext.outbox._files import ENTRIES
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


def test_the_book_of_a_batch_has_also_what_its_later_lists_lack(sender, compared):
    """A name that is given each week: its export has the latest list alone."""
    weeks = [referenced(4)[:2], referenced(4)[2:]]
    for week in weeks:
        sender.finish(week)
    sender.finish([{**referenced(5)[4]}], batch="another")
    assert compared(sender().export())[0].ours == 2
    summary, rows = compared(sender().book())
    assert (summary.ours, kinds(rows)) == (4, ["only_theirs", *["matched"] * 4])


def test_a_payment_belongs_to_the_window_in_which_it_was_asked(sender, compared):
    sender.finish(referenced(2))
    for book in (sender().export(), sender().book()):
        summary, rows = compared(book, **LONG_AGO)
        assert (summary.ours, summary.outside, rows) == (2, 2, [])


def test_a_row_in_doubt_is_unchecked_in_every_window(sender, compared, victor_sandbox):
    victor_sandbox.inject("cut_request", operation="create", times=2)
    assert sender().send(referenced(1)).exit_status == 3
    for window in (THIS_WEEK, LONG_AGO):
        _, (row,) = compared(sender().book(), **window)
        assert (row.kind, row.ours.at) == (Kind.UNCHECKED, None)
        assert row.reason.startswith("Bulk sending calls it unknown.")


def test_a_request_whose_response_was_lost_is_matched_by_its_reference(
    sender, compared, victor_sandbox
):
    lose_answers(victor_sandbox)
    assert sender().send(referenced(1)).exit_status == 3
    assert kinds(compared(sender().book())[1]) == ["matched"]


def test_what_was_not_asked_is_not_missing(sender, compared):
    """Neither what waits, nor what may be another payment in another spelling."""
    first, second = referenced(2)
    sender.finish([first, second])
    respelled = {**first, "invoice_no": "INV-01", "client_reference_id": "REF-01"}
    assert sender().send([respelled, second]).counts == {"to_decide": 1, "created": 1}
    sender.store(referenced(3)[2:], batch="waiting")
    for book in (sender().export(), sender(batch=None).book()):
        summary, rows = compared(book)
        assert kinds(rows) == ["matched"] * 2
        assert summary.not_asked == 1


def test_rows_whose_contents_were_forgotten_are_counted(sender, compared):
    sender.finish(referenced(2))
    sender().forget(older_than=timedelta(0))
    for book in (sender().export(), sender().book()):
        summary, rows = compared(book)
        assert (summary.forgotten, kinds(rows)) == (2, ["only_theirs"] * 2)


def test_a_request_of_another_program_is_only_theirs(sender, compared, tmp_path):
    first, second = referenced(2)
    sender.finish([first])
    sender.finish([second], state=f"sqlite:///{tmp_path}/other.sqlite")
    (row, _) = compared(sender().book())[1]
    assert (row.kind, row.theirs.reference) == (Kind.ONLY_THEIRS, "REF-2")


def test_a_state_without_a_batch_is_no_empty_book(sender, compared, tmp_path):
    with refused("There is no state"):
        compared(sender(batch=None).book())
    sender.finish(referenced(1))
    with refused("There is no batch april"):
        compared(sender(batch="april").book())


def test_a_payment_whose_entry_was_deleted_is_no_difference(sender, compared):
    from victor_ext.bulk import StateLost

    sender.finish(referenced(2))
    with sender()._opened("march") as store, store.transaction() as db:
        db.execute(ENTRIES.delete())
    with pytest.raises(StateLost):
        compared(sender().book())


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


def test_a_difference_names_the_batch_of_its_row(bulk, victor_sandbox):
    bulk.write(referenced(1), "a.csv")
    assert bulk.send("a.csv").status == 0
    victor_sandbox.reset()
    settings = settings_of(victor_sandbox, *victor_sandbox.add_oauth_client())
    ran = reconciled(bulk, "--state", bulk.state, **settings)
    assert ran.out.startswith("missing       ours: a.csv, line 1, REF-1, 2.23 USD")


MISUSE = {
    "": "Name your book: a FILE, or --state URL for a state of bulk sending.",
    "ours.csv --state STATE": "Two books are named, ours.csv and --state: leave one of them out.",
    "ours.csv --batch a.csv": "--batch names a batch of a state: name that with --state.",
    "--state STATE --column amount=Betrag": "--column says how a FILE is written: leave it out.",
    "--state STATE --currency USD": "--currency says how a FILE is written: leave it out.",
    "--state STATE --batch b.csv": "There is no batch b.csv in ",
    "--state sqlite:///none.sqlite": "There is no state sqlite:///none.sqlite",
}


@pytest.mark.parametrize("words", MISUSE)
def test_a_book_that_cannot_be_meant_is_refused(bulk, words):
    bulk.write(referenced(1), "ours.csv")
    assert bulk.send("ours.csv").status == 0
    ran = reconciled(bulk, *words.replace("STATE", bulk.state).split())
    assert (ran.status, ran.out) == (2, "")
    assert MISUSE[words] in ran.err
