"""The end of a worker: its passes take up nothing more."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

_worker_stop: ContextVar[threading.Event | None] = ContextVar(
    "victor_ext_worker_stop", default=None
)
"""What ends the worker that makes the present pass; None: no worker makes it."""


@contextmanager
def ended_by(stop: threading.Event) -> Generator[None]:
    """Let the passes of the block take up nothing more once `stop` is set."""
    token = _worker_stop.set(stop)
    try:
        yield
    finally:
        _worker_stop.reset(token)


def is_ending() -> bool:
    """Whether the worker that makes this pass is to end: it takes up nothing more."""
    stop = _worker_stop.get()
    return stop is not None and stop.is_set()
