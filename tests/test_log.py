"""VICTOR_LOG and VICTOR_LOG_CONFIG: the log of a process of its own."""

import os
import re

import pytest

from tests.pages.page import ROOT
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
OWN = """
import logging
own = logging.getLogger("own")
import victor_ext
own.error("of the program")
"""


def written(level, program=PROGRAM, **variables):
    done = python("-c", program, env={**os.environ, "VICTOR_LOG": level, **variables})
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


def test_a_file_sets_up_the_log_in_place_of_a_level_and_leaves_other_loggers(tmp_path):
    """It is that of the page."""
    page = (ROOT / "docs" / "observability.md").read_text("utf-8")
    (block,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    file = tmp_path / "log.json"
    file.write_text(block)
    (line,) = written("debug", VICTOR_LOG_CONFIG=str(file)).splitlines()
    assert " INFO victor_ext" in line
    assert written("", OWN, VICTOR_LOG_CONFIG=str(file)) == "of the program\n"


@pytest.mark.parametrize(
    "text", [None, "[1]", '{"version": 1, "handlers": {"h": {"class": "no"}}}']
)
def test_a_file_that_sets_up_no_log_is_warned_of_and_the_program_goes_on(tmp_path, text):
    file = tmp_path / "log.json"
    if text is not None:
        file.write_text(text)
    warning = written("", VICTOR_LOG_CONFIG=str(file))
    assert f"VICTOR_LOG_CONFIG={str(file)!r} sets up no log (" in warning
    assert "write the path of a JSON file" in warning
