"""TinyPay in the suite over all systems: all that a new provider has to write to be held to it."""

import sys
from itertools import count
from pathlib import Path
from typing import Any

import httpx

import tests.providers.running as running
from tests.providers.connected.till import generated
from tests.providers.running import Exchange

generated(Path(__file__).with_name("tiny.yaml"))
FOLDER = str(Path(__file__).parent)
sys.path.insert(0, FOLDER)
try:  # the path is for this moment only: no other test finds a fifth system
    from tiny_pay.client import AsyncTiny, Tiny
    from tiny_pay.sandbox import TinySandbox
finally:
    sys.path.remove(FOLDER)

SANDBOX = TinySandbox
REFUSAL = {"fault": {"code": "limit", "text": "no"}}
_numbers = count(1)


class Harness(running.Harness):
    """A client of TinyPay."""

    kinds = (Tiny, AsyncTiny)

    def set_up(self) -> dict[str, Any]:
        name, secret = self.sandbox.add_client()
        answer = httpx.post(f"{self.sandbox.url}/v1/token", data={"name": name, "secret": secret})
        return {"token": answer.json()["token"], "base_url": self.sandbox.url}


def charge(client: Any, reference: str, key: str = "") -> Any:
    return client.charges.create(
        reference, 4423, idempotency_key=key or f"the-key-of-charge-{next(_numbers)}"
    )


READ = Exchange(
    word="find", subject=lambda harness: harness(lambda client: charge(client, "INV-1")),
    call=lambda client, charge_id: client.charges.get(charge_id),
)  # fmt: skip
WRITE = Exchange(word="charge", writes=True, keyed=True, call=charge, hint="charges.list()")
MORE = (Exchange(word="list", call=lambda client, _: client.charges.list()),)
