"""What a provider brings to a sandbox: operations, state, options, commands, and the records that the page shows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Literal, TypeVar

from victor_ext.sandbox.server.commands import ServerCommands
from victor_ext.sandbox.server.context import Received, SandboxContext
from victor_ext.sandbox.server.exchange import Call, KeyLocation, Response, error_response
from victor_ext.sandbox.server.operations import JsonObject, Operation
from victor_ext.sandbox.server.settings import ServerSettings

Tone = Literal["waiting", "good", "bad", "plain"]


@dataclass(frozen=True)
class Action:
    """A button that sends one control command."""

    label: str
    path: str
    shortcut: str
    """The key on the keyboard."""
    parameters: JsonObject = field(default_factory=dict[str, Any])
    fields: tuple[str, ...] = ()
    """The names of the inputs that are sent with it."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One record in a list and on a page of its own. Every text may come from a caller: it is escaped when shown."""

    id: str
    group: str
    """The id of the record that it belongs to; its own when it belongs to none."""
    at: float
    """When it was made, in epoch seconds of the wall clock."""
    status: str
    tone: Tone
    amount: str
    incoming: bool
    who: str
    """The other party."""
    key: str | None = None
    """The idempotency key that led to it, also when that made another record first."""
    reference: str | None = None
    notes: str | None = None


@dataclass(frozen=True)
class Move:
    status: str
    tone: Tone
    at: float
    """Epoch seconds of the wall clock: when the sandbox made the move."""
    due: float
    """Epoch seconds of the business clock: when the status began."""


@dataclass(frozen=True, kw_only=True)
class Details:
    record: Record
    facts: Sequence[tuple[str, str]]
    moves: Sequence[Move]
    related: Mapping[str, str]
    """What each link says, and the id of its record."""
    fields: Mapping[str, str]
    """The inputs of the actions: the parameter of the command, and the label."""
    actions: Sequence[Action] = ()


class Records(ABC):
    """The records of a provider."""

    title: str
    """What they are called, in the plural."""

    @abstractmethod
    def latest(self, count: int) -> Sequence[Record]:
        """The last records, newest first."""

    @abstractmethod
    def details(self, record_id: str) -> Details:
        """One record; raises `NotFound`."""

    @abstractmethod
    def as_test(self, record_id: str, calls: Sequence[Received]) -> str:
        """A test that repeats the life of a record; `calls` are those about it, oldest first."""


S = TypeVar("S", bound=ServerSettings)


class SandboxProvider(ABC, Generic[S]):
    """One provider's side of a sandbox. All of it runs on the serving thread, and nothing in it waits."""

    name: ClassVar[str]
    """In lower case, as on the command line."""
    title: ClassVar[str]
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
        self.state = self.new_state()

    def new_state(self) -> Any:
        return None

    @abstractmethod
    def handle(self, operation: str, call: Call) -> Response:
        """Authenticate the caller, do the work and answer. `operation` is a name from `operations`."""

    def reset(self) -> None:
        """Forget everything, credentials included. The context has been reset already."""
        self.state = self.new_state()

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
        return self.context.work_by_key

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
        return f"{self.title} sandbox"


AnyProvider = SandboxProvider[Any]
