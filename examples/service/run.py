"""The service with a sandbox of its own, to try it (`make service`): invoices here, the payer on the sandbox's page.

With VICTOR_... variables set, run the service alone: `uvicorn --factory service:create_app --app-dir examples/service`.
"""

import os

import uvicorn

from victor_ext.sandbox import Sandbox, SandboxSettings

PORT = int(os.environ.get("PORT", "8000"))
POST = '{"number": 1042, "amount": "44.23", "counterparty": "ignoresRfp", "due_date": "\'$(date -u +%F)\'"}'

GREETING = f"""
  curl http://127.0.0.1:{PORT}/invoices --json '{POST}'
  curl http://127.0.0.1:{PORT}/invoices/1042          # accept it on the page of the sandbox, and ask again
  curl http://127.0.0.1:{PORT}/health/provider
  curl http://127.0.0.1:{PORT}/metrics

The sandbox's page, where you are the payer: """


def main() -> None:
    """Serve both until Ctrl-C. The sandbox keeps its state beside the service's database."""
    settings = SandboxSettings(port=int(os.environ.get("SANDBOX_PORT", "8900")), state="sandbox.sqlite", auto=1)
    with Sandbox(settings) as sandbox:
        client_id, client_secret = sandbox.add_oauth_client("invoices", "not-a-real-secret")
        os.environ |= {"VICTOR_ENVIRONMENT": "staging", "VICTOR_BASE_URL": sandbox.url}
        os.environ |= {"VICTOR_CLIENT_ID": client_id, "VICTOR_CLIENT_SECRET": client_secret}
        print(GREETING + sandbox.url)
        uvicorn.run("service:create_app", factory=True, port=PORT)


if __name__ == "__main__":
    main()
