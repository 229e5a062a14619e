"""Check the URL of a state (`checked_url`): which databases it can name.

Messages never quote the URL, because a password may be anywhere in it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from victor_ext import ConfigurationError, Problem
from victor_ext.privacy import Secret

_FORMS = (
    "write sqlite:///victor-bulk.sqlite (a file in this folder) or postgresql://user@host/database"
)
_LOGIN = re.compile(r"[^/]:[^/]*@")
"""What looks like `user:password@` in a path."""


def checked_url(url: object) -> sa.URL:
    """Return the URL of a state with the driver that is used. Raises `ConfigurationError`."""
    if not isinstance(url, str) or not url.isprintable():
        raise refused_state(f"state must be text without invisible characters: {_FORMS}.")
    try:
        parsed = _with_hidden_password(sa.make_url(url))
    except (ArgumentError, ValueError):
        # Not chained: the text of these errors has the URL.
        raise refused_state(f"state is not the URL of a database: {_FORMS}.") from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        _check_file(parsed)
        return parsed.set(drivername="sqlite")
    if backend != "postgresql":
        raise refused_state(
            f"state names the database {backend}, which is not supported: {_FORMS}."
        )
    if "autocommit" in parsed.query:
        raise refused_state(
            "state has the option autocommit: each row would be stored alone, and half of a source "
            "could be sent. Leave it out."
        )
    return parsed.set(drivername="postgresql+psycopg", database=parsed.database or "victor_bulk")


def _with_hidden_password(url: sa.URL) -> sa.URL:
    """Return a URL whose password is a `Secret`, which no repr shows, and is not in the query."""
    # As in drivers, a password in the query takes precedence.
    password = url.normalized_query.get("password", (str(url.password or ""),))[-1]
    bare = url.difference_update_query(["password"])
    return bare.set(password=Secret(password) if password else None)


def _check_file(url: sa.URL) -> None:
    """Check that a URL names a file, in a folder that exists. Raises `ConfigurationError`."""
    path = url.database or ""
    has_more = url.username or url.password or url.host or url.port or url.query
    is_no_file = path in ("", ":memory:") or path.startswith("file:")
    if is_no_file or has_more or _LOGIN.search(path):
        raise refused_state(
            "state is not a file that survives a crash, without user, password and options: "
            f"{_FORMS}."
        )
    folder = Path(path).resolve().parent
    if not os.path.isdir(folder):
        raise refused_state(f"state is in the folder {folder}, which does not exist.")


def refused_state(message: str, code: str = "url") -> ConfigurationError:
    """Return the error for a `state` that cannot be used."""
    return ConfigurationError.of([Problem("state", code, message)])
