"""Request a payment, and know what happened, with `await`.

Start `victor sandbox` in another terminal, then `python examples/async_quickstart.py`. If the
VICTOR_... variables are set, it uses their credentials.
"""

import asyncio
import os

from victor_ext import AsyncVictor, Outcome, VictorError, VictorOAuth, idempotency_key_for, zulu
from victor_ext.sandbox import RemoteSandbox


def connect() -> AsyncVictor:
    """With the environment's credentials; without any, with new ones of a sandbox on this
    machine.
    """
    if "VICTOR_CLIENT_ID" in os.environ or "VICTOR_API_KEY" in os.environ:
        return AsyncVictor.from_env()
    url = os.environ.get("VICTOR_BASE_URL", "http://127.0.0.1:8900")
    try:
        credentials = RemoteSandbox(url).add_oauth_client("quickstart", "not-a-real-secret")
    except OSError:
        raise SystemExit(
            f"Nothing answers at {url}: start `victor sandbox` in another terminal."
        ) from None
    return AsyncVictor(VictorOAuth(*credentials), base_url=url)


async def ask(victor: AsyncVictor, invoice: int, amount: str) -> None:
    """Ask for one invoice."""
    try:
        request = await victor.payment_requests.create(
            payee_account_number="043987673645",
            payer_counterparty_id="acceptsRfp",
            amount=amount,
            biller_type="BUSINESS",
            due_date=zulu.now().date(),
            client_reference_id=f"INV-{invoice}",
            idempotency_key=idempotency_key_for("invoice", invoice),
        )
    except VictorError as error:
        if error.outcome in (Outcome.UNKNOWN, Outcome.ACCEPTED):
            print(
                "The provider may have executed it. Run this again today: the same key asks once."
            )
        print(error)
    else:
        ended = await victor.payment_requests.wait(request.id, timeout=30)
        print(f"INV-{invoice}: asked for {request.amount} USD, {request.id} is {ended.status}")


async def main() -> None:
    """Three invoices at once, then the list."""
    async with connect() as victor:
        await asyncio.gather(
            ask(victor, 1042, "44.23"), ask(victor, 1043, "1250"), ask(victor, 1044, "0.99")
        )
        async for recent in victor.payment_requests.list(direction="outbound"):
            print(f"in the list: {recent.id}  {recent.amount!s:>8}  {recent.status}")


asyncio.run(main())
