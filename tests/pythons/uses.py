"""A use of each extra, alone in its environment: `python -P uses.py EXTRA`.

`core` is the package without extras.
"""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path

import httpx

import victor_ext
from victor_ext import RetryPolicy, Victor, VictorJwt, VictorOAuth, idempotency_key_for

VICTOR = Path(sys.executable).with_name("victor")
REQUEST = {
    "payee_account_number": "917364550218",
    "payer_counterparty_id": "aHeq349838",
    "amount": "44.23",
    "biller_type": "BUSINESS",
}
CREATED = {"victor_payment_request_id": "rfp-1", "status": "created"}
TOKEN = {"access_token": "token-for-tests", "token_type": "Bearer", "expires": 4_102_444_800_000}

asked = Counter[str]()
"""How often the provider was asked under each key."""


def provider(request: httpx.Request) -> httpx.Response:
    if "idempotency-key" in request.headers:
        key = request.headers["idempotency-key"]
        asked[key] += 1
        return httpx.Response(201, json={**CREATED, "victor_payment_request_id": f"rfp-{key[:8]}"})
    if request.method == "GET":
        return httpx.Response(200, json={"page": 0, "page_size": 1, "results": []})
    return httpx.Response(200, json=TOKEN)


def client(**options) -> Victor:
    return Victor(
        VictorOAuth("id-1", "not-a-real-secret"), transport=httpx.MockTransport(provider), **options
    )


def core():
    """A request is created once, and what needs an extra names it."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    assert Path(victor_ext.__file__).is_relative_to(sys.prefix), victor_ext.__file__
    keys = []

    def failing_once(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["idempotency-key"])
        return httpx.Response(503) if len(keys) == 1 else httpx.Response(201, json=CREATED)

    private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with Victor(
        VictorJwt("key-for-tests", private_key), transport=httpx.MockTransport(failing_once)
    ) as victor:
        created = victor.payment_requests.create(
            **REQUEST, due_date=victor.provider_time().moment.date()
        )
    assert created.id == "rfp-1"
    assert len(keys) == 2
    assert len(set(keys)) == 1
    for extra in ("bulk", "outbox", "prometheus", "sandbox"):
        told = ""
        try:
            import_module(f"victor_ext.{extra}")
        except ImportError as error:
            told = str(error)
        assert f"pip install '.[{extra}]'" in told, (extra, told)


def bulk():
    """A batch in an SQLite file is sent, and sent again without asking anybody twice."""
    from victor_ext.bulk import BulkSender

    rows = [{**REQUEST, "invoice_no": str(number), "due_date": "today"} for number in range(20)]
    storage_key = "a secret for tests, of some length"
    with client() as victor:
        sender = BulkSender(victor, batch="march", key_column="invoice_no", storage_key=storage_key)
        for _ in range(2):
            status = sender.send(rows)
            assert status.exit_status == 0, status
    assert len(asked) == 20
    assert set(asked.values()) == {1}


def cli():
    """The help of every command is whole and plain, and a key is the one that Python makes."""
    usages = {
        "": "Usage: victor [OPTIONS] COMMAND [ARGS]...",
        "key": "Usage: victor key [OPTIONS] {FACT}...",
        "rfp get": "Usage: victor rfp get [OPTIONS] {ID}",
        "rfp create": "Usage: victor rfp create [OPTIONS]",
        "bulk export": "Usage: victor bulk export [OPTIONS] [BATCH]...",
    }

    def run(*words):
        return subprocess.run([VICTOR, *words], capture_output=True, text=True, check=True).stdout

    assert run("key", "invoice", "1042").strip() == idempotency_key_for("invoice", "1042")
    for command, usage in usages.items():
        shown = run(*command.split(), "--help")
        # typer 0.27 has the dots within.
        first = shown.splitlines()[0].replace("...}", "}...").replace("...]", "]...")
        assert first == usage, first
        # The types of typer: <str>, <list[str]>.
        assert not re.search(r"<\w+", shown), shown


def stored(victor: Victor):
    """What an outbox keeps of an invoice."""
    due_date = victor.provider_time().moment.date()
    key = idempotency_key_for("invoice", 1042)
    return {
        **REQUEST,
        "due_date": due_date,
        "client_reference_id": "INV-1042",
        "idempotency_key": key,
    }


def django():
    """What is stored in a transaction is sent once."""
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import transaction

    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    settings.configure(INSTALLED_APPS=["victor_ext.outbox.django"], DATABASES={"default": database})
    django.setup()
    call_command("migrate", verbosity=0)

    # as the code of a project does, once Django is set up
    from victor_ext.outbox.django import (
        DjangoOutbox,
    )

    outbox = DjangoOutbox()
    with client() as victor:
        with transaction.atomic():
            outbox.add(**stored(victor))
        for _ in range(2):
            outbox.send(victor)
    assert [entry.state for entry in outbox.entries()] == ["sent"]
    assert [*asked.values()] == [1]


def mcp():
    """A host is told by the first call what to permit."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "a host", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": "payment", "arguments": {"invoice": "INV-1"}, "_meta": meta}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    words = [VICTOR, "mcp", "--database", "sqlite:///none.sqlite"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, **pipes) as server:
        server.stdin.write(json.dumps(call) + "\n")
        server.stdin.flush()
        said = json.loads(server.stdout.readline())["result"]
        server.stdin.close()
    assert server.returncode == 0
    assert "victor mcp allow" in said["content"][0]["text"]


