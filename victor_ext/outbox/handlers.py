"""`on`: registers the handlers of an outbox, each for some of its events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from victor_ext import ConfigurationError, InvalidRequest
from victor_ext.event_queue.handlers import H
from victor_ext.event_queue.names import meant_by
from victor_ext.event_queue.transactions import Engine

from .entries import event_name
from .passes import OutboxPasses
from .preparer import preparer


class OutboxHandlers(OutboxPasses[Engine]):
    """Registers handlers. A name that no event can have is refused: its handler would never be
    called.
    """

    def on(self, name: str | None = None, *, operation: str | None = None) -> Callable[[H], H]:
        """Register a handler, a function of a session and the `OutboxEvent`:
        `@outbox.on("completed")`.

        It is called in the transaction that stores the change, and may add the next entry to the
        outbox with the session. If it raises, the change is stored without its work, and the event
        is handled later (see `handle`). It works on the database alone: while it runs, others wait
        for its transaction.

        Args:
            name: A state (`sent`, `rejected`, `refused`, `unclear`), or a status of the provider's,
                in any letter case. A status whose word is a state of entries, or close to a known
                one, is `status:rejected`. None: every event.
            operation: The entries of one operation alone, such as `payouts.submit`. None: of each.

        Raises:
            ConfigurationError: The function is `async def`, and the outbox has blocking calls; or
                the outbox's client has no such method; or the name is one letter off a known one.
        """
        self._check_method(operation)
        self._check_operation(operation)
        return self._on(name, operation)

    def _check_method(self, operation: object) -> None:
        """Raise `ConfigurationError` for the name of a method that the client has not.

        Only names with a dot are names of methods; those of generated functions have none.
        """
        if isinstance(operation, str) and "." in operation and self.client is not None:
            # Without arguments a known method fails in one of these ways.
            with suppress(TypeError, InvalidRequest):
                self.client.prepare(operation)

    def _check_operation(self, operation: object) -> None:
        """Raise `ConfigurationError` for a name that is a slip of the name of an operation: its
        handler would never be called.
        """
        if not isinstance(operation, str):
            return
        if not operation.strip():
            raise ConfigurationError(
                "operation is empty: name one, such as operation='payouts.submit', or leave it out."
            )
        meant = _operation_meant_by(operation, self._client_or_preparer().operation_names)
        if meant is not None:
            raise ConfigurationError(
                f"operation={operation!r:.60} is no operation of {self._provider()}'s: did you "
                f"mean {meant!r}?"
            )

    def _event_name(self, name: str) -> str:
        """As of every queue; see `event_name` of `entries`."""
        return event_name(name, getattr(self._client_or_preparer(), "statuses", ()))

    def _client_or_preparer(self) -> Any:
        return preparer() if self.client is None else self.client


def _operation_meant_by(operation: str, known: Sequence[str]) -> str | None:
    """The known operation of which a name is a slip; None: the name is known, or like no known
    one.
    """
    if operation in known:
        return None
    word = operation.casefold()
    in_any_case = {name.casefold(): name for name in known}
    by_method = {name.rpartition(".")[2]: name for name in known}
    meant = in_any_case.get(word) or by_method.get(word) or meant_by(word, known)
    return meant or by_method.get(meant_by(word, by_method) or "")
