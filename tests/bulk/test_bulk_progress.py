"""How far a file is while it is checked, compared and stored; and Ctrl-C meanwhile."""

import os
import re
import signal
import time
from contextlib import suppress

import pytest

from tests.bulk.bulk_runs import asked_once, in_state, rows, write_csv
from tests.cli.victor_command import until
from victor_ext.bulk import _load_progress

pytestmark = pytest.mark.slow
STAGES = ["checked", "compared", "stored"]
MANY = 20_000
STOPPED = "Stopped before this command sent anything. Run it again: nothing is stored twice.\n"


@pytest.fixture
def each_report(monkeypatch):
    """The progress is reported as often as it is looked at."""
    monkeypatch.setattr(_load_progress, "_REPORT_EVERY", 0.0)


def loaded(sender, source):
    """Store a source, and return the progress of each stage."""
    seen = {stage: [] for stage in STAGES}

    def stop(_status):
        raise InterruptedError

    with suppress(InterruptedError):
        sender().send(source, on_load=lambda each: seen[each.stage].append(each), on_progress=stop)
    return seen


@pytest.mark.usefixtures("each_report")
def test_the_progress_of_a_file_is_its_bytes_and_that_of_the_next_stages_its_rows(sender, tmp_path):
    seen = loaded(sender, write_csv(tmp_path / "invoices.csv", rows(1200)))
    checked = seen["checked"]
    assert [each.rows for each in checked] == [*range(100, 1201, 100)]
    assert {each.total for each in checked} == {None}
    for each in checked:
        assert each.share == pytest.approx(each.rows / 1200, abs=0.01)
    for stage in ("compared", "stored"):
        assert {each.total for each in seen[stage]} == {1200}
        shares = [each.share for each in seen[stage]]
        assert shares == sorted(shares)
        assert shares[0] < 0.2
        assert (shares[-1], seen[stage][-1].rows) == (1.0, 1200)


@pytest.mark.parametrize(
    ("moment", "options"),
    [
        ("rows checked", ()),
        pytest.param("rows checked", ("--dry-run",), marks=pytest.mark.pull_request),
        pytest.param("rows stored", (), marks=pytest.mark.pull_request),
        ("rows stored [6-8][0-9] %", ()),
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
    assert stored == (["victor-bulk.sqlite"] if "stored" in moment else [])
    for name in stored:
        for table in ("batches", "sheets", "lines", "payments"):
            assert in_state(bulk.folder / name, f"COUNT(*) FROM victor_bulk_{table}") == [0]
        assert in_state(bulk.folder / name, "COUNT(*) FROM victor_bulk") == [0]
    bulk.write(rows(3))
    assert bulk.send("invoices.csv").out == "invoices.csv: 3 rows: 3 created\n"
    asked_once(victor_sandbox, rows(3))