def otel():
    """The listener takes the events of a call with the API of OpenTelemetry alone, without its
    SDK.
    """
    from victor_api.client import Client

    from victor_ext import connect
    from victor_ext.otel import OpenTelemetry

    os.environ["VICTOR_LISTENER_ERRORS"] = "raise"
    script = [httpx.Response(503), httpx.Response(200, json={})]
    transport = httpx.MockTransport(lambda _request: script.pop(0))
    options = {"transport": transport, "retry": RetryPolicy(base=0.0), "on_event": OpenTelemetry()}
    with connect(Client, base_url="http://localhost", **options) as client:
        assert client.api.get_httpx_client().get("/").status_code == 200
        assert client.listener_failures == 0
    assert script == []


def outbox():
    """What is stored with the invoice is sent once."""
    import sqlalchemy as sa

    from victor_ext.outbox import EntryState, Outbox

    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    outbox = Outbox(engine)
    outbox.create_table()
    with client() as victor:
        with engine.begin() as connection:
            outbox.add(connection, **stored(victor))
        for _ in range(2):
            outbox.send(victor)
    assert outbox.counts()[EntryState.SENT] == 1
    assert [*asked.values()] == [1]
    engine.dispose()


def prometheus():
    """A call is among the metrics, and nothing is wrong with a process that has no worker."""
    from victor_ext.prometheus import Prometheus

    server = (metrics := Prometheus()).serve(0)
    with client(on_event=metrics) as victor:
        list(victor.payment_requests.list())
    for path, shown in (("metrics", 'victor_ext_outcome="success"'), ("readyz", "ok")):
        assert (
            shown
            in httpx.get(f"http://127.0.0.1:{server.server_port}/{path}", trust_env=False).text
        )


def sandbox():
    """A lost answer is repaired against it, and the customer is asked once."""
    from victor_ext.sandbox import Sandbox, SandboxSettings

    with Sandbox(SandboxSettings(demo_data=True)) as sandbox:
        auth = VictorOAuth(*sandbox.add_oauth_client())
        with Victor(auth, base_url=sandbox.url, retry=RetryPolicy(base=0.0)) as victor:
            sandbox.inject("lose_answer", operation="create")
            created = victor.payment_requests.create(
                **REQUEST, due_date=victor.provider_time().moment.date()
            )
            assert sandbox.work_done_by_key() == {created.idempotency_key: 1}
            assert [
                request.id for request in victor.payment_requests.list(direction="outbound")
            ] == [created.id]
            assert "44.23" in httpx.get(sandbox.url, trust_env=False).text


USES = {
    use.__name__: use for use in (core, bulk, cli, django, mcp, otel, outbox, prometheus, sandbox)
}

if __name__ == "__main__":
    USES[sys.argv[1]]()
