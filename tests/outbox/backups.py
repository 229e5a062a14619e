"""Backups of an SQLite database of the tests, and what is there once they are restored."""

import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For tests that restore a backup: what is done with it is the same on each database."""


def back_up(engine):
    """Make a backup; what is returned restores it."""
    backup = sqlite3.connect(":memory:", check_same_thread=False)
    file = str(engine.url.database)

    with closing(sqlite3.connect(file)) as live:
        live.backup(backup)

    def restore():
        engine.dispose()
        with closing(sqlite3.connect(file)) as live:
            backup.backup(live)

    return restore


class Backup:
    """Of the database with a URL, as a company makes it.

    Attributes:
        restore: Lets the database be as it was when `make` was called.
    """

    def __init__(self, url):
        self.url = url

    def make(self):
        self.restore = back_up(sa.create_engine(self.url, poolclass=sa.NullPool))
