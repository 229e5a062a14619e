"""The outbox on Django's transactions.

    INSTALLED_APPS = [..., "victor_ext.outbox.django"]  # then: manage.py migrate

    outbox = DjangoOutbox()

    with transaction.atomic():
        Invoice.objects.create(number=1042, ...)
        outbox.add(..., client_reference_id="INV-1042",
                   idempotency_key=idempotency_key_for("invoice", 1042))

The worker is `manage.py send_payment_requests --interval 5`, or a Celery task of
`send_payment_requests()`. Each may be killed at any step. Table, states and rules are those of
`victor_ext.outbox`. See docs/django.md.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from pkgutil import resolve_name
from typing import Any, Unpack, cast

from victor_ext import ConfigurationError, VictorError
from victor_ext._privacy import kind_of
from victor_ext._version import needs_extra

with needs_extra(__name__, "django"):
    from django.conf import settings
    from django.db import DEFAULT_DB_ALIAS

    from victor_ext._event_queue.django import DjangoDriver, share_handlers
    from victor_ext._event_queue.transactions import OpenBox
    from victor_ext._event_queue.workers import BlockingWorker
    from victor_ext.outbox._entries import Entry, provider_of
    from victor_ext.outbox._outboxes import OutboxBase, OutboxOptions

__all__ = ("DjangoOutbox", "send_payment_requests")

_clients: dict[tuple[int, str, int], Any] = {}
"""The clients of this process, by process id, place and environment; see `_client_of`."""


class DjangoOutbox(OutboxBase[str], BlockingWorker, OpenBox):
    """The outbox in a database of a Django project: SQLite or PostgreSQL. Safe to share between
    threads and workers.

    Args:
        using: The alias of the database in `settings.DATABASES` that has your invoices.
        options: `client`, `keys_kept`, `lease`, `settle_for`, `workers` and `storage_key`, as for
            `Outbox`.
    """

    _driver = DjangoDriver

    def __init__(self, using: str = DEFAULT_DB_ALIAS, **options: Unpack[OutboxOptions]) -> None:
        super().__init__(using, **options)
        share_handlers(self._parts.queue, self.table, using, provider_of(self.client))

    @classmethod
    def from_settings(cls) -> DjangoOutbox:
        """The outbox with the arguments in `settings.VICTOR_OUTBOX`, a dict; without it, with the
        defaults.

        `client` may be the place of a function that makes one,
        `"victor_ext.providers.velo:Velo.from_env"`: it is called once in a process.

        Raises:
            ConfigurationError: `VICTOR_OUTBOX` is no dict, or has what is no argument.
        """
        configured = getattr(settings, "VICTOR_OUTBOX", {})
        if not isinstance(configured, Mapping):
            raise ConfigurationError(
                f"settings.VICTOR_OUTBOX must be a dict, not {kind_of(configured)}: write "
                "{'using': 'default'}."
            )
        options = dict(cast("Mapping[str, Any]", configured))
        known = ["using", *OutboxOptions.__annotations__]
        unknown = next((str(name) for name in options if name not in known), None)
        if unknown is not None:
            raise ConfigurationError(
                f"settings.VICTOR_OUTBOX has {unknown!r:.40}, which is none of {', '.join(known)}."
            )
        if isinstance(options.get("client"), str):
            options["client"] = _client_of(options["client"])
        return cls(**options)


def client_of(outbox: DjangoOutbox, on_event: Any = None) -> Any:
    """The client of an outbox, else `Victor.from_env()`. The latter is made once in a process, and
    all passes and threads share it.
    """
    return outbox.client or _client_of("victor_ext:Victor.from_env", on_event=on_event)


def _client_of(place: str, **options: Any) -> Any:
    """The client that the function at a place (`module:name`) makes, which is called once in a
    process and environment.
    """
    # A forked child makes its own client, and so does a test that has set other variables.
    key = os.getpid(), place, hash(frozenset(os.environ.items()))
    if key not in _clients:
        client = resolve_name(place)(**options)
        is_ours = _clients.setdefault(key, client) is client
        if not is_ours:  # another thread was faster
            client.close()
    return _clients[key]


def send_payment_requests() -> dict[str, int]:
    """One pass of a worker, with `DjangoOutbox.from_settings()`: the body of a Celery task.

    It sends with the outbox's client, else with `Victor.from_env()`. Passes of one process share
    the client.

    Returns:
        The number of entries that have come to a result or have changed, by state.

    Raises:
        VictorError: As for `send` and `refresh`. `refresh` is done also if `send` has failed.
    """
    outbox = DjangoOutbox.from_settings()
    changed: list[Entry] = []
    failures: list[VictorError] = []
    client = client_of(outbox)
    for work in (outbox.send, outbox.refresh):
        try:
            changed += work(client)
        except VictorError as error:
            failures.append(error)
    outbox.handle()
    if failures:
        raise failures[0]
    # An entry that was sent and refreshed in this pass counts once, by its last state.
    states = {entry.idempotency_key: entry.state.value for entry in changed}
    return Counter(states.values())
