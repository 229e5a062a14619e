"""VICTOR_LOG: the log on standard error, in a process of its own."""

from __future__ import annotations

import os

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


def written(level: str) -> str:
    done = python("-c", PROGRAM, env={**os.environ, "VICTOR_LOG": level})
    assert (done.returncode, done.stdout) == (0, "")
    return done.stderr


@pytest.mark.parametrize(
    ("level", "lines"), [("", []), ("info", ["INFO"]), ("DEBUG", ["INFO", "DEBUG"]), ("error", [])]
)
def test_each_level(level: str, lines: list[str]) -> None:
    found = written(level).splitlines()
    assert [line.split()[2] for line in found] == lines
    assert len({line.partition("[call ")[2] for line in found}) == bool(lines)


def test_another_word_is_warned_of() -> None:
    assert "VICTOR_LOG='loud' is not a level: write debug, info, warning or error." in written("loud")
