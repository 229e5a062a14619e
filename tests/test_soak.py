"""The soak, small enough for every run of the tests; and whether it would see what it is looking for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from soak.audit import AuditResult, audit
from soak.observed import REPEATED, Observed, Payment
from tests.providers.victor.adapter import payment
from victor_ext import Victor
from victor_ext.sandbox import RemoteSandbox, Sandbox

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent


@pytest.mark.nightly
def test_a_small_soak_keeps_the_promise() -> None:
    options = ["--creates", "1000", "--workers", "32", "--seconds", "6", "--patience", "0.5", "--seed", "20260304"]
    options += ["--rate", "0.3"]
    ended = subprocess.run(
        [sys.executable, "-m", "soak", "--json", *options],
        cwd=ROOT, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    run = json.loads(ended.stdout)
    assert (run["duplicates"], run["lost"], run["wrongly_reported"]) == (0, 0, 0), run["cases"]
    assert ended.returncode == 0
    assert run["open_sockets"] == 0
    assert run["failed_exchanges"] > run["exchanges"] / 5
    assert run["mischief"]["another answer later"] > 0
    assert run["attempts"] > run["sent"] > 100
    assert len(run["mischief"]) > 8
    assert "Traceback" not in ended.stderr


class Three:
    """Three payments that exist, and a matching `Observed`. Tests then change what was observed."""

    def __init__(self, sandbox: Sandbox, victor: Victor) -> None:
        self.sandbox, self.victor, self.observed = sandbox, victor, Observed()
        for call in range(3):
            self.observed.words[call], self.observed.ids[call] = "success", self.make(call)

    def make(self, call: int, **changes: str) -> str:
        asked = Payment(7, call)
        given = payment(payer_counterparty_id="ignoresRfp", amount="1.00", client_reference_id=asked.reference)
        return self.victor.payment_requests.create(**given, idempotency_key=changes.get("key", asked.key)).id

    def found(self) -> AuditResult:
        return audit(RemoteSandbox(self.sandbox.url), self.observed, 7)


@pytest.fixture
def three(victor_sandbox: Sandbox, victor: Victor) -> Three:
    return Three(victor_sandbox, victor)


def test_the_audit_finds_each_kind_of_mistake_and_nothing_else(three: Three) -> None:
    observed, last = three.observed, REPEATED - 1
    observed.words[3], observed.words[4] = "unknown", "rejected"
    # The last two ask for the same payment: that the repeat was not sent denies nothing.
    assert Payment(7, last).key == Payment(7, last - 1).key
    observed.words[last - 1], observed.ids[last - 1] = "success", three.make(last - 1)
    observed.words[last] = "not_sent"
    found = three.found()
    assert (found.good, found.made, found.lines()) == (True, 4, [])

    three.make(0, key="another-key-for-the-same-payment")
    for call in (5, 6):
        observed.words[call], observed.ids[call] = ("success", "accepted")[call - 5], f"AAAAAAAAA{call}"
    observed.words[1] = "rejected"
    observed.ids[2] = observed.ids[1]
    three.make(9)
    observed.wrong.append("SOAK-7-8: raised ValueError()")
    found = three.found()
    assert not found.good
    assert found.duplicates == ["SOAK-7-0: 2 requests"]
    assert [line.partition(",")[0] for line in found.lost] == [
        "SOAK-7-5: observed ['success']",
        "SOAK-7-6: observed ['accepted']",
    ]
    assert {line.partition(":")[0] for line in found.wrong} - {"SOAK-7-0"} == {f"SOAK-7-{n}" for n in (1, 2, 8, 9)}
