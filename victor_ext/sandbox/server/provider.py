"""What a provider brings to a sandbox: its operations, its state, its own options and commands."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

from victor_ext.sandbox.server.commands import ServerCommands
from victor_ext.sandbox.server.context import SandboxContext
from victor_ext.sandbox.server.exchange import Call, KeyLocation, Response, error_response
from victor_ext.sandbox.server.operations import JsonObject, Operation
from victor_ext.sandbox.server.page_records import Records
from victor_ext.sandbox.server.settings import ServerSettings

S = TypeVar("S", bound=ServerSettings)


class SandboxProvider(ABC, Generic[S]):
    """One provider's side of a sandbox. All of it runs on the serving thread, and nothing in it waits."""

    name: ClassVar[str]
    """In lower case, as on the command line."""
    title: ClassVar[str]
    """As people write it."""
    operations: ClassVar[tuple[Operation, ...]]
    key: ClassVar[KeyLocation] = None
    """Where a request carries its idempotency key."""
    settings_type: ClassVar[type[ServerSettings]] = ServerSettings
    commands_type: ClassVar[type[ServerCommands]] = ServerCommands
    """The control commands, those of the provider included."""
    state: Any = None
    """What the provider keeps; its commands have it as `_state`."""

    def __init__(self, context: SandboxContext, settings: S) -> None:
        self.context = context
        self.settings = settings

    @abstractmethod
    def handle(self, operation: str, call: Call) -> Response:
        """Authenticate the caller, do the work and answer. `operation` is a name from `operations`."""

    @abstractmethod
    def reset(self) -> None:
        """Forget everything, credentials included. The context has been reset already."""

    def error(self, status: int, code: str, message: str) -> Response:
        """An error in the provider's format; also for those of the server (injected ones, 404, 405, 413, 500)."""
        return error_response(status, code, message)

    def advance(self, seconds: float) -> int:
        """Set the business clock forward and make the moves that are due; returns their number."""
        self.context.clock.advanced += seconds
        return 0

    def tick(self) -> None:
        """Make the moves that time has made due. An open page calls it about once a second."""

    def records(self) -> Records | None:
        """What the page shows of the provider's state; None: calls and keys only."""
        return None

    def work_by_key(self) -> Mapping[str, int]:
        """How often work was done under each key."""
        return self.context.log.work_by_key

    def info(self) -> JsonObject:
        """What the `info` command returns beside settings and clocks."""
        return {}

    def client_settings(self, url: str) -> str:
        """Environment variables for a client, one on each line, with fresh credentials."""
        return f"{self.name.upper()}_BASE_URL={url}\n"

    def close(self) -> None:
        """Close files."""

    @property
    def heading(self) -> str:
        """The sandbox's name in the greeting."""
        return f"{self.title} sandbox"


AnyProvider = SandboxProvider[Any]
