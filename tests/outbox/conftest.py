"""One PostgreSQL server for all tests of the outbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bulk.postgres import Postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    server = Postgres()
    yield server
    server.stop()
