"""Backups of a state, as a company makes them: the database of that moment comes back."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa


class Backup(Protocol):
    """A database that no process uses now, and its backup."""

    @property
    def url(self) -> str: ...

    def make(self) -> None: ...

    def restore(self) -> None: ...


class FileBackup:
    """Of an SQLite file."""

    def __init__(self, path: Path) -> None:
        self.url = f"sqlite:///{path}"
        self._path, self._copy = path, path.with_name("backup")

    def make(self) -> None:
        connected = sqlite3.connect(self._path), sqlite3.connect(self._copy)
        with closing(connected[0]) as source, closing(connected[1]) as copy:
            source.backup(copy)

    def restore(self) -> None:
        for part in self._path.parent.glob(f"{self._path.name}*"):
            part.unlink()
        self._copy.rename(self._path)


class ServerBackup:
    """Of a database of a PostgreSQL server."""

    def __init__(self, url: str) -> None:
        self.url = url
        parts = sa.make_url(url)
        self._name = parts.database
        self._server = parts.set(drivername="postgresql+psycopg", database="postgres")

    def make(self) -> None:
        self._run(f'CREATE DATABASE "{self._name}_backup" TEMPLATE "{self._name}"')

    def restore(self) -> None:
        self._run(
            f'DROP DATABASE "{self._name}" WITH (FORCE)',
            f'ALTER DATABASE "{self._name}_backup" RENAME TO "{self._name}"',
        )

    def _run(self, *statements: str) -> None:
        engine = sa.create_engine(self._server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))
        engine.dispose()
