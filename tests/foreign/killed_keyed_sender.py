"""A process that stores one write and sends it, and is killed at one of its commits."""

import os
import signal
from typing import NamedTuple

import sqlalchemy as sa

from tests.foreign.keyed_apis import BY_NAME
from victor_ext import connect
from victor_ext.outbox import Outbox

KEY = "6f1d7b54-0c5e-5a8e-9d35-2f0f5c1f7a11"
ORDERS = sa.Table("orders", sa.MetaData(), sa.Column("number", sa.Integer, primary_key=True))


class Kill(NamedTuple):
    """At which commit a process is killed: before it, or after it."""

    commit: int
    is_after: bool


def outbox_of(name, url, database):
    api = BY_NAME[name]
    client = connect(api.client, base_url=url, deadline=5, caller="4711", **api.options)
    return Outbox(sa.create_engine(database), client)


def add(name, outbox):
    """Store an order with its write, in one transaction, unless they are there."""
    api = BY_NAME[name]
    with outbox._engine.begin() as connection:
        if connection.scalar(sa.select(sa.func.count()).select_from(ORDERS)):
            return
        connection.execute(sa.insert(ORDERS).values(number=1))
        outbox.add_call(connection, api.operation, body=api.new(KEY), idempotency_key=KEY)


def work(name, url, database, kill):
    """Store the write, send it and follow it; end with 0 only if there were fewer commits."""
    outbox = outbox_of(name, url, database)
    dialect = outbox._engine.dialect
    commits = [0]
    commit = dialect.do_commit

    def commit_and_die(connection):
        commits[0] += 1
        is_last = commits[0] == kill.commit
        if is_last and not kill.is_after:
            os.kill(os.getpid(), signal.SIGKILL)
        commit(connection)
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)

    dialect.do_commit = commit_and_die
    add(name, outbox)
    outbox.send()
    outbox.refresh()
