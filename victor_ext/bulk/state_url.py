"""The URL of a state: which databases it can name. Messages never quote it: a password may be
anywhere in it.
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


def checked_url(url: object) -> sa.URL:
    """Return a validated URL. Messages never quote it: a password may be anywhere in it."""
    if not isinstance(url, str) or not url.isprintable():
        raise refused_state(f"state must be text without invisible characters: {_FORMS}.")
    try:
        parsed = _with_hidden_password(sa.make_url(url))
    except (ArgumentError, ValueError):  # their text has the URL
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
    # As in drivers, a password in the query takes precedence.
    given = url.normalized_query.get("password", (str(url.password or ""),))[-1]
    return url.difference_update_query(["password"]).set(password=Secret(given) if given else None)


def _check_file(url: sa.URL) -> None:
    path = url.database
    remote = url.username or url.password or url.host or url.port or url.query
    if not path or path == ":memory:" or path.startswith("file:") or remote or _LOGIN.search(path):
        raise refused_state(
            "state is not a file that survives a crash, without user, password and options: "
            f"{_FORMS}."
        )
    folder = Path(path).resolve().parent
    if not os.path.isdir(folder):
        raise refused_state(f"state is in the folder {folder}, which does not exist.")


def refused_state(message: str, code: str = "url") -> ConfigurationError:
    return ConfigurationError.of([Problem("state", code, message)])
