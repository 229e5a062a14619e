"""How the workers of this process do: what the probes of Kubernetes ask, and what `victor_ext.otel`
measures.
"""

import os
import time
from collections.abc import Iterator

__all__ = ("Heartbeat",)

_STALLED_AFTER = 300.0
"""Seconds without a step after which a worker is stalled: more than any call or transaction takes.
"""


class Heartbeat:
    """What a worker notes, for other threads to read.

    Attributes:
        failing: What failed when it was last tried, such as `outbox.send`, with the class of its
            error. At first, nothing has been tried.
    """

    def __init__(self) -> None:
        self.failing: dict[str, str] = {}
        # The monotonic time of the last step, or, in a pause, of its end. None: the worker does not
        # run.
        self._at: float | None = None
        self._pid = os.getpid()  # a forked process has this object, but not the worker

    def _note(self, at: float | None) -> None:
        self._at, self._pid = at, os.getpid()

    @property
    def idle(self) -> float:
        """Seconds since the last step, such as a transaction or a call; 0 while the worker pauses,
        or does not run.
        """
        at = self._at if self._pid == os.getpid() else None
        return 0.0 if at is None else max(0.0, time.monotonic() - at)

    def start(self, *passes: str) -> None:
        """Note that a worker begins, and will try these `passes`."""
        self.failing = dict.fromkeys(passes, "not tried")
        self._note(time.monotonic())

    def step(self, pause: float = 0.0) -> None:
        """Note that something was done, and that the worker pauses for so many seconds."""
        if self._at is not None:
            self._note(time.monotonic() + pause)

    def stop(self) -> None:
        """Note that the worker has ended as it should."""
        self.failing = {}
        self._note(None)

    def problems(self, *, ready: bool) -> Iterator[str]:
        """Say what is wrong: that the worker is stalled; with `ready`, also what is failing."""
        if self.idle > _STALLED_AFTER:
            yield f"no step for {self.idle:.0f} seconds"
        if ready and self._pid == os.getpid():
            for name, why in tuple(self.failing.items()):  # the worker may change it meanwhile
                yield f"{name}: {why}"
