"""How far a file is while it is checked; and Ctrl-C meanwhile."""

import os
import re
import signal
import time

import pytest

from tests.bulk.bulk_runs import asked_once, in_state, rows, write_csv
from tests.cli.victor_command import until
from victor_ext.bulk import _load_progress

pytestmark = pytest.mark.slow


MANY = 20_000
STOPPED = "Stopped before this command sent anything. Run it again: nothing is stored twice.\n"


@pytest.fixture
def each_report(monkeypatch):
    """The progress is reported as often as it is looked at."""
    monkeypatch.setattr(_load_progress, "_REPORT_EVERY", 0.0)


@pytest.mark.usefixtures("each_report")
def test_the_progress_is_that_of_the_bytes_of_a_file_and_of_mappings_that_of_rows(sender, tmp_path):
    seen = []
    sender().check(write_csv(tmp_path / "invoices.csv", rows(1200)), on_load=seen.append)
    assert [each.rows for each in seen] == [*range(100, 1201, 100)]
    for each in seen:
        assert each.share == pytest.approx(each.rows / 1200, abs=0.01)
    seen.clear()
    sender().check(iter(rows(200)), on_load=seen.append)
    assert [(each.rows, each.share) for each in seen] == [(100, None), (200, None)]


@pytest.mark.parametrize(
    ("moment", "options"),
    [
        ("rows checked", ()),
        pytest.param("rows checked", ("--dry-run",), marks=pytest.mark.pull_request),
    ],
)
def test_ctrl_c_ends_the_command_soon_and_nothing_of_the_file_is_stored(
    bulk, victor_sandbox, tmp_path, moment, options
):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    bulk.write(rows(MANY))
    words = ("send", "invoices.csv", *bulk.sends, *options)
    with bulk.started_at_terminal(*words, TMPDIR=str(temporary)) as (process, terminal):
        until(lambda: re.search(moment, terminal.read()))
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        status = process.wait(bulk.patience)
        seconds = time.monotonic() - began
    assert terminal.read_to_end().endswith(STOPPED)
    assert status == 130
    assert seconds < 2
    assert os.listdir(temporary) == []
    stored = [name for name in os.listdir(bulk.folder) if name != "invoices.csv"]
    assert stored == ([] if options else ["victor-bulk.sqlite"])
    for name in stored:
        for table in ("sheets", "lines", "payments"):
            assert in_state(bulk.folder / name, f"COUNT(*) FROM victor_bulk_{table}") == [0]
        assert in_state(bulk.folder / name, "COUNT(*) FROM victor_bulk") == [0]
    bulk.write(rows(3))
    assert bulk.send("invoices.csv").out == "invoices.csv: 3 rows: 3 created\n"
    asked_once(victor_sandbox, rows(3))
