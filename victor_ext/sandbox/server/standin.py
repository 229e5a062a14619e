"""What a provider brings to be stood in for: its operations, its answers, its state, its own commands."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from victor_ext.sandbox.server.answer import error_answer
from victor_ext.sandbox.server.options import settings_parser
from victor_ext.sandbox.server.settings import ServerSettings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from victor_ext.sandbox.server.answer import Answer
    from victor_ext.sandbox.server.call import Call
    from victor_ext.sandbox.server.jsontypes import JsonObject
    from victor_ext.sandbox.server.keys import KeyPlace
    from victor_ext.sandbox.server.paths import Operation
    from victor_ext.sandbox.server.routes import Command
    from victor_ext.sandbox.server.stage import SandboxContext

S = TypeVar("S", bound=ServerSettings)


class StandIn(ABC, Generic[S]):
    """One provider's side of a sandbox. All of it runs on one thread, and nothing in it waits."""

    name: ClassVar[str]
    """In lower case, as the command line has it."""
    title: ClassVar[str]
    """As people write it."""
    operations: ClassVar[tuple[Operation, ...]]
    key: ClassVar[KeyPlace] = None
    """Where a request carries its idempotency key."""
    commands: ClassVar[tuple[Command, ...]] = ()
    """Control commands of its own; each is a method of `control` with the same name."""
    settings_type: ClassVar[type[ServerSettings]] = ServerSettings

    def __init__(self, stage: SandboxContext, settings: S) -> None:
        self.stage = stage
        self.settings = settings

    @abstractmethod
    def answer(self, operation: str, call: Call) -> Answer:
        """Let the caller in, do the work, and answer. `operation` is a word of `operations`."""

    @abstractmethod
    def reset(self) -> None:
        """Forget everything, credentials included. The clocks and the record have been reset already."""

    def error(self, status: int, code: str, message: str) -> Answer:
        """An error that the machinery gives in the provider's name: an injected one, 404, 405, 413, 500."""
        return error_answer(status, code, message)

    def advance(self, seconds: float) -> int:
        """Set the business clock forward and do what has become due; returns how much that was."""
        self.stage.clock.advanced += seconds
        return 0

    def work_by_key(self) -> Mapping[str, int]:
        """How often work was done under each key."""
        return self.stage.log.work_by_key

    def info(self) -> JsonObject:
        """What there is to say beside settings and clocks."""
        return {}

    def client_settings(self, url: str) -> str:
        """Environment variables for a client, one per line, with fresh credentials where it takes some."""
        return f"{self.name.upper()}_BASE_URL={url}\n"

    def close(self) -> None:
        """Let go of files."""

    @property
    def control(self) -> object:
        """Whose methods the commands are."""
        return self

    @property
    def heading(self) -> str:
        """How the sandbox introduces itself."""
        return f"{self.title} sandbox"

    @classmethod
    def parser(cls, prog: str) -> argparse.ArgumentParser:
        """The command line: the options of every sandbox, and one for each `option` of the settings."""
        return settings_parser(prog, f"A local stand-in for {cls.title}.", cls.settings_type)


AnyStandIn = StandIn[Any]
