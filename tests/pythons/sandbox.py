"""Extra `sandbox`: a lost answer is repaired against it, and the customer is asked once."""

from __future__ import annotations

from urllib.request import urlopen

from victor_ext import RetryPolicy, Victor, VictorOAuth
from victor_ext.sandbox import Sandbox, SandboxSettings

with Sandbox(SandboxSettings(demo_data=True)) as sandbox:
    auth = VictorOAuth(*sandbox.add_oauth_client())
    with Victor(auth, base_url=sandbox.url, retry=RetryPolicy(base=0.0)) as victor:
        sandbox.inject("lose_answer", operation="create")
        created = victor.payment_requests.create(
            payee_account_number="917364550218",
            payer_counterparty_id="aHeq349838",
            amount="44.23",
            biller_type="BUSINESS",
            due_date=victor.provider_time().moment.date(),
        )
        assert sandbox.work_done_by_key() == {created.idempotency_key: 1}
        assert [request.id for request in victor.payment_requests.list(direction="outbound")] == [created.id]
        with urlopen(sandbox.url) as page:
            assert "44.23" in page.read().decode()
