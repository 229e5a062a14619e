"""A payor of Velo's sandbox that shares nothing with the client."""

from __future__ import annotations

from typing import Any

import httpx

from victor_ext.sandbox.velo import RemoteVeloSandbox, VeloSandbox

LIFE = ["payment.submitted", "payment.accepted", "payment.confirmed"]
"""The notifications of a payout that is instructed."""


class Payor:
    """A payor of Velo's sandbox that is called over httpx."""

    def __init__(self, sandbox: VeloSandbox | RemoteVeloSandbox) -> None:
        self.sandbox = sandbox
        sandbox.add_payee("payee-7")
        sandbox.add_source_account("USD account", "USD", 100_000)
        self.http = httpx.Client(base_url=sandbox.url, verify=False, trust_env=False)
        pair = httpx.BasicAuth(*sandbox.add_key())
        where = "/v1/authenticate?grant_type=client_credentials"
        token = self.http.post(where, auth=pair).json()["access_token"]
        self.http.headers["authorization"] = f"Bearer {token}"

    def close(self) -> None:
        self.http.close()

    def submit(self, reference: str = "INV-1", **changes: Any) -> str:
        payment = {
            "remoteId": "payee-7", "currency": "USD", "amount": 500,
            "sourceAccountName": "USD account", "payorPaymentId": reference, **changes,
        }  # fmt: skip
        return self.http.post("/v3/payouts", json={"payments": [payment]}).headers["location"]

    def pay(self, reference: str = "INV-1") -> None:
        """A payout's life: submitted, accepted, instructed, confirmed."""
        path = self.submit(reference)
        assert self.http.post(path).status_code == 202
        self.sandbox.advance(30)

    def webhook(self, url: str, **more: Any) -> str:
        body = {"payorId": self.sandbox.payor_id, "webhookUrl": url, "enabled": True, **more}
        made = self.http.post("/v1/webhooks", json=body)
        assert made.status_code == 201, made.text
        return made.headers["location"]
