"""What users put in front of httpx stands in front of this package: their mocks.

Each suite is one as a user writes it, run by pytest in a process of its own with the real library.
None passes `transport=`. A listening socket counts what reaches the provider.
"""

import json
import os
import re
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.cases import cases_beside
from tests.faults.raw_provider import RawProvider, answer
from tests.programs import python

pytestmark = pytest.mark.pull_request
SUITES = Path(__file__).parent / "suites"
ROOT = SUITES.parents[2]
LIBRARIES = Path(sys.prefix) / "guards"


def pay(exchange):
    body = {"victor_payment_request_id": "from-the-provider", "status": "created"}
    exchange.send(answer(json.dumps(body).encode()))


@pytest.fixture
def provider(background):
    with closing(RawProvider(background)) as made:
        made.instead = pay
        yield made


@pytest.mark.skipif(not LIBRARIES.exists(), reason="`make .venv/guards` installs the libraries")
@pytest.mark.parametrize(
    ("name", "options", "paid"),
    [pytest.param(*row, id=row[0]) for row in cases_beside(__file__)["suites"]],
)
def test_each_suite_of_another_library_passes_and_only_allowed_requests_are_sent(
    provider, name, options, paid
):
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (SUITES, ROOT, ROOT / "generated", LIBRARIES))),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PROVIDER_URL": provider.url(),
    }
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, *options]
    ran = python(*command, SUITES / f"suite_{name}.py", env=environment, timeout=180)
    assert len(provider.record.requests) == paid, ran.stdout
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"[1-9]\d* passed", ran.stdout)
