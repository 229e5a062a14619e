"""How far a file is while it is checked, compared and stored; and Ctrl-C meanwhile."""

import os
import re
import signal
import time
from contextlib import suppress
from unittest.mock import Mock

import pytest

from tests.bulk.bulk_runs import asked_once, in_state, referenced, rows, write_csv
from tests.cli.victor_command import until
from victor_ext.bulk import LoadProgress, _load_progress
from victor_ext.cli._bulk_session import BatchProgress
from victor_ext.cli._screen import ProgressBar

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


@pytest.mark.usefixtures("each_report")
@pytest.mark.parametrize("changed", [0, 700])
def test_rows_that_are_not_asked_for_again_count_at_once(sender, changed):
    records = rows(1200)
    loaded(sender, records)
    seen = loaded(sender, [*records[changed:], *rows(changed, start=5000)])
    for stage in ("compared", "stored"):
        assert [seen[stage][-1].rows, seen[stage][-1].share] == [1200, 1.0]


@pytest.mark.usefixtures("each_report")
def test_of_mappings_only_the_rows_are_known(sender):
    seen = []
    sender().check(iter(rows(200)), on_load=seen.append)
    shown = [(each.stage, each.rows, each.total, each.share) for each in seen[:2]]
    assert shown == [("checked", 100, None, None), ("checked", 200, None, None)]
    assert {each.stage for each in seen} == {"checked", "compared"}


def test_what_takes_less_than_a_quarter_of_a_second_is_not_reported(sender, monkeypatch):
    monkeypatch.setattr(_load_progress, "time", Mock(monotonic=lambda: 7.0))
    assert loaded(sender, rows(100)) == {stage: [] for stage in STAGES}


@pytest.mark.usefixtures("each_report")
@pytest.mark.parametrize("stage", STAGES)
def test_what_on_load_raises_ends_the_loading_and_nothing_is_stored(
    sender, any_state, victor_sandbox, stage
):
    def stop(progress):
        if progress.stage == stage:
            raise InterruptedError

    own = sender.of(state=any_state)
    with pytest.raises(InterruptedError):
        own().send(rows(1200), on_load=stop)
    assert own().batches() == []
    assert victor_sandbox.attempts_by_key() == {}
    own.finish(rows(3))
    asked_once(victor_sandbox, rows(3))


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (("checked", 45_500, None, 0.25, 10.0), "45,500 rows checked: 25 %, 4,550 a second, about"),
        (("stored", 500, 2000, 0.25, 100.0), "500 of 2,000 rows stored: 25 %, 5 a second, about"),
        (("checked", 1_000, None, None, 2.0), "1,000 rows checked: 500 a second"),
    ],
)
def test_without_a_terminal_the_progress_is_a_line(capsys, progress, text):
    with ProgressBar(as_json=False, at_once=True) as bar:
        BatchProgress(bar, "march").show_load(LoadProgress(*progress))
    (line,) = capsys.readouterr().err.splitlines()
    left = {10.0: " 30 s left", 100.0: " 5 min left"}.get(progress[-1], "")
    assert line == f"march: {text}{left}"


@pytest.mark.pull_request
def test_at_a_terminal_a_bar_shows_the_progress_and_goes(bulk):
    bulk.write(referenced(MANY))
    words = ("bulk", "send", "invoices.csv", *bulk.sends, "--dry-run")
    shown = bulk.at_terminal(*words)
    assert shown.status == 0
    frames = re.findall(r"([0-9,]+) rows checked ([0-9]+) %, [0-9,]+ a second, about", shown.err)
    assert frames == sorted(frames, key=lambda frame: int(frame[1]))
    assert len(frames) > 1
    assert shown.err.endswith("\x1b[1A\x1b[2K"), "the line of the last bar is erased"
    assert bulk.at_terminal(*words, "--json").err == ""


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
