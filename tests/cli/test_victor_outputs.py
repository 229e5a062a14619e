"""What a command ends with says what happened, whatever its outputs can take."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from itertools import product
from pathlib import Path
from string import Template
from typing import Any
from unittest import mock

import pytest

from tests.bulk.bulk_runs import row
from tests.cases import cases_beside
from tests.cli.test_victor_create import words
from tests.cli.victor_command import SCRIPT, Command
from victor_ext import Victor, VictorOAuth
from victor_ext.bulk import BulkSender
from victor_ext.cli import main
from victor_ext.sandbox import Sandbox

FULL = Path("/dev/full")
SPEC = Path(__file__).parents[1] / "spec"
CREATE = shlex.join(words())
KEY = "a secret for tests, of some length"
BOOK = "client_reference_id,amount\nINV-1,44.23\n"
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")]


def ended_pipe() -> Any:
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w")


OUTPUTS: dict[str, Callable[[], Any]] = {
    "good": io.StringIO, "full": lambda: FULL.open("w"), "closed": lambda: None, "a pipe that ended": ended_pipe,
}  # fmt: skip


PAIRS = [(out, err) for out, err in product(OUTPUTS, OUTPUTS) if "good" in (out, err) or out == err]


CASES = cases_beside(__file__)["outputs"]


def prepare(folder: Path, settings: dict[str, str], victor_sandbox: Sandbox) -> None:
    """Write books, good and bad rows, and a state with two batches: one is created, the other unknown."""
    (folder / "other.csv").write_text(BOOK)
    (folder / "full").symlink_to(FULL)
    auth = VictorOAuth(settings["VICTOR_CLIENT_ID"], settings["VICTOR_CLIENT_SECRET"])
    with Victor(auth, base_url=victor_sandbox.url, deadline=0.3) as victor:
        for batch in ("made", "unknown"):
            sender = BulkSender(victor, batch=batch, patience=0, storage_key=KEY)
            good = {**row(1), "client_reference_id": batch}
            sender.send([good])
            victor_sandbox.inject("lose_answer", operation="create", times=None)
    victor_sandbox.clear_faults()
    (folder / "book.csv").write_text("client_reference_id,amount\nmade,2.23\nunknown,2.23\n")
    for name, amount in (("good", "1.00"), ("bad", "0")):
        record = {**row(1, amount=amount), "client_reference_id": name}
        (folder / f"{name}.csv").write_text(f"{','.join(record)}\n{','.join(record.values())}\n")


def ended(words: list[str], environment: dict[str, str], stdout: Any, stderr: Any) -> tuple[int, str]:
    """What the command ends with here, and what standard error has. A closed stream is None, as for the interpreter."""
    surroundings = mock.patch.dict(os.environ, environment, clear=True)
    with surroundings, redirect_stdout(stdout), redirect_stderr(stderr):
        try:
            status = main(words)
        except SystemExit as end:
            status = int(end.code or 0)
    told = stderr.getvalue() if isinstance(stderr, io.StringIO) else ""
    for stream in filter(None, (stdout, stderr)):
        with suppress(OSError):
            stream.close()
    return status, told


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_status_says_what_happened(
    command: Command, victor_sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: dict[str, Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    if case["line"].startswith(("bulk", "reconcile")):
        prepare(tmp_path, command.environment, victor_sandbox)
    environment = {**command.environment, "VICTOR_BULK_KEY": KEY}
    for out, err in PAIRS:
        inbound = victor_sandbox.create_inbound()
        for operation, fault in case.get("faults", {}).items():
            options = {"status": 403} if fault == "status" else {}
            victor_sandbox.inject(fault, operation=operation, times=None, **options)
        line = shlex.split(Template(case["line"]).substitute(create=CREATE, inbound=inbound, shop=SPEC / "shop.yaml"))
        status, told = ended(line, environment, OUTPUTS[out](), OUTPUTS[err]())
        victor_sandbox.clear_faults()
        lost = case.get("lost", case["status"])
        right = case["status"] if out == "good" else case.get("ended", lost) if out.startswith("a pipe") else lost
        assert status == right, (out, err, told)
        assert "Traceback" not in told
        assert told == "" or right != 141
        assert told.count("could not be written") <= 1
        shows = {"reconcile", "doctor", "operations", "status", "resume", "send"}
        is_told = right != case["status"] or shows & {*line}
        if err == "good" and out in ("full", "closed") and is_told and right != 2:
            assert re.search(r'(^Error: |"message": ").*could not be written', told, re.MULTILINE)
        if err == "good" and right == 3 and case["status"] == 0:
            assert re.search(r"executed it \(payment request [A-Z0-9]+\), but", told, re.IGNORECASE)
            error = json.loads(told)["error"] if "--json" in line else {"attempts": 1, "status_code": 200}
            assert (error["attempts"], error["status_code"]) == (1, 200)
        if err == "good" and right == 3 and line[0] == "rfp":
            assert re.search(r"victor rfp (create .*--idempotency-key |get )[A-Z0-9]", told, re.IGNORECASE)


@pytest.mark.slow
@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_what_a_shell_has_closed_takes_nothing_of_the_request(
    command: Command, victor_sandbox: Sandbox, closed: str
) -> None:
    victor_sandbox.inject("lose_answer", operation="create", times=None)
    script = f"exec {SCRIPT} {CREATE} --deadline 0.3 {closed}"
    assert subprocess.run(["/bin/sh", "-c", script], env=command.environment, check=False).returncode == 3
    assert [*victor_sandbox.work_done_by_key().values()] == [1]


def test_a_document_is_replaced_whoever_reads_of_it(tmp_path: Path) -> None:
    documents = [tmp_path / "shop.yaml", tmp_path / "newer.yaml"]
    text = (SPEC / "shop.yaml").read_text()
    for document, each in zip(documents, (text, text.replace("type: integer", "type: string", 1)), strict=True):
        document.write_text(each)
    update = ["spec", "update", *map(str, documents), "--out", str(tmp_path)]
    assert ended(update, {"PATH": os.environ["PATH"]}, ended_pipe(), io.StringIO())[0] == 1
    assert documents[0].read_text() == documents[1].read_text() != text
