"""Software that asks for money by itself, and repeats its call: the payer is asked once.

`python examples/agent.py` needs no credentials: a sandbox in this process is the provider. The host
below is any host of the Model Context Protocol, here the official SDK.
"""

import asyncio
import os
import sys
import tempfile
from datetime import UTC, datetime
from typing import Any

from mcp import Client, StdioServerParameters

from victor_ext.cli import main
from victor_ext.sandbox import Sandbox

VICTOR = (sys.executable, "-m", "victor_ext.cli", "mcp")


async def call(client: Client, tool: str, **arguments: str) -> dict[str, Any]:
    """Call a tool, and return what it says, as data."""
    result = await client.call_tool(tool, arguments)
    return result.structured_content or {}


async def ask(database: str, settings: dict[str, str]) -> None:
    """Start a server, as a host does, and ask for the same invoice three times."""
    answer = dict[str, Any]()
    arguments = {
        "invoice": "INV-1042",
        "payer": "acceptsRfp",
        "amount": "44.23",
        "due_date": f"{datetime.now(UTC).date()}",
    }
    words = [*VICTOR[1:], "--database", database, "--interval", "0.2"]
    server = StdioServerParameters(command=VICTOR[0], args=words, env=settings)
    async with Client(server) as client:
        for values in (arguments, arguments, {**arguments, "amount": "45.00"}):
            answer = await call(client, "request_payment", **values)
            print(answer["sentence"])
        while answer.get("state") != "sent":
            answer = await call(client, "payment", invoice="INV-1042")
        print(answer["sentence"])


with Sandbox() as sandbox, tempfile.TemporaryDirectory() as folder:
    client_id, client_secret = sandbox.add_oauth_client()
    credentials = {
        "VICTOR_BASE_URL": sandbox.url,
        "VICTOR_CLIENT_ID": client_id,
        "VICTOR_CLIENT_SECRET": client_secret,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    url = f"sqlite:///{folder}/mcp.sqlite"
    limits = ["--payer", "acceptsRfp", "--payment-limit", "500", "--day-limit", "2000"]
    payee = ["--payee-account-number", "043987673645", "--biller-type", "BUSINESS"]
    os.environ |= credentials
    main(["mcp", "allow", "--database", url, *payee, *limits])
    asyncio.run(ask(url, credentials))
    print(f"The provider's record: {sandbox.work_done_by_reference()}")
