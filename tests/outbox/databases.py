"""Databases for the tests of the outbox."""

from __future__ import annotations

from uuid import uuid4

import sqlalchemy as sa

from tests.bulk.postgres import Postgres


def new_database(server: Postgres) -> str:
    """The URL of a new database of a server."""
    name = f"outbox_{uuid4().hex[:12]}"
    maintenance = sa.create_engine(_url(server, "postgres"), isolation_level="AUTOCOMMIT")
    with maintenance.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    maintenance.dispose()
    return _url(server, name)


def _url(server: Postgres, name: str) -> str:
    return server.url(name).replace("postgresql://", "postgresql+psycopg://")
