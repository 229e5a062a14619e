"""What a newcomer runs first: the demonstration and the two quickstarts, each in a process of its
own.
"""

import json
import os
import re
import runpy
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.pages.shell import PICTURES, RECORD, normalised, recorded
from tests.programs import python
from tests.sandbox.sandbox_callers import SandboxProcess
from victor_ext.sandbox import RemoteSandbox

pytestmark = [pytest.mark.slow, pytest.mark.hours]
ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("VICTOR_")},
    "PYTHONWARNINGS": "error",
}
PATIENCE = 60.0


def example(name, **variables):
    return python(ROOT / "examples" / name, env={**ENVIRONMENT, **variables}, timeout=PATIENCE)


each_quickstart = pytest.mark.parametrize(
    "name", ["quickstart.py", pytest.param("async_quickstart.py", marks=pytest.mark.pull_request)]
)


@pytest.fixture(scope="module")
def demo():
    return example("demo.py")


@pytest.fixture
def sandbox_url():
    """`victor sandbox`, running in another process as it would in another terminal."""
    with SandboxProcess("--quiet", "--auto", "0.05") as process:
        yield process.url


def test_the_demo_prints_the_counts_of_attempts_keys_and_requests_of_the_sandbox(demo):
    assert (demo.returncode, demo.stderr) == (0, "")
    assert "\x1b" not in demo.stdout, "piped output is plain"
    counts = dict(re.findall(r"^  ([a-z ]+): +(\d+)$", demo.stdout, re.MULTILINE))
    # Twelve good rows, sent twice, and one more attempt for each of the three faults.
    assert counts == {
        "attempts": "27",
        "idempotency keys": "12",
        "payment requests": "12",
        "duplicates": "0",
    }
    keys = re.findall(r"^ (\d{4}) +[0-9a-f]{8}\.\.\. +(\d) +(\d)", demo.stdout, re.MULTILINE)
    assert len(keys) == 12
    assert sum(int(attempts) for _, attempts, _ in keys) == 27
    assert {made for *_, made in keys} == {"1"}


@pytest.mark.pull_request
def test_the_recorded_demo_shows_what_it_prints_now(demo):
    steps = runpy.run_path(str(RECORD))["demo_steps"](demo.stdout)
    assert recorded(PICTURES / "demo.svg") == normalised(steps)


@pytest.mark.pull_request
@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("velo_payout.py", "Velo: a payout in two currencies completed"),
        ("agent.py", "The provider's record: {'INV-1042': 1}"),
        ("eastpay_checkout.py", "EastPay: a checkout paid, a decline returned as a result"),
        ("flexfactor_rescue.py", "FlexFactor: "),
    ],
)
def test_another_system_s_example_runs_by_itself(name, last):
    ran = example(name)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert len(ran.stdout.splitlines()) > 3
    assert ran.stdout.splitlines()[-1].startswith(last)


@pytest.mark.parametrize("name", ["quickstart.py", "async_quickstart.py"])
def test_a_quickstart_needs_nothing_but_a_sandbox(name, sandbox_url):
    day = datetime.now(UTC).date()
    first, second = (example(name, VICTOR_BASE_URL=sandbox_url) for _ in range(2))
    assert (first.returncode, first.stderr) == (0, "")
    assert (second.returncode, second.stderr) == (0, "") or datetime.now(UTC).date() != day, (
        "midnight: due another day"
    )
    assert "44.23" in first.stdout
    made = RemoteSandbox(sandbox_url).work_done_by_key()
    assert set(made.values()) == {1}, "run twice, asked once"
    assert len(made) == (1 if name == "quickstart.py" else 3)


@pytest.mark.pull_request
@each_quickstart
def test_a_quickstart_takes_the_environment_s_credentials_and_lists_an_odd_request(
    name, sandbox_url
):
    remote = RemoteSandbox(sandbox_url)
    client_id, client_secret = remote.add_oauth_client()
    odd = json.dumps(
        {
            "results": [
                {"victor_payment_request_id": "ODD", "payment_request": {"payment_details": None}}
            ]
        }
    )
    remote.inject("status", operation="list", query="*direction=outbound*", status=200, body=odd)
    ran = example(
        name,
        VICTOR_BASE_URL=sandbox_url,
        VICTOR_CLIENT_ID=client_id,
        VICTOR_CLIENT_SECRET=client_secret,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert remote.tokens_issued() == {client_id: 1}
    assert "in the list: ODD      None" in ran.stdout


@pytest.mark.pull_request
@each_quickstart
def test_a_quickstart_without_a_sandbox_says_what_to_do(name):
    ran = example(name, VICTOR_BASE_URL="http://127.0.0.1:1")
    assert ran.returncode == 1
    assert "start `victor sandbox`" in ran.stderr
    assert "Traceback" not in ran.stderr
