"""What a command ends with says what happened, whatever its outputs can take and wherever a signal
ends it.
"""

import io
import os
import re
import shlex
import signal
import sqlite3
import subprocess
from contextlib import closing, suppress
from itertools import product
from pathlib import Path
from string import Template

import pytest

import victor_ext
from tests.bulk.bulk_runs import row
from tests.cases import cases_beside
from tests.cli.test_victor_create import words
from tests.cli.victor_command import SCRIPT, interruptible
from tests.programs import python
from victor_ext import Victor, VictorOAuth
from victor_ext._runtime.loop.flow import Driver
from victor_ext.bulk import BulkSender

FULL = Path("/dev/full")
SHOP = Path(__file__).parents[2] / "recipe" / "tests" / "shop.yaml"
CREATE = shlex.join(words())
KEY = "a secret for tests, of some length"

pytestmark = pytest.mark.pull_request


def ended_pipe():
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w")


OUTPUTS = {
    "good": io.StringIO,
    "full": lambda: FULL.open("w"),
    "closed": lambda: None,
    "a pipe that ended": ended_pipe,
}


PAIRS = [(out, err) for out, err in product(OUTPUTS, OUTPUTS) if "good" in (out, err) or out == err]


CASES = cases_beside(__file__)["outputs"]


def prepare(folder, settings, victor_sandbox):
    """Write books, good and bad rows, and a state with two batches: one is created, the other
    unknown.
    """
    (folder / "other.csv").write_text("client_reference_id,amount\nINV-1,44.23\n")
    (folder / "full").symlink_to(FULL)
    auth = VictorOAuth(settings["VICTOR_CLIENT_ID"], settings["VICTOR_CLIENT_SECRET"])
    with Victor(auth, base_url=victor_sandbox.url) as victor:
        for batch in ("made", "unknown"):
            sender = BulkSender(victor, batch=batch, patience=0, storage_key=KEY)
            number = 1 if batch == "made" else 2
            good = {**row(number), "client_reference_id": batch}
            sender.send([good])
            victor_sandbox.inject("lose_answer", operation="create", times=None)
    victor_sandbox.clear_faults()
    (folder / "book.csv").write_text("client_reference_id,amount\nmade,2.23\nunknown,3.23\n")
    for name, amount in (("good", "1.00"), ("bad", "0")):
        record = {**row(1, amount=amount), "client_reference_id": name}
        (folder / f"{name}.csv").write_text(f"{','.join(record)}\n{','.join(record.values())}\n")


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_exit_status_says_what_happened_even_if_the_outputs_cannot_be_written(
    command, victor_sandbox, tmp_path, monkeypatch, case
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Driver, "sleep", lambda _driver, _seconds: None)
    if case["line"].startswith(("bulk", "reconcile")):
        prepare(tmp_path, command.environment, victor_sandbox)
    lost = case.get("lost", case["status"])
    for out, err in PAIRS:
        inbound = victor_sandbox.create_inbound()
        for operation, fault in case.get("faults", {}).items():
            options = {"status": 403} if fault == "status" else {}
            victor_sandbox.inject(fault, operation=operation, times=None, **options)
        line = Template(case["line"]).substitute(create=CREATE, inbound=inbound, shop=SHOP)
        streams = OUTPUTS[out](), OUTPUTS[err]()
        status = command.ended(shlex.split(line), *streams, VICTOR_BULK_KEY=KEY)
        told = streams[1].getvalue() if isinstance(streams[1], io.StringIO) else ""
        for stream in filter(None, streams):
            with suppress(OSError):
                stream.close()
        victor_sandbox.clear_faults()
        is_pipe = out.startswith("a pipe")
        right = case["status"] if out == "good" else case.get("ended", lost) if is_pipe else lost
        assert status == right, (out, err, told)
        assert "Traceback" not in told
        assert told == "" or right != 141
        assert told.count("could not be written") <= 1
        if err != "good":
            continue
        is_lost = right != case["status"]
        if is_lost and out in ("full", "closed"):
            assert re.search(r'(^Error: |"message": ").*could not be written', told, re.MULTILINE)
        if is_lost and right == 3:
            assert re.search(r"executed it \(payment request [A-Z0-9]+\), but", told, re.IGNORECASE)
        if right == 3 and line.startswith("rfp"):
            settles = r"victor rfp (create .*--idempotency-key |get )[A-Z0-9]"
            assert re.search(settles, told, re.IGNORECASE)


@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_create_with_a_closed_output_sends_its_request_whole(command, victor_sandbox, closed):
    victor_sandbox.inject("lose_answer", operation="create", times=None)
    script = f"exec {SCRIPT} {CREATE} --deadline 0.3 {closed}"
    assert (
        subprocess.run(["/bin/sh", "-c", script], env=command.environment, check=False).returncode
        == 3
    )
    assert [*victor_sandbox.work_done_by_key().values()] == [1]


SIGNALS = pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)


@pytest.fixture(autouse=True)
def signals_arrive():
    with interruptible():
        yield


@SIGNALS
def test_a_signal_that_another_layer_has_taken_ends_the_command(
    bare_command, monkeypatch, number, status
):
    """SQLite makes an error of its own of it."""

    def taken(*_facts):
        with closing(sqlite3.connect(":memory:")) as database:
            database.create_function("signalled", 0, lambda: signal.raise_signal(number))
            database.execute("SELECT signalled()")
        return "a-key-that-nobody-waits-for"

    monkeypatch.setattr(victor_ext, "idempotency_key_for", taken)
    ran = bare_command("key", "invoice", "1042")
    assert (ran.status, ran.out) == (status, "")


@SIGNALS
def test_no_write_is_sent_after_a_signal_whose_exception_was_ignored(
    command, victor_sandbox, monkeypatch, number, status
):
    """As Python ignores it in a finalizer, or in the callback of an import."""
    provider_time = Victor.provider_time

    def signalled(victor):
        now = provider_time(victor)
        with suppress(KeyboardInterrupt):
            signal.raise_signal(number)
        return now

    monkeypatch.setattr(Victor, "provider_time", signalled)
    ran = command(*words(), "--json")
    assert (ran.status, ran.out, victor_sandbox.attempts_by_key()) == (status, "", {})


WHILE_IT_IS_LOADED = """
import signal, sys, threading
import victor_ext
class Finder:
    def find_spec(self, name, *_):
        if name == "typer":
            signal.raise_signal({number})
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Finder())
from victor_ext.cli import main
victor_ext.idempotency_key_for = lambda *_: threading.Event().wait(30)
sys.exit(main(["key", "invoice"]))
"""


@SIGNALS
def test_a_signal_while_the_command_is_loaded_ends_it(number, status):
    ran = python("-c", WHILE_IT_IS_LOADED.format(number=int(number)))
    assert (ran.returncode, ran.stdout, ran.stderr) == (status, "", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_was_ignored_stays_ignored(bare_command, monkeypatch, number):
    signal.signal(number, signal.SIG_IGN)
    monkeypatch.setattr(
        victor_ext, "idempotency_key_for", lambda *_: signal.raise_signal(number) or "a-key"
    )
    ran = bare_command("key", "invoice", "1042")
    assert (ran.status, ran.out) == (0, "a-key\n")
    assert signal.getsignal(number) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_command_that_has_done_its_work_despite_a_signal_ends_with_status_0(
    bare_command, monkeypatch
):
    def goes_on(*_facts):
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        return "a-key"

    monkeypatch.setattr(victor_ext, "idempotency_key_for", goes_on)
    ran = bare_command("key", "invoice", "1042")
    assert (ran.status, ran.out) == (0, "a-key\n")
