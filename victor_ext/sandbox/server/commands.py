"""Control commands: each is declared once, with its route, its arguments, its documentation and its work.

A command is a method of a class on `ServerCommands`, under `@command(method, path)`. Called on a sandbox, in this
process or in another one, it hands its arguments to the server as JSON values. There its body runs, on an instance of
the commands class that has the provider and the `SandboxContext`. The control API has one route for each command.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import wraps
from math import isfinite
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, Unpack, overload

from victor_ext.sandbox.server.faults import FaultOptions, Kind, read_fault
from victor_ext.sandbox.server.jsontypes import JsonObject, JsonValue
from victor_ext.sandbox.server.page.exchange_text import body_text
from victor_ext.sandbox.server.paths import CONTROL, PAGE
from victor_ext.sandbox.server.received import Received
from victor_ext.sandbox.server.settings import FARTHEST

if TYPE_CHECKING:
    from victor_ext.sandbox.server.service import Service

A = ParamSpec("A")
C = TypeVar("C", bound="ServerCommands")
R = TypeVar("R")


class NotFound(Exception):
    """A command names something that does not exist: a 404 over HTTP, a `LookupError` in Python."""


@dataclass(frozen=True, slots=True)
class Command:
    """One declared command. Parameters come from the path, the query (GET, integers) or a JSON body."""

    name: str
    method: str
    path: str
    work: Callable[..., JsonValue]

    @property
    def signature(self) -> inspect.Signature:
        """The parameters of the command, after `self`."""
        return inspect.signature(self.work)

    @property
    def parameters(self) -> tuple[inspect.Parameter, ...]:
        """What a caller gives: in the path, in the query (GET) or in the body."""
        return tuple(self.signature.parameters.values())[1:]

    @property
    def documentation(self) -> str:
        """The docstring without its indentation."""
        return inspect.getdoc(self.work) or ""

    def to_dict(self) -> JsonObject:
        """The command as JSON, for those who ask what there is."""
        return {
            "call": f"{self.method} {self.path}",
            "parameters": [each.name for each in self.parameters],
            "what": " ".join(self.documentation.split("\n\n")[0].split()),
        }


@overload
def command(method: str, path: str) -> Callable[[Callable[Concatenate[C, A], R]], Callable[Concatenate[C, A], R]]: ...
@overload
def command(
    method: str, path: str, *, returns: Callable[[Any], R]
) -> Callable[[Callable[Concatenate[C, A], object]], Callable[Concatenate[C, A], R]]: ...
def command(method: str, path: str, *, returns: Callable[[Any], Any] | None = None) -> Any:
    """Declare a command at `path` below `/_sandbox`.

    The body returns a JSON value, which is what the control API answers. `returns` makes the result in Python from it.
    """

    def decorate(work: Callable[..., JsonValue]) -> Callable[..., Any]:
        declared = Command(work.__name__.lstrip("_"), method, CONTROL + path, work)
        signature = declared.signature
        names = [*signature.parameters][1:]

        @wraps(work)
        def send(self: ServerCommands, *args: object, **options: object) -> Any:
            signature.bind(self, *args, **options)
            given = {**dict(zip(names, args, strict=False)), **options}
            # None is "not given" everywhere but in `times`, where it means without end.
            given = {name: _plain(value) for name, value in given.items() if value is not None or name == "times"}
            found = self._send(declared, given)  # pyright: ignore[reportPrivateUsage] - a method of the same class
            return found if returns is None else returns(found)

        send.command = declared  # type: ignore[attr-defined]
        if returns is not None:
            # The annotated return type is that of the control API.
            send.__signature__ = signature.replace(return_annotation=inspect.Signature.empty)  # type: ignore[attr-defined]
        return send

    return decorate


def member(name: str, kind: Callable[[Any], R]) -> Callable[[Any], R]:
    """A `returns` that takes one member of the answer."""
    return lambda found: kind(found[name])


def nothing(_found: object) -> None:
    """A `returns` for a command without a result in Python."""


class ServerCommands:
    """The commands of every sandbox. Misuse is a `ValueError`; something that does not exist is a `LookupError`."""

    _provider: Any
    """The provider, where the bodies run. A derived class declares its type."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._provider = service.provider
        self._context = service.context

    @classmethod
    def commands(cls) -> tuple[Command, ...]:
        """Every command, those of the provider first. `ValueError` when two have the same name."""
        declared = [getattr(value, "command", None) for base in cls.__mro__ for value in vars(base).values()]
        found = tuple(each for each in declared if isinstance(each, Command))
        if len({each.name for each in found}) < len(found):
            raise ValueError("a provider's own command has the name of another one")
        return found

    def _send(self, command: Command, parameters: JsonObject) -> JsonValue:
        """Run one command on the server; returns its JSON value."""
        raise NotImplementedError

    @command("GET", "/")
    def info(self) -> JsonObject:
        """The name of the sandbox, its settings, its clocks and its commands."""
        return {
            "sandbox": self._provider.name,
            "settings": self._context.settings.to_dict(),
            "clock": self._context.clock.to_dict(),
            "page": self._service.control_url + PAGE,
            "commands": [each.to_dict() for each in self.commands()],
            **self._provider.info(),
        }

    @command("GET", "/clock")
    def clock(self) -> JsonObject:
        """Both clocks in epoch seconds: `now` (business) and `wall` (server); `skew` and `advanced` in seconds."""
        return self._context.clock.to_dict()

    @command("POST", "/clock/advance", returns=member("moved", int))
    def advance(self, seconds: float | timedelta) -> JsonObject:
        """Set the business clock `seconds` forward and make every move that is due; returns their number, `moved`."""
        ahead = _seconds(seconds)
        if ahead < 0:
            raise ValueError("seconds must not be negative: time does not run backwards")
        return {"moved": self._provider.advance(ahead), **self._context.clock.to_dict()}

    @command("POST", "/clock/skew", returns=nothing)
    def set_clock_skew(self, seconds: float | timedelta) -> JsonObject:
        """Put the server's clock (tokens, `Date`) `seconds` ahead of this machine's, or behind it when negative."""
        self._context.clock.skew = _seconds(seconds)
        return self._context.clock.to_dict()

    @command("GET", "/received", returns=lambda found: [Received(**each) for each in found])
    def received(self, after: int = 0) -> list[JsonObject]:
        """The remembered calls with a number above `after`, oldest first."""
        return [each.to_dict() for each in self._context.log.after(after)]

    @command("GET", "/received/bodies")
    def bodies(self, after: int = 0) -> list[JsonObject]:
        """What the calls above `after` said and were answered, without credentials: `number`, `request`, `response`.

        The last 200 calls are kept. Of an account number the last four digits stand. None: there is no response.
        """
        found: list[JsonObject] = []
        for each in self._context.log.after(after):
            content = self._context.contents.get(each.number)
            if content is not None:
                answer = content.response
                response = None if answer is None else body_text(answer.body, answer.headers)
                request = body_text(content.body, content.headers)
                found.append({"number": each.number, "request": request, "response": response})
        return found

    @command("GET", "/keys/attempts")
    def attempts_by_key(self) -> dict[str, int]:
        """How often each idempotency key was seen."""
        return dict(self._context.log.attempts)

    @command("GET", "/keys/work")
    def work_done_by_key(self) -> dict[str, int]:
        """How often each idempotency key led to work; 0: only attempts. Anything above 1 is a duplicate."""
        return {**dict.fromkeys(self._context.log.attempts, 0), **self._provider.work_by_key()}

    @command("GET", "/references/work")
    def work_done_by_reference(self) -> dict[str, int]:
        """How often work was done for each reference of the caller, such as an invoice number; 0: only attempts."""
        return dict(self._context.log.work_by_reference)

    @command("POST", "/faults", returns=member("id", int))
    def inject(self, kind: Kind, **options: Unpack[FaultOptions]) -> JsonObject:
        """Let the next matching calls fail; returns the fault's `id`.

        docs/sandbox.md lists each `kind` and all `options`.
        `times=None` means until it is cleared. The default is once, or without end when there is a probability.
        """
        return {"id": self._context.faults.inject(read_fault(kind, dict(options), self._context.operations))}

    @command("GET", "/faults")
    def faults(self) -> list[JsonObject]:
        """The faults that a call may still meet, each with the number of calls that have `met` it."""
        return [fault.to_dict() for fault in self._context.faults.waiting]

    @command("DELETE", "/faults", returns=member("cleared", int))
    def clear_faults(self) -> JsonObject:
        """Remove all faults; returns their number, `cleared`."""
        return {"cleared": self._context.faults.clear()}

    @command("POST", "/down", returns=nothing)
    def down(self, seconds: float | None = None) -> Awaitable[JsonObject]:
        """Close the listener and all connections. New ones are refused for `seconds`; None: until `up`."""
        return self._service.down(None if seconds is None else _seconds(seconds))

    @command("POST", "/up", returns=nothing)
    def up(self) -> Awaitable[JsonObject]:
        """Listen again."""
        return self._service.up()

    @command("POST", "/reset", returns=nothing)
    def reset(self) -> JsonObject:
        """Forget everything, credentials and accounts included; demo data come back."""
        self._context.reset()
        self._provider.reset()
        return {}


def _plain(value: object) -> JsonValue:
    """An argument in Python as a JSON value: an amount and a date as text, a duration in seconds."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    return value.total_seconds() if isinstance(value, timedelta) else value


def _seconds(value: JsonValue) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise TypeError("seconds must be a number of seconds")
    if abs(value) > FARTHEST:
        raise ValueError("seconds must be a thousand years at most")
    return float(value)
