"""The end of a worker: a pass asks here before it takes the next row up."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

_worker_stop: ContextVar[threading.Event | None] = ContextVar(
    "victor_ext_worker_stop", default=None
)
"""The event that stops the worker of the present pass; None: the pass is made by no worker."""


@contextmanager
def ended_by(stop: threading.Event) -> Generator[None]:
    """Let passes within the block take up nothing more once `stop` is set."""
    token = _worker_stop.set(stop)
    try:
        yield
    finally:
        _worker_stop.reset(token)


def is_ending() -> bool:
    """Whether the worker of this pass is to end, so that the pass takes up nothing more."""
    stop = _worker_stop.get()
    return stop is not None and stop.is_set()
