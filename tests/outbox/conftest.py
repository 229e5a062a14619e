"""One PostgreSQL server for all tests of the outbox, and a database for each of them."""

from pathlib import Path

import pytest

from tests.bulk.postgres import postgres_server

__all__ = ["postgres_server"]


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'invoices.sqlite'}"
    return str(request.getfixturevalue("postgres_server").new_schema())
