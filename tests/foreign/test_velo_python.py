"""velo-python, the client of the provider itself, reads what our sandbox of Velo answers.
It raises where an answer lacks what the document of the provider requires.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.foreign.conftest import INSTALLED
from tests.providers.velo.adapter import URL, client, new_firm, new_webhook, pay, sandbox
from victor_ext.providers import Money

pytestmark = pytest.mark.nightly
READS = Path(__file__).with_name("velo_reads.py")


def test_velo_python_reads_all_that_the_sandbox_of_velo_answers():
    if not INSTALLED.exists():
        pytest.skip("`make .venv/foreign` installs velo-python")
    with sandbox() as velo, client(velo, awaited=False) as ours:
        source = velo.add_source_account("EUR account", "EUR", 10_000_000)
        rejected = ours.payouts.submit([pay("INV-0", remote_id="payee-of-nobody")])
        waiting = ours.payouts.submit([pay("INV-3", source_account_name="EUR account")])
        bank = velo.add_funding_account("The bank", "EUR")
        money = Money(500, "EUR")
        funding = ours.source_accounts.fund(source, funding_account_id=bank, amount=money).id
        batch = new_firm(ours, ("firm-1", velo.payor_id))
        webhook = new_webhook(ours, (URL, velo.payor_id))
        payout = ours.payouts.submit(
            [pay("INV-1"), pay("INV-2", source_account_name="EUR account")]
        )
        velo.advance(3600)
        assert ours.payouts.get(payout).status == "ACCEPTED"
        ours.payouts.quote(payout)
        ours.payouts.instruct(payout)
        velo.advance(3600)
        ids = {
            "payout": payout,
            "rejected": rejected,
            "payment": next(iter(ours.payouts.payments(payout))).id,
            "payee": next(iter(ours.payees.list(velo.payor_id))).id,
            "source": source,
            "waiting": waiting,
            "bank": bank,
            "funding": funding,
            "batch": batch,
            "webhook": webhook,
        }
        token = ours.authorization().removeprefix("Bearer ")
        arguments = [velo.url, str.__str__(token), velo.payor_id, json.dumps(ids)]
        ran = subprocess.run(
            [sys.executable, str(READS), *arguments],
            env={**os.environ, "PYTHONPATH": str(INSTALLED)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (ran.stdout, ran.stderr, ran.returncode) == ("", "", 0)
