"""Control commands: a method under `@command` is a call of the control API, and hands its arguments
to it as JSON.

Its body runs on the server, on an instance of the commands class that has the provider and the
`SandboxContext`.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import wraps
from http.client import HTTPConnection
from typing import Any, Concatenate, ParamSpec, TypeVar, Unpack, overload
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from victor_ext.sandbox.server._arguments import parameters_of, require_one_of
from victor_ext.sandbox.server._context import Received, SandboxContext
from victor_ext.sandbox.server._exchange import CONTROL, JsonObject, JsonValue
from victor_ext.sandbox.server._faults import FaultOptions, Kind
from victor_ext.sandbox.server._privacy import body_text
from victor_ext.sandbox.server._settings import FARTHEST

A = ParamSpec("A")
C = TypeVar("C", bound="ServerCommands")
K = TypeVar("K")
R = TypeVar("R")
_BRACES = re.compile(r"\{(\w+)\}")


class NotFound(LookupError):
    """Something that does not exist is named: a 404 over HTTP, also when a provider's operation
    raises it.
    """


def find(known: Mapping[K, R], key: K, what: str) -> R:
    """The value of a key; raises `NotFound` when `known` has no such `what`."""
    if key not in known:
        raise NotFound(f"There is no such {what}.")
    return known[key]


@dataclass(frozen=True, slots=True)
class Command:
    """One declared command.

    Parameters come from the path, the query (GET, integers) or a JSON body.
    """

    name: str
    method: str
    path: str
    work: Callable[..., JsonValue]

    @property
    def parameters(self) -> dict[str, Any]:
        return parameters_of(self.work)

    def to_dict(self) -> JsonObject:
        return {
            "call": f"{self.method} {self.path}",
            "parameters": list(self.parameters),
            "what": " ".join((inspect.getdoc(self.work) or "").split("\n\n")[0].split()),
        }


@overload
def command(
    method: str, path: str
) -> Callable[[Callable[Concatenate[C, A], R]], Callable[Concatenate[C, A], R]]: ...
@overload
def command(
    method: str, path: str, *, returns: Callable[[Any], R]
) -> Callable[[Callable[Concatenate[C, A], object]], Callable[Concatenate[C, A], R]]: ...
def command(method: str, path: str, *, returns: Callable[[Any], Any] | None = None) -> Any:
    """Declare a command at `path` below `/_sandbox`.

    The body returns a JSON value, which is what the control API answers. `returns` makes the result
    in Python from it.
    """

    def decorate(work: Callable[..., JsonValue]) -> Callable[..., Any]:
        return _sender(Command(work.__name__.lstrip("_"), method, CONTROL + path, work), returns)

    return decorate


def _sender(command: Command, returns: Callable[[Any], Any] | None) -> Callable[..., Any]:
    """Return the method that sends a command to the server."""
    signature = inspect.signature(command.work)
    names = list(command.parameters)

    @wraps(command.work)
    def send(self: ServerCommands, *args: object, **options: object) -> Any:
        signature.bind(self, *args, **options)
        arguments = {**dict(zip(names, args, strict=False)), **options}
        parameters = {name: _plain(value) for name, value in arguments.items()}
        value = self._send(command, parameters)  # pyright: ignore[reportPrivateUsage] - own
        return value if returns is None else returns(value)

    send.command = command  # type: ignore[attr-defined] # `ServerCommands.commands` looks for it
    return send


def member(name: str, kind: Callable[[Any], R]) -> Callable[[Any], R]:
    """A `returns` that takes one member of the result."""
    return lambda result: kind(result[name])


def nothing(_result: object) -> None:
    """A `returns` for a command without a result in Python."""


class ServerCommands:
    """The commands of every sandbox.

    Misuse is a `ValueError`; something that does not exist is a `LookupError`.
    """

    _provider: Any
    """The provider, where the bodies run. A derived class declares its type."""
    _state: Any
    """Its `state`."""

    def __init__(self, provider: Any, listener: Any) -> None:
        self._provider = provider
        self._state = provider.state
        self._listener = listener
        self._context: SandboxContext = provider.context

    @classmethod
    def commands(cls) -> tuple[Command, ...]:
        """Every command, those of the provider first."""
        commands: list[Command] = []
        for base in cls.__mro__:
            for value in vars(base).values():
                command = getattr(value, "command", None)
                if isinstance(command, Command):
                    commands.append(command)
        return tuple(commands)

    def _send(self, command: Command, parameters: JsonObject) -> JsonValue:
        """Run one command on the server; returns its JSON value."""
        raise NotImplementedError

    @command("GET", "/")
    def info(self) -> JsonObject:
        """Name, settings, clocks and commands of the sandbox."""
        return {
            "sandbox": self._provider.name,
            "settings": self._context.settings.to_dict(),
            "clock": self._context.clock.to_dict(),
            "commands": [command.to_dict() for command in self.commands()],
            **self._provider.info(),
        }

    @command("GET", "/clock")
    def clock(self) -> JsonObject:
        """Both clocks in epoch seconds: `now` (business) and `wall` (server); `skew` and `advanced`
        in seconds.
        """
        return self._context.clock.to_dict()

    @command("POST", "/clock/advance", returns=member("moved", int))
    def advance(self, seconds: float | timedelta) -> JsonObject:
        """Set the business clock `seconds` forward and make every move that is due; returns their
        number, `moved`.
        """
        ahead = _seconds(seconds)
        if ahead < 0:
            raise ValueError("seconds must not be negative: time does not run backwards")
        return {"moved": self._provider.advance(ahead), **self._context.clock.to_dict()}

    @command("POST", "/clock/skew", returns=nothing)
    def set_clock_skew(self, seconds: float | timedelta) -> JsonObject:
        """Put the server's clock (tokens, `Date`) `seconds` ahead of this machine's, or behind it
        when negative.
        """
        self._context.clock.skew = _seconds(seconds)
        return self._context.clock.to_dict()

    @command("GET", "/received", returns=lambda calls: [Received(**call) for call in calls])
    def received(self, after: int = 0) -> list[JsonObject]:
        """The calls with a number above `after`, oldest first. Credentials in headers
        are hidden.
        """
        return [call.to_dict() for call in self._context.after(after)]

    @command("GET", "/received/bodies")
    def bodies(self, after: int = 0) -> list[JsonObject]:
        """The bodies of the calls above `after`, without credentials: `number`, `request`,
        `response`.

        The last 200 calls are kept. Of an account number the last four digits are shown. None:
        there was no response.
        """
        return [
            {
                "number": number,
                "request": body_text(body),
                "response": None if response is None else response.text(),
            }
            for number, (body, response) in sorted(self._context.contents.items())
            if number > after
        ]

    @command("GET", "/keys/attempts")
    def attempts_by_key(self) -> dict[str, int]:
        """How often each idempotency key was seen."""
        return dict(self._context.attempts)

    @command("GET", "/keys/work")
    def work_done_by_key(self) -> dict[str, int]:
        """How often each idempotency key led to work; 0: only attempts."""
        return {**dict.fromkeys(self._context.attempts, 0), **self._context.work_by_key}

    @command("GET", "/references/work")
    def work_done_by_reference(self) -> dict[str, int]:
        """How often work was done for each reference of the caller; 0: only attempts."""
        return dict(self._context.work_by_reference)

    @command("POST", "/faults", returns=member("id", int))
    def inject(self, kind: Kind, **options: Unpack[FaultOptions]) -> JsonObject:
        """Let the next matching calls fail; returns the fault's `id`.

        docs/sandbox-reference.md lists each `kind` and all `options`. `times=None` means until the
        fault is cleared.
        """
        operation = options.get("operation")
        if operation is not None:
            require_one_of("operation", operation, self._context.operations.names)
        return {"id": self._context.faults.inject(kind, dict(options))}

    @command("GET", "/faults")
    def faults(self) -> list[JsonObject]:
        """The faults that still apply, each with the number of calls that it was `applied` to."""
        return [msgspec.to_builtins(fault) for fault in self._context.faults.waiting]

    @command("DELETE", "/faults", returns=member("cleared", int))
    def clear_faults(self) -> JsonObject:
        """Remove all faults; returns their number, `cleared`."""
        waiting = self._context.faults.waiting
        cleared = len(waiting)
        waiting.clear()
        return {"cleared": cleared}

    @command("POST", "/down", returns=nothing)
    def down(self, seconds: float | None = None) -> Awaitable[JsonObject]:
        """Refuse and reset connections for `seconds`; None: until `up`, which no call over HTTP can
        reach then.
        """
        down: Awaitable[JsonObject] = self._listener.down(
            None if seconds is None else _seconds(seconds)
        )
        return down

    @command("POST", "/up", returns=nothing)
    def up(self) -> Awaitable[JsonObject]:
        """Listen again."""
        up: Awaitable[JsonObject] = self._listener.up()
        return up

    @command("POST", "/reset", returns=nothing)
    def reset(self) -> JsonObject:
        """Forget everything, credentials and accounts included; demo data come back."""
        self._context.reset()
        self._provider.notifications.reset()
        self._provider.reset()
        return {}


class TokenCommands(ServerCommands):
    """The commands of a provider whose `state` has its issued `tokens` in a `TokenStore`."""

    @command("GET", "/tokens")
    def tokens_issued(self) -> dict[str, int]:
        """How many tokens were issued to each client."""
        return dict(self._state.tokens.issued)

    @command("POST", "/tokens/revoke")
    def revoke_tokens(self, client_id: str | None = None) -> int:
        """Revoke the tokens of one client (None: of all); returns their number."""
        return int(self._state.tokens.revoke(client_id))


class ServerOverHttp(ServerCommands):
    """The commands over HTTP. `url` is a sandbox's, without a path; `timeout` is in seconds."""

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.netloc:
            raise ValueError("url must be http://host:port of a sandbox")
        self.url, self._address, self._timeout = url.rstrip("/"), parts.netloc, timeout

    def _send(self, command: Command, parameters: JsonObject) -> JsonValue:
        path = _BRACES.sub(
            lambda match: quote(str(parameters.pop(match[1])), safe=""), command.path
        )
        body: str | None = None
        if command.method != "GET":
            body = json.dumps(parameters)
        elif parameters:
            path = f"{path}?{urlencode(parameters)}"
        status, result = self._exchange(command.method, path, body)
        if status < 400:
            return result
        message = str(result["message"])
        raise LookupError(message) if status == 404 else ValueError(message)

    def _exchange(self, method: str, path: str, body: str | None) -> tuple[int, Any]:
        """Make one call; returns the status and the JSON value of the response."""
        connection = HTTPConnection(self._address, timeout=self._timeout)
        try:
            connection.request(method, path, body, {"content-type": "application/json"})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


def _plain(value: object) -> JsonValue:
    """An argument in Python as a JSON value: an amount and a date as text, a duration in
    seconds.
    """
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    return value.total_seconds() if isinstance(value, timedelta) else value


def _seconds(value: JsonValue) -> float:
    if not abs(value) <= FARTHEST:
        raise ValueError("seconds must be a number of seconds, a thousand years at most")
    return float(value)
