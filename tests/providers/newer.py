"""A newer document of a system, its package after an update, and programs that use that."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from victor_spec.command_line import main

ROOT = Path(__file__).resolve().parents[2]
BEGIN = """
import datetime, inspect, json, sys
import httpx
from victor_ext import Conflict, Done, InvalidRequest, Victor, VictorError, VictorOAuth
from victor_ext.providers import FlexFactor, Money, Velo, VeloAuth

TOKEN = {"access_token": "t", "token_type": "Bearer", "expires": 4_000_000_000_000}
sent = []

def respond(request):
    if request.url.path.endswith(("/auth/token", "/authenticate")):
        return httpx.Response(200, json=TOKEN)
    sent.append(request.url.query.decode())
    return httpx.Response(200, json=answer(request))

transport = httpx.MockTransport(respond)
victor = Victor(VictorOAuth("id", "secret"), transport=transport)
velo = Velo(VeloAuth("key", "secret"), transport=transport)
"""
"""What each program begins with. It has an `answer` of its own."""


def updated(folder, system, news):
    """A folder with the package of a system after an update to a newer document, in which these
    texts are replaced; and with nothing by hand.
    """
    for path in (ROOT / "openapi").glob(f"{system}.*"):
        shutil.copy(path, folder)
    document = (folder / f"{system}.yaml").read_text(encoding="utf-8")
    for old, new in news.items():
        assert old in document
        document = document.replace(old, new, 1)
    (folder / "newer.yaml").write_text(document, encoding="utf-8")
    names = [str(folder / name) for name in (f"{system}.yaml", "newer.yaml")]
    # 1: a number may be money, which is a decision.
    assert main(["update", *names, "--out", str(folder)]) in (0, 1)
    return folder


def printed_by(program, folder, given=None):
    """What a program prints as JSON that uses the package in a folder."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + program],
        input=json.dumps(given),
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
