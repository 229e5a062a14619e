"""Databases for the tests of the outbox."""

from __future__ import annotations

from uuid import uuid4

import sqlalchemy as sa

from tests.bulk.postgres import Postgres


def new_schema(server: Postgres) -> str:
    """The URL of a new schema of a server. A new database for each test costs a server 20 s when it stops."""
    name = f"outbox_{uuid4().hex[:12]}"
    url = server.url("postgres").replace("postgresql://", "postgresql+psycopg://")
    maintenance = sa.create_engine(url)
    with maintenance.begin() as connection:
        connection.execute(sa.text(f"CREATE SCHEMA {name}"))
    maintenance.dispose()
    return f"{url}&options=-csearch_path%3D{name}"
