"""A queue of events in the user's own database, each handled once: what outbox and inbox have in
common.

Read `queue` first, then `handlers` and `events`. Below them are `transactions` (the steps of a
pass, and their blocking and awaited drivers), `workers` (which make passes), `calls` (several calls
at once), `databases` (clock, tables, failover) and `rows`.
"""

from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def needs(module: str, extras: str) -> Generator[None]:
    """Say which `extras` to install, as pip takes them, if an import within the block fails."""
    try:
        yield
    except ImportError as error:
        message = f"{module} needs {error.name}; install its extra: pip install {extras}"
        raise ImportError(message, name=error.name) from error
