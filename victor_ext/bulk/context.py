"""What one sender works with (`BulkContext`), and which system and provider its client is of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from victor_ext import ConfigurationError, VictorError
from victor_ext.health import Heartbeat
from victor_ext.settlement.key_age import Now, SentSince
from victor_ext.systems import System
from victor_ext.vault import Vault

from .row_kind import RowKind
from .rows import RowOutcome
from .settings import Settings
from .state import State
from .store import Store, no_such_batch

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class BulkContext:
    """What one sender works with.

    Attributes:
        client: A client of the system, with blocking calls.
        kind: What a row is for the system.
        vault: Encrypts what is stored.
        heartbeat: The heartbeat of the sender, which the worker keeps.
        tried: The number of rows that the sender has tried, by outcome. The worker adds to it.
        secret: The secret that the key of the state is encrypted with.
    """

    client: Any
    kind: RowKind
    state: State
    vault: Vault
    settings: Settings
    heartbeat: Heartbeat
    tried: Counter[RowOutcome]
    secret: bytes = field(repr=False)

    @property
    def account(self) -> str:
        """The account of the client, as a keyed digest."""
        return self.vault.fingerprint(f"account {self.client.caller}")[:12]

    @property
    def address(self) -> str:
        """The provider of the client, as a keyed digest: workers for another environment or address
        do not send a batch.
        """
        return self.vault.fingerprint(f"address {provider_of(self.client)}")

    @property
    def sender(self) -> str:
        """The account and the address that entries are sent with."""
        return f"{self.account} {self.address}"

    @property
    def owner(self) -> str:
        """The system and the environment. With a key, they identify a payment."""
        return f"{self.client.system.name} {self.client.environment}".rstrip()

    def sent_now(self) -> SentSince:
        """Ask for the provider's time, unless it is known, and return the present time in a form
        that can be stored. If no response comes, that is the time of this machine.
        """
        if not self.client.provider_time().is_known:
            with suppress(VictorError):
                self.client.ask_time()
        now = Now.of(self.client)
        return SentSince.at(now, self.client.caller)

    @contextmanager
    def open(self, batch: str = "") -> Generator[Store]:
        """Open a batch for the block. Nothing is checked.

        Args:
            batch: The name of the batch; empty: the store is only used for the whole state.
        """
        with self.state.engine() as engine:
            system = str(self.client.provider)
            yield Store(
                engine,
                self.vault,
                system,
                self.owner,
                batch,
                self.account,
                self.address,
                self.sender,
            )

    @contextmanager
    def open_present(self, batch: str) -> Generator[Store]:
        """Open a batch of a state that has to be there. The argument is that of `open`.

        Raises `ConfigurationError` if there is no state, and as `State.errors` does, also in the
        block.
        """
        if not self.state.exists() and not batch:
            raise ConfigurationError(f"There is no state {self.state}: nothing was stored there.")
        if not self.state.exists():
            raise no_such_batch(batch, str(self.state))
        # The tables may be incomplete: a process may have been killed while it made them.
        self.state.prepare()
        with self.state.errors(), self.open(batch) as store:
            yield store


def system_of(client: Any) -> System:
    """Return the system of a client.

    Raises `ConfigurationError` if the system has no rows to send, or the client is awaited.
    """
    system: object = getattr(client, "system", None)
    if isinstance(system, System) and system.why_not_bulk:
        raise ConfigurationError(system.why_not_bulk)
    if isinstance(system, System) and not client.is_awaited:
        return system
    raise ConfigurationError(
        f"client must be one with blocking calls, not {type(client).__name__}: bulk sending uses "
        "threads, and is faster so."
    )


def provider_of(client: Any) -> str:
    """Return a text that identifies the provider of a client: the system, environment and address.

    All sandboxes on this machine count as one provider, because their ports change.
    """
    url = httpx.URL(client.base_url)
    address = "this machine" if url.host in _LOOPBACK else str(url).rstrip("/")
    return f"{client.system.name} {client.environment} {address}"
