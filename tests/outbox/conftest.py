"""One PostgreSQL server for all tests of the outbox."""

from tests.bulk.postgres import postgres_server

__all__ = ["postgres_server"]
