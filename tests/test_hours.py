"""Tests that know the time hold at any hour: those marked `hours` are run with the clocks of all
their processes set.

Each of them begins at the moment. The monotonic clock, and those of databases and of OpenSSL, are
left alone.
"""

import os
import re
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from tests.programs import python

ROOT = Path(__file__).parent.parent
LIBRARIES = Path(sys.prefix) / "guards"
MOMENTS = (
    "2027-11-09 00:00:30",
    "2027-11-09 11:59:58",
    "2027-11-09 12:01:00",
    "2027-11-09 23:59:00",
    "2027-12-31 23:59:58",
    "2028-02-29 12:01:00",
)
"""In UTC. At noon a due date is over everywhere on earth."""
AT_THE_START = '''"""PYTEST_DONT_REWRITE"""
import sys, time
from pathlib import Path

AHEAD, BEGAN = Path(__file__).with_name("ahead"), time.time() - time.monotonic()
sys.path.append({libraries!r})
sys.modules["pytest"] = None  # which the library would import into each process
import time_machine

del sys.modules["pytest"], sys.path[-1]
clock = time_machine.travel(time.time() + float(AHEAD.read_text())).start()

def pytest_runtest_logstart():
    AHEAD.write_text(str({moment} - BEGAN - time.monotonic()))
    clock.shift({moment} - time.time())  # `move_to` is not for threads that run
'''
"""What each Python imports first; in the process of the tests, a plugin too."""


@pytest.mark.nightly
@pytest.mark.skipif(not LIBRARIES.exists(), reason="`make .venv/guards` installs the library")
@pytest.mark.parametrize("moment", MOMENTS)
def test_the_tests_marked_hours_pass_at_any_hour(moment, tmp_path):
    begins = datetime.fromisoformat(f"{moment}Z").timestamp()
    (tmp_path / "sitecustomize.py").write_text(
        AT_THE_START.format(libraries=str(LIBRARIES), moment=begins), "utf-8"
    )
    (tmp_path / "ahead").write_text(str(begins - time.time()), "ascii")
    options = ("-q", "-m", "hours and not nightly", "-p", "no:cacheprovider", "-p", "sitecustomize")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ran = python("-m", "pytest", *options, "tests", cwd=ROOT, env=environment, timeout=None)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert int(re.findall(r"(\d+) passed", ran.stdout)[0]) > 500
