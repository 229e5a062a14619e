"""PgBouncer in front of PostgreSQL, which gives each transaction any process of the server: what
many senders have stored is sent once each, and nobody meets the prepared statements of another.
"""

import getpass
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from tests.bulk.bulk_runs import rows
from tests.bulk.postgres import postgres_server
from tests.gateways.gateway import INSTALLED
from tests.outbox.kinds import Provider
from tests.outbox.rows import stored
from tests.payments import invoice
from victor_ext.bulk import BulkSender
from victor_ext.outbox import Outbox

__all__ = ["postgres_server"]

CONFIGURATION = """
[databases]
shop = host=PROVIDER dbname=postgres user=postgres connect_query='SET search_path TO {schema}'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = PORT
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = 3
{user}
"""
PROGRAM = [str(INSTALLED / "usr/sbin/pgbouncer"), "FOLDER/conf"]


@pytest.fixture
def pooled(gateway, postgres_server):
    """Makes the URL of a new schema behind a pooler in a mode."""
    started = []

    def start(mode):
        direct = sa.make_url(postgres_server.new_schema())
        schema = str(direct.query["options"]).partition("=")[2]
        # It refuses to be run by root, and so does the server, which is another user then.
        own = Path(postgres_server.socket_folder).owner()
        user = f"user = {own}" if getpass.getuser() == "root" else ""
        conf = CONFIGURATION.format(schema=schema, mode=mode, user=user)
        pooler = gateway(PROGRAM, conf, SimpleNamespace(url=postgres_server.socket_folder))
        pooler.__enter__()
        started.append(pooler)
        address = sa.make_url(pooler.url)
        return sa.URL.create(
            "postgresql+psycopg", "postgres", host=address.host, port=address.port, database="shop"
        )

    yield start
    for pooler in started:
        pooler.__exit__(None, None, None)


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_senders_behind_a_pooler_send_each_entry_once(pooled, mode):
    url = pooled(mode)
    provider = Provider()
    options = {"pool_size": 1, "connect_args": {"prepare_threshold": None}}
    engines = [sa.create_engine(url, **options) for _ in range(4 if mode == "transaction" else 2)]
    Outbox(engines[0]).create_table()

    def work(engine):
        with provider.client() as victor:
            outbox = Outbox(engine, victor, workers=4)
            for number in range(20):  # more often than the driver waits before it prepares
                first = 100 * engines.index(engine) + 2 * number
                stored(outbox, invoice(first), invoice(first + 1))
                outbox.send()

    with ThreadPoolExecutor(len(engines)) as threads:
        list(threads.map(work, engines))
    wanted = [f"INV-{100 * each + number}" for each in range(len(engines)) for number in range(40)]
    assert sorted(provider.references) == sorted(wanted)
    assert {entry.state for entry in Outbox(engines[0]).entries()} == {"sent"}
    for engine in engines:
        engine.dispose()


def test_bulk_workers_behind_a_pooler_send_each_row_once(pooled, victor_sandbox, victor):
    """A worker that lives is not taken for dead, however its transactions are spread."""
    state = pooled("transaction").set(drivername="postgresql").render_as_string()
    victor_sandbox.inject("delay", operation="create", delay=0.1, times=None)
    wanted = rows(60)

    def work(number):
        options = {"key_column": "invoice_no", "workers": 4, "storage_key": "a-key-of-some-length"}
        sender = BulkSender(victor, state=state, batch=f"file-{number}", **options)
        return sender.send(wanted[30 * number : 30 * (number + 1)]).counts

    with ThreadPoolExecutor(2) as threads:
        counts = list(threads.map(work, range(2)))
    assert counts == [{"created": 30}, {"created": 30}]
    assert sorted(victor_sandbox.attempts_by_key().values()) == [1] * 60
