"""What a command ends with says what happened, whatever its outputs can take and wherever a signal
ends it.
"""

import io
import os
import re
import shlex
from contextlib import suppress
from itertools import product
from pathlib import Path
from string import Template

import pytest

from tests.bulk.bulk_runs import row
from tests.cases import cases_beside
from tests.cli.test_victor_create import words
from tests.cli.victor_command import interruptible
from victor_ext import Victor, VictorOAuth
from victor_ext._runtime.loop.flow import Driver
from victor_ext.bulk import BulkSender

FULL = Path("/dev/full")
SHOP = Path(__file__).parents[2] / "recipe" / "tests" / "shop.yaml"
CREATE = shlex.join(words())
KEY = "a-secret-for-tests-of-some-length"

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


@pytest.fixture(autouse=True)
def signals_arrive():
    with interruptible():
        yield
