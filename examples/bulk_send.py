"""Request a dozen payments from a file; a crash at any moment does no harm.

Start `victor sandbox` in another terminal, then `python examples/bulk_send.py`. Run it again, or
kill it and run it again: nobody is asked twice. If the VICTOR_... variables are set, it uses their
credentials.
"""

import os
import sys
from pathlib import Path

from victor_ext import Victor, VictorOAuth
from victor_ext.bulk import BulkSender
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
    invoices = BulkSender(
        victor,
        batch="invoices.csv",
        key_column="invoice_no",
        skip_invalid=True,
        # What is stored is sealed. Keep your own secret where the credentials are, not in the
        # program.
        storage_key=os.environ.get("VICTOR_BULK_KEY", "only-good-for-an-example"),
    )
    status = invoices.send(Path(__file__).with_name("invoices.csv"))
    print(", ".join(f"{count} {outcome}" for outcome, count in status.counts.items()))
    for result in invoices.export():
        print(f"invoice {result.number}: {result.outcome} {result.id or result.error}")
    sys.exit(status.exit_status)
