"""One PostgreSQL server for all tests of the outbox, and a database for each of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.bulk.postgres import postgres_server
from tests.tiers import borders
from victor_ext.outbox import Outbox

__all__ = ["postgres_server"]

NOTES = sa.Table("notes", sa.MetaData(), sa.Column("text", sa.Text))
"""What handlers write."""


@pytest.fixture(params=borders(["sqlite", "postgresql"], "sqlite"))
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'invoices.sqlite'}"
    return str(request.getfixturevalue("postgres_server").new_schema())


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    made = sa.create_engine(database_url)
    NOTES.create(made)
    yield made
    made.dispose()


@pytest.fixture
def outbox(engine: sa.Engine) -> Outbox:
    made = Outbox(engine)
    made.create_table()
    return made
