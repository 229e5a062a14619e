"""VICTOR_LOG: the log on standard error, in a process of its own."""

import os
import re

import pytest

from tests.programs import python

pytestmark = pytest.mark.slow
PROGRAM = """
import httpx
from victor_ext import connect
from victor_api.client import Client
script = [httpx.Response(503), httpx.Response(200, json={})]
transport = httpx.MockTransport(lambda request: script.pop(0))
with connect(Client, base_url="http://localhost", transport=transport) as client:
    client.api.get_httpx_client().get("/")
"""


def written(level):
    done = python("-c", PROGRAM, env={**os.environ, "VICTOR_LOG": level})
    assert (done.returncode, done.stdout) == (0, "")
    return done.stderr


@pytest.mark.parametrize(
    ("level", "lines"), [("", []), ("info", ["INFO"]), ("DEBUG", ["INFO", "DEBUG"]), ("error", [])]
)
def test_each_level_of_the_log_writes_only_its_lines_with_the_id_of_the_call(level, lines):
    found = written(level).splitlines()
    assert [line.split()[2] for line in found] == lines
    ids = [re.findall(r" \[call (\w+)\]$", line) for line in found]
    assert ids == ids[:1] * len(lines)
    assert all(len(each) == 1 for each in ids)
