"""`make bench-scale` keeps all that it measures, shows all that it keeps, and ends with 1 beyond a
limit.
"""

import json

import pytest

from benchmarks import bulk, growth, outbox, page, reconcile, scale, scale_run

WAYS = ("bulk", "bulk_by_hand", "outbox", "outbox_by_hand")


def rates(first):
    """Each figure is another one, and each ratio is a good one."""
    found = {way: first + number for number, way in enumerate(WAYS)}
    found |= {f"{way}_cpu": (first + number) / 1000 for number, way in enumerate(WAYS)}
    ratios = ("outbox_of_bulk", "outbox_of_hand", "bulk_of_hand")
    return found | {name: 1 + first / 10_000 + n / 100 for n, name in enumerate(ratios)}


@pytest.fixture
def found():
    """What each part finds, within all limits."""
    reconciled = reconcile.Run(10_000, 12.5, 1250.0, 141.0, 1.0, 6.5, exact=True)
    return {
        "bulk": 0,
        "outbox": {
            "SQLite": rates(1100),
            "PostgreSQL": rates(2200) | {"slow_1": 100, "slow_2": 185, "two_of_one": 1.85},
        },
        "growth": [
            {
                "kind": "outbox",
                "database": "SQLite",
                "settled": [1_000, 1_000_000],
                "seconds": [0.71, 0.78],
                "times": 1.1,
            }
        ],
        "reconcile": [reconciled],
    }


@pytest.fixture
def run(found, monkeypatch, tmp_path):
    """Runs all of it with these findings; returns the exit status."""
    monkeypatch.setattr(bulk, "main", lambda _words: found["bulk"])
    monkeypatch.setattr(outbox, "measured", lambda _rows, _rounds: found["outbox"])
    monkeypatch.setattr(growth, "measured", lambda _settled: found["growth"])
    monkeypatch.setattr(reconcile, "measured", lambda _sizes: found["reconcile"])
    monkeypatch.setattr(scale, "SCALE", tmp_path / "scale.json")
    monkeypatch.setattr(page, "write", lambda _record: None)
    monkeypatch.setattr("sys.argv", ["scale_run"])
    return scale_run.main


def test_the_tables_show_each_figure_of_the_record(run, tmp_path):
    assert scale.scale_markdown(scale.scale_recorded()) == ""
    assert run() == 0
    record = json.loads((tmp_path / "scale.json").read_text(encoding="utf-8"))
    assert scale.scale_recorded() == record
    text = scale.scale_markdown(record)
    rows = (
        "| outbox | SQLite | 1,102 | 1,103 | 1.12 | 1.10 ms | 1.10 ms |",
        "| outbox | PostgreSQL | 2,202 | 2,203 | 1.23 | 2.20 ms | 2.20 ms |",
        "| bulk | SQLite | 1,100 | 1,101 | 1.13 | 1.10 ms | 1.10 ms |",
        "| bulk | PostgreSQL | 2,200 | 2,201 | 1.24 | 2.20 ms | 2.20 ms |",
        "|  | database | beside 1,000 settled | beside 1,000,000 settled | times |",
        "| outbox | SQLite | 0.71 s | 0.78 s | 1.10 |",
        "| 10,000 | 12.5 | 0.65 ms | 141 MiB | yes |",
    )
    for row in rows:
        assert row in text.splitlines()
    assert "1.85 times" in text


@pytest.mark.parametrize("part", ["bulk", "outbox", "bulk by hand", "growth", "reconcile"])
def test_a_run_that_is_beyond_a_limit_ends_with_1(run, found, part, tmp_path):
    if part == "bulk":
        found["bulk"] = 1
    elif part == "outbox":
        found["outbox"]["SQLite"]["outbox_of_hand"] = outbox.LEAST_OUTBOX_OF_HAND - 0.01
    elif part == "bulk by hand":
        found["outbox"]["PostgreSQL"]["bulk_of_hand"] = outbox.LEAST_BULK_OF_HAND - 0.01
    elif part == "growth":
        found["growth"][0]["times"] = growth.MOST_GROWTH + 0.01
    else:
        found["reconcile"] = [reconcile.Run(10_000, 12.5, 1250.0, 141.0, 1.0, 6.5, exact=False)]
    assert run() == 1
    assert (tmp_path / "scale.json").exists()


def test_a_quick_run_writes_nothing(run, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("sys.argv", ["scale_run", "--quick"])
    assert run() == 0
    assert not (tmp_path / "scale.json").exists()
    assert "beside code by hand" in capsys.readouterr().out


def test_a_recorded_run_is_a_whole_one():
    record = scale.scale_recorded()
    if record is None:
        return  # there is none yet
    whole = scale_run.Sizes()
    assert record["outbox"]["rows"] == whole.outbox
    assert record["outbox"]["rounds"] == whole.rounds
    assert [run["rows"] for run in record["reconcile"]] == [*whole.reconcile]
    sizes = {tuple(run["settled"]) for run in record["growth"]}
    assert sizes in ({whole.settled}, {scale_run.MILLION.settled})
