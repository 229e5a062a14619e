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
        raise refused(f"state holds a character that cannot be seen: {_FORMS}.")
    found = _parsed(url)
    backend = found.get_backend_name()
    if backend == "sqlite":
        _check_file(found)
        return found.set(drivername="sqlite")
    if backend != "postgresql":
        raise refused(f"state names the database {backend}, which is not supported: {_FORMS}.")
    if found.port is not None and not 1 <= found.port <= _LAST_PORT:
        raise refused(f"state has the port {found.port}: write one from 1 to {_LAST_PORT}, or none.")
    if not _can_be_called(found):
        raise refused("state has a host or a port that cannot be: write postgresql://user@host/database.")
    return found.set(drivername="postgresql+psycopg", database=found.database or "victor_bulk")


def _parsed(url: str) -> sa.URL:
    wrong = f"state is no URL of a database: {_FORMS}."
    try:
        return _with_hidden_password(sa.make_url(_RENAMED.sub("postgresql://", url)))
    except ArgumentError:
        pass
    except ValueError:
        wrong = "state has a port that is no number: write postgresql://user@host:5432/database."
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
        raise refused(f"state is no file that could outlive a crash: {_FORMS}.")
    try:
        os.fsencode(path)
        Path(path).exists()
        folder = Path(path).resolve().parent
        found = folder.is_dir()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the name holds a character that no name can hold"
        raise refused(f"state is no file that can be: {reason}.") from None
    if not found:
        raise refused(f"state: there is no folder {folder}.")


def refused(message: str, code: str = "url") -> ConfigurationError:
    """Return the error for a state that cannot be used."""
    return ConfigurationError.of([Problem("state", code, message)])
