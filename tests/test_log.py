"""VICTOR_LOG: the log on standard error, in a process of its own."""

import json
import logging
import os
import re
from datetime import UTC, datetime

import pytest

from tests.programs import python
from victor_ext._logs import log_to_stderr

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


@pytest.mark.parametrize(
    ("level", "levels"), [("json", ["INFO"]), ("json, DEBUG", ["INFO", "DEBUG"])]
)
def test_a_line_of_json_has_the_level_the_call_and_an_aware_time(level, levels):
    records = [json.loads(line) for line in written(level).splitlines()]
    assert [record["level"] for record in records] == levels
    assert len({record["call_id"] for record in records}) == 1
    assert all(datetime.fromisoformat(record["time"]).tzinfo is UTC for record in records)
    assert records[0]["logger"] == "victor_ext.client"
    assert records[0]["call_wait"] < 1
    assert records[0]["message"].startswith("GET /: attempt 1 failed (")


CONFIGURED = """
import logging.config
from pathlib import Path

handler = {"class": "logging.StreamHandler", "formatter": "json"}
formatters = {"json": {"()": "victor_ext.JsonFormatter"}}
logging.config.dictConfig(
    {
        "version": 1,
        "formatters": formatters,
        "handlers": {"out": handler},
        "loggers": {"billing": {"handlers": ["out"]}},
    }
)
try:
    raise ValueError("it is late\\nor not")
except ValueError:
    logging.getLogger("billing").exception(
        "Invoice %d", 1042, extra={"at": Path("a"), "message_id": 7, "level": 3}
    )
"""


def test_the_formatter_takes_any_record_of_a_program():
    said = json.loads(python("-c", CONFIGURED).stderr)
    assert said.pop("exception").endswith("ValueError: it is late\nor not")
    del said["time"]
    assert said == {
        "level": "ERROR",
        "logger": "billing",
        "message": "Invoice 1042",
        "at": "a",
        "message_id": 7,
    }


@pytest.mark.parametrize("words", ["loud", "debug,info", "json,loud", "json,info,debug"])
def test_a_victor_log_that_is_not_one_level_gives_a_warning_and_no_log(words):
    handlers_before = logging.getLogger("victor_ext").handlers[:]
    with pytest.warns(
        UserWarning,
        match=f"VICTOR_LOG='{words}' is not a level: write debug, info, warning or error",
    ):
        log_to_stderr(words)
    assert logging.getLogger("victor_ext").handlers == handlers_before
