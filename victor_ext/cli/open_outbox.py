"""The outbox, or the inbox, of a database for one command.

`open_outbox` is for commands about entries, `open_event_queue` for those about events, which an
inbox has, too.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

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
"""The options of arguments of an outbox."""


class EventQueue(NamedTuple):
    """An outbox, or an inbox, with the interface of an outbox."""

    outbox: Outbox
    has_entries: bool
    """Whether it is an outbox: an inbox has only events."""


@contextmanager
def open_outbox(database: str, table: str) -> Generator[Outbox]:
    """Open an outbox for the block.

    Raises `Misuse`, whose message does not quote the URL `database`: a URL may have a password.
    """
    with open_event_queue(database, table) as queue:
        if not queue.has_entries:
            raise Misuse(
                f"{table} has no entries, only events: it is an inbox's, for status, and "
                "for retry and discard with --dead-letter."
            )
        yield queue.outbox


@contextmanager
def open_event_queue(database: str, table: str) -> Generator[EventQueue]:
    """Open an outbox or an inbox for the block. Raises `Misuse`, as `open_outbox` does."""
    try:
        from victor_ext.outbox import Outbox  # noqa: PLC0415 - an extra of its own
    except ImportError as error:
        raise Misuse(f"{error}.") from error
    with _errors_as_misuse():
        schema, name = _split_name(table)
        inspector = _inspector_of(database)
        if not inspector.has_table(name, schema=schema):
            raise Misuse(f"--database has no table {table}: name the outbox's with --table.")
        columns = {column["name"] for column in inspector.get_columns(name, schema=schema)}
        # An inbox has no storage key: an outbox uses it only where entries are read or changed.
        storage_key = concealed(os.environ.get(STORAGE_KEY)) or None
        outbox = Outbox(inspector.engine, table=table, storage_key=storage_key)
        yield EventQueue(outbox, has_entries="key" in columns)


def _split_name(table: str) -> tuple[str | None, str]:
    """Return the schema, or None, and the name of a table. Raises `Misuse`."""
    from victor_ext.event_queue.databases import split_name  # noqa: PLC0415 - an extra of its own

    try:
        return split_name(table)
    except victor_ext.ConfigurationError as error:
        raise Misuse(f"--table: {error}") from error


def _inspector_of(database: str) -> sa.Inspector:
    """Return what knows the tables of a database. Raises `Misuse` if there is no such file."""
    import sqlalchemy as sa  # noqa: PLC0415 - an extra of its own

    # No connection stays open, and no error shows what is stored.
    engine = sa.create_engine(database, poolclass=sa.NullPool, hide_parameters=True)
    file = engine.url.database if engine.name == "sqlite" else None
    is_plain_file = file and not file.startswith(("file:", ":memory:"))
    if is_plain_file and not Path(str(file)).exists():  # SQLite would make an empty one
        raise Misuse(f"--database: there is no file {file}.")
    return sa.inspect(engine)


@contextmanager
def _errors_as_misuse() -> Generator[None]:
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
    """Return the first line of an error of a driver: further lines are details."""
    return plain(str(message).split("\n")[0])
