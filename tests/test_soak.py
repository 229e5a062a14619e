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


class TestTheAudit:
    def test_finds_nothing_where_nothing_is(self, three: Three) -> None:
        three.observed.words[3] = "unknown"
        three.observed.words[4] = "rejected"
        found = three.found()
        assert (found.good, found.made, found.lines()) == (True, 3, [])

    def test_a_second_request_for_a_payment(self, three: Three) -> None:
        three.make(1, key="another-key-for-the-same-payment")
        assert three.found().duplicates == ["SOAK-7-1: 2 requests"]

    @pytest.mark.parametrize("word", ["success", "accepted"])
    def test_a_promise_without_a_request(self, three: Three, word: str) -> None:
        three.observed.words[3], three.observed.ids[3] = word, "AAAAAAAAAA"
        assert three.found().lost == [f"SOAK-7-3: observed ['{word}'], and there is none"]

    @pytest.mark.parametrize("word", ["rejected", "not_sent"])
    def test_a_request_that_was_denied(self, three: Three, word: str) -> None:
        three.observed.words[1] = word
        assert three.found().wrong == [f"SOAK-7-1: observed ['{word}'], and it was made"]

    def test_another_id(self, three: Three) -> None:
        three.observed.ids[2], three.observed.ids[1] = three.observed.ids[1], three.observed.ids[2]
        assert len(three.found().wrong) == 2

    def test_a_request_that_nobody_asked_for(self, three: Three) -> None:
        three.make(9)
        assert three.found().wrong == ["SOAK-7-9: made, and nobody asked for it"]

    def test_what_was_wrong_at_once(self, three: Three) -> None:
        three.observed.wrong.append("SOAK-7-0: raised ValueError()")
        assert not three.found().good

    def test_a_repeat_that_was_not_sent_denies_nothing(self, three: Three) -> None:
        last = REPEATED - 1
        assert Payment(7, last).key == Payment(7, last - 1).key
        three.observed.words[last - 1], three.observed.ids[last - 1] = "success", three.make(last - 1)
        three.observed.words[last] = "not_sent"
        assert three.found().good
