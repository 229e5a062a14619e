"""Request a payment, and know what happened.

Start `victor sandbox` in another terminal, then `python examples/quickstart.py`. If the VICTOR_...
variables are set, it uses their credentials.
"""

import os

from victor_ext import Outcome, Victor, VictorError, VictorOAuth, idempotency_key_for, zulu
from victor_ext.sandbox import RemoteSandbox


def connect() -> Victor:
    """With the environment's credentials; without any, with new ones of a sandbox on this
    machine.
    """
    if "VICTOR_CLIENT_ID" in os.environ or "VICTOR_API_KEY" in os.environ:
        return Victor.from_env()
    url = os.environ.get("VICTOR_BASE_URL", "http://127.0.0.1:8900")
    try:
        credentials = RemoteSandbox(url).add_oauth_client("quickstart", "not-a-real-secret")
    except OSError:
        raise SystemExit(
            f"Nothing answers at {url}: start `victor sandbox` in another terminal."
        ) from None
    return Victor(VictorOAuth(*credentials), base_url=url)


with connect() as victor:
    try:
        request = victor.payment_requests.create(
            payee_account_number="043987673645",
            payer_counterparty_id="acceptsRfp",
            amount="44.23",
            biller_type="BUSINESS",
            due_date=zulu.now().date(),
            client_reference_id="INV-1042",
            idempotency_key=idempotency_key_for("invoice", 1042),
        )
    except VictorError as error:
        if error.outcome in (Outcome.UNKNOWN, Outcome.ACCEPTED):
            print(
                "The provider may have executed it. Run this again today: the same key asks once."
            )
        raise SystemExit(str(error)) from None

    print(f"asked for {request.amount} USD: {request.id} is {request.status}")
    # of the status it says Pending or Error
    print(f"read back: {victor.payment_requests.get(request.id).amount} USD")
    for recent in victor.payment_requests.list(direction="outbound"):
        print(f"in the list: {recent.id}  {recent.amount!s:>8}  {recent.status}")
