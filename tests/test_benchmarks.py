"""What `make bench` says at its end, and what its pages are made of."""

import copy

import pytest

from benchmarks import comparison, page, scale
from benchmarks.comparison import Comparison, of_clients, of_stores
from benchmarks.figures import TIMES

NEW_CPU = {"checked_cpu": 6.0, "stored_cpu": 9.0, "status_cpu": 1.0, "export_cpu": 4.0}
"""Seconds that an older run has not counted."""
RAW, CPU = f"{TIMES} raw httpx", f"{TIMES} its CPU"


@pytest.fixture
def clients():
    return page.recorded()


@pytest.fixture
def stores():
    record = scale.recorded()
    record["bulk"] = [{**run, **NEW_CPU, "rows": 20_000} for run in record["bulk"]]
    return record


def slower(record, measure, times, *, client="victor"):
    """The record of clients, of which one took so many times as long."""
    record = copy.deepcopy(record)
    rounds = record["measures"][measure][client]
    record["measures"][measure][client] = [
        [[units, seconds * times, cpu * times], raw] for (units, seconds, cpu), raw in rounds
    ]
    return record


def listed(committed, now, figures):
    """The rows that are behind, and by how much."""
    found = Comparison("Clients", committed, now, figures).losses()
    return {(loss.row, round(loss.worse, 2)) for loss in found}


def test_a_client_that_is_a_fifth_slower_is_listed_by_time_and_by_cpu(clients):
    now = slower(clients, "first", 1.2)
    assert listed(clients, now, of_clients) == {
        ("first-answer: victor_ext as it comes, " + RAW, 0.2),
        ("first-answer: victor_ext as it comes, " + CPU, 0.2),
    }


def test_memory_is_compared_as_a_multiple_of_raw_httpx(clients):
    now = copy.deepcopy(clients)
    for peaks in now["measures"]["memory"].values():
        peaks[0][0] *= 2  # as another allocator would
    assert listed(clients, now, of_clients) == set()
    now["measures"]["memory"]["victor"][0][0] *= 1.2
    (found,) = listed(clients, now, of_clients)
    assert found == ("memory: victor_ext as it comes, " + RAW, 0.2)


@pytest.mark.parametrize(
    ("path", "times", "row"),
    [
        (["bulk", 0, "checked_cpu"], 1.2, "bulk: checking: send --dry-run on SQLite, CPU by hand"),
        (["bulk", 1, "stored_cpu"], 1.2, "bulk: until all rows are stored on PostgreSQL, CPU"),
        (["bulk", 0, "sender_cpu"], 1.2, "bulk: send in all on SQLite"),
        (["bulk", 0, "status_cpu"], 1.2, "reports: status on SQLite"),
        (["bulk", 0, "export_cpu"], 1.2, "reports: export on SQLite"),
        (["bulk", 0, "rate"], 0.8, "bulk: a file on SQLite, rows a second"),
        (["bulk", 0, "peak_mib"], 1.2, "bulk: a file on SQLite, MiB at most"),
        (["growth", 0, "times"], 1.2, "growth: outbox on SQLite, times"),
        (["outbox", "rates", "SQLite", "outbox_of_hand"], 0.8, "outbox: on SQLite, rows a second"),
        (["outbox", "rates", "PostgreSQL", "bulk_cpu"], 1.2, "bulk: on PostgreSQL, CPU by hand"),
        (["outbox", "rates", "PostgreSQL", "two_of_one"], 0.8, "outbox: two workers, times one"),
    ],
)
def test_each_row_of_bulk_and_outbox_that_is_a_fifth_worse_is_listed(stores, path, times, row):
    now, (*folders, name) = copy.deepcopy(stores), path
    found = now
    for folder in folders:
        found = found[folder]
    found[name] *= times
    ((label, worse),) = listed(stores, now, of_stores)
    assert label.startswith(row)
    assert worse == 0.2
    found[name] = found[name] / times / times  # better than before
    assert listed(stores, now, of_stores) == set()


@pytest.mark.parametrize(
    "other",
    [
        {"machine": "Linux, 2 cores, Another"},
        {"machine": "Linux, 4 cores, AMD EPYC"},
        {"python": "3.13.1"},
    ],
)
def test_another_kind_of_machine_is_said_and_not_compared(clients, other):
    clients["machine"], clients["python"] = "Linux, 2 cores, AMD EPYC", "3.11.7"
    now = {**slower(clients, "first", 3), **other}
    said = comparison.markdown([Comparison("Clients", clients, now, of_clients)])
    assert "of another kind of machine" in said
    assert all(value in said for value in other.values())
    assert "|" not in said
    assert "No row" not in said


def test_the_pages_are_those_of_the_committed_records(clients):
    assert page.PAGE.read_text("utf-8") == page.markdown(clients)
    assert page.TABLES.read_text("utf-8") == page.tables_page(clients)
