"""The outbox, or the inbox, of a database for one command."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import victor_ext
from victor_ext.privacy import concealed

from .failures import Misuse
from .screen import plain
from .wording import in_options

if TYPE_CHECKING:
    import sqlalchemy as sa

    from victor_ext.outbox import Outbox

STORAGE_KEY = "VICTOR_OUTBOX_KEY"
"""The variable that has the storage key of an outbox that is encrypted."""
_OPTIONS = {
    "by": "--by",
    "why": "--why",
    "id": "--id",
    "older_than": "--older-than",
    "protect_for": "--protect-for",
}
"""Arguments of an outbox that are options here."""


@contextmanager
def opened_outbox(database: str, table: str) -> Generator[Outbox]:
    """Open an outbox for the block.

    Raises `Misuse`, which quotes no URL: it may have a password.
    """
    with opened_events(database, table) as (outbox, has_entries):
        if not has_entries:
            raise Misuse(
                f"{table} has no entries, only events: it is an inbox's, for status, and "
                "for retry and discard with --dead-letter."
            )
        yield outbox


@contextmanager
def opened_events(database: str, table: str) -> Generator[tuple[Outbox, bool]]:
    """Open an outbox or an inbox for the block, for its events; with whether it has entries, as an
    outbox does.

    Raises `Misuse`, which quotes no URL: it may have a password.
    """
    try:
        from victor_ext.outbox import Outbox  # noqa: PLC0415 - an extra of its own
    except ImportError as error:
        raise Misuse(f"{error}.") from error
    with _explained():
        schema, name = _split_name(table)
        inspected = _inspected(database)
        if not inspected.has_table(name, schema=schema):
            raise Misuse(f"--database has no table {table}: name the outbox's with --table.")
        columns = {column["name"] for column in inspected.get_columns(name, schema=schema)}
        # read as it is needed: an inbox has none
        storage_key = concealed(os.environ.get(STORAGE_KEY)) or None
        outbox = Outbox(inspected.engine, table=table, storage_key=storage_key)
        yield outbox, "key" in columns


def _split_name(table: str) -> tuple[str | None, str]:
    from victor_ext.event_queue.databases import split_name  # noqa: PLC0415 - an extra of its own

    try:
        return split_name(table)
    except victor_ext.ConfigurationError as error:
        raise Misuse(f"--table: {error}") from error


def _inspected(database: str) -> sa.Inspector:
    import sqlalchemy as sa  # noqa: PLC0415 - an extra of its own

    engine = sa.create_engine(database, poolclass=sa.NullPool)  # no connection stays open
    file = engine.url.database if engine.name == "sqlite" else None
    is_file = file and not file.startswith(("file:", ":memory:"))
    if is_file and not Path(str(file)).exists():  # SQLite would make it
        raise Misuse(f"--database: there is no file {file}.")
    return sa.inspect(engine)


@contextmanager
def _explained() -> Generator[None]:
    """Turn errors of the outbox, and of its database, into `Misuse`."""
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError  # noqa: PLC0415 - an extra of its own

    try:
        yield
    except victor_ext.InvalidRequest as error:
        raise Misuse(in_options(error.problems, _OPTIONS)) from error
    except victor_ext.ConfigurationError as error:
        raise Misuse(str(error)) from error
    except (ArgumentError, ImportError) as error:
        raise Misuse(
            "--database: write sqlite:///FILE or postgresql+psycopg://..., and install its driver."
        ) from error
    except SQLAlchemyError as error:
        reason = _first_line(getattr(error, "orig", None) or "it refused a statement")
        raise Misuse(
            f"--database cannot be used: {reason}. Check the URL, and that it runs."
        ) from error


def _first_line(message: Any) -> str:
    return plain(str(message).split("\n")[0])
