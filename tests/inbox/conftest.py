"""The databases of the outbox's tests."""

from tests.outbox.conftest import database_url, engine, postgres_server

__all__ = ["database_url", "engine", "postgres_server"]
