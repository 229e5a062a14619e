"""The service with a sandbox of its own, to try it (`make service`): invoices here, and a payer
who accepts after some seconds.

With VICTOR_... variables set, run the service alone:
`uvicorn --factory service:create_app --app-dir examples/service`.
"""

import os
from tempfile import TemporaryDirectory

import uvicorn

from victor_ext.sandbox import Sandbox, SandboxSettings

PORT = int(os.environ.get("PORT", "8000"))
SANDBOX_PORT = int(os.environ.get("SANDBOX_PORT", "8900"))

GREETING = """
  curl {url}/invoices -H 'Content-Type: application/json' \\
    -d '{{"number": 1042, "amount": "44.23", "counterparty": "acceptsRfp",
          "due_date": "'$(date -u +%F)'"}}'
  curl {url}/invoices/1042

Ask again some seconds later: it is paid.
See also {url}/docs and /ops/metrics.
"""


def main() -> None:
    """Serve both until Ctrl-C. A sandbox begins empty, and so do the invoices."""
    sandbox = Sandbox(SandboxSettings(port=SANDBOX_PORT, auto=1))
    try:
        sandbox.start()
    except OSError as error:
        raise SystemExit(f"{error}: set SANDBOX_PORT.") from None
    client_id, client_secret = sandbox.add_oauth_client("invoices", "not-a-real-secret")
    os.environ |= {"VICTOR_ENVIRONMENT": "staging", "VICTOR_BASE_URL": sandbox.url}
    os.environ |= {"VICTOR_CLIENT_ID": client_id, "VICTOR_CLIENT_SECRET": client_secret}
    print(GREETING.format(url=f"http://127.0.0.1:{PORT}"), flush=True)
    with TemporaryDirectory() as folder:
        os.environ["DATABASE_URL"] = f"sqlite+aiosqlite:///{folder}/invoices.sqlite"
        uvicorn.run("service:create_app", factory=True, port=PORT)
    sandbox.stop()


if __name__ == "__main__":
    main()
