"""The URL of the database of batches, checked. Its password is hidden in every `repr`."""

from __future__ import annotations

import os
import re
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from victor_ext import ConfigurationError, Problem
from victor_ext.privacy import Secret, kind_of

_FORMS = "write sqlite:///victor-bulk.sqlite (a file in this folder) or postgresql://user@host/database"
_RENAMED = re.compile(r"\Apostgres://")
_LOGIN = re.compile(r"[^/]:[^/]*@")
_LAST_PORT = 65_535


def checked_url(url: object) -> sa.URL:
    """Return a validated URL. Messages never quote it: a password may be anywhere in it."""
    if not isinstance(url, str):
        raise refused(f"state must be text, not {kind_of(url)}: {_FORMS}.")
    if not url.isprintable():
        raise refused(f"state contains an invisible character: {_FORMS}.")
    parsed = _parsed(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        _check_file(parsed)
        return parsed.set(drivername="sqlite")
    if backend != "postgresql":
        raise refused(f"state names the database {backend}, which is not supported: {_FORMS}.")
    if parsed.port is not None and not 1 <= parsed.port <= _LAST_PORT:
        raise refused(f"state has the port {parsed.port}: write one from 1 to {_LAST_PORT}, or none.")
    if not _can_be_called(parsed):
        raise refused("state has an invalid host or port: write postgresql://user@host/database.")
    return parsed.set(drivername="postgresql+psycopg", database=parsed.database or "victor_bulk")


def _parsed(url: str) -> sa.URL:
    wrong = f"state is not the URL of a database: {_FORMS}."
    try:
        return _with_hidden_password(sa.make_url(_RENAMED.sub("postgresql://", url)))
    except ArgumentError:
        pass
    except ValueError:
        wrong = "state has a port that is not a number: write postgresql://user@host:5432/database."
    # Raised outside the handler: the original traceback has frames that contain the URL.
    raise refused(wrong)


def _with_hidden_password(url: sa.URL) -> sa.URL:
    # As in drivers, a password in the query takes precedence.
    given = url.normalized_query.get("password", (str(url.password or ""),))[-1]
    return url.difference_update_query(["password"]).set(password=Secret(given) if given else None)


def _can_be_called(url: sa.URL) -> bool:
    """Whether the driver accepts the hosts and ports, including those in the query."""
    query = url.normalized_query
    try:
        for host in (url.host or "", *query.get("host", ())):
            if not host.startswith("/"):  # a folder with a socket
                host.encode("idna")
        return all(int(port) > 0 for port in query.get("port", ()))
    except ValueError:
        return False


def _check_file(url: sa.URL) -> None:
    path = url.database
    if url.username or url.password or url.host or url.port or (path and _LOGIN.search(path)):
        raise refused(f"state is a file, which has no user, password, host or port: {_FORMS}.")
    if url.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise refused(f"state names the driver {url.drivername}, which is not supported: {_FORMS}.")
    if not path or path == ":memory:" or path.startswith("file:") or url.query:
        raise refused(f"state is not a file that survives a crash: {_FORMS}.")
    try:
        os.fsencode(path)
        Path(path).exists()
        folder = Path(path).resolve().parent
        exists = folder.is_dir()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the name contains an invalid character"
        raise refused(f"state is not a valid file: {reason}.") from None
    if not exists:
        raise refused(f"state is in the folder {folder}, which does not exist.")


def refused(message: str, code: str = "url") -> ConfigurationError:
    """Return the error for a state that cannot be used."""
    return ConfigurationError.of([Problem("state", code, message)])
