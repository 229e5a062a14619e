"""A server of somebody else: localstripe, called by clients that are made from Stripe's own document.

Neither is part of this project: `VICTOR_STRIPE_DOCUMENT` names the document, and localstripe is installed for the test.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from victor_ext.spec.generate import generate

pytestmark = [pytest.mark.thorough, pytest.mark.nightly]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "add-a-payment-api.md"
SERVER = """
import sys
from aiohttp import web
from localstripe.resources import Store
from localstripe.server import app

Store.dump_to_disk = lambda store: None  # it would write to one place for all
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    document = os.environ.get("VICTOR_STRIPE_DOCUMENT")
    if document is None:
        pytest.skip("VICTOR_STRIPE_DOCUMENT names no document: give the path of Stripe's openapi/spec3.json")
    folder = tmp_path_factory.mktemp("foreign")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder / "server"), "localstripe"]
    installed = subprocess.run(install, capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip(f"localstripe cannot be installed here: {installed.stderr.strip().splitlines()[-1]}")
    assert generate(Path(document), folder, name="spec3_api").left_out == []
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = probe.getsockname()
    with (folder / "log.txt").open("w") as log, pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        environment = {**os.environ, "PYTHONPATH": str(folder / "server")}
        command = [sys.executable, "-c", SERVER, str(address[1])]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            while not _listens(address):
                assert process.poll() is None, (folder / "log.txt").read_text(encoding="utf-8")
            yield f"http://127.0.0.1:{address[1]}"
        finally:
            process.terminate()
            process.wait()


def _listens(address: Any) -> bool:
    with contextlib.suppress(ConnectionRefusedError), socket.create_connection(address, 1):
        return True
    return False


def test_the_code_of_the_tutorial(foreign: str, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    [block] = [block for block in blocks if "spec3_api" in block]
    names: dict[str, Any] = {}
    exec(compile(block.replace("http://127.0.0.1:8420", foreign), str(PAGE), "exec"), names)
    names["stripe"].close()
    assert capsys.readouterr().out == "4423 succeeded\n1000 succeeded\nrejected Your card was declined.\nTrue\n"
