"""The options of every sandbox, and how a provider declares its own: once, as a field with a
default from `option()`.

The checks of the value, the option of the command line and the tables in docs/sandbox-*.md are all
made from that.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

from victor_ext.sandbox.server._arguments import check_type, require_least
from victor_ext.sandbox.server._exchange import JsonObject

T = TypeVar("T")

FARTHEST = 1000 * 365 * 86_400
"""Seconds, a thousand years: a clock that is set much farther has no date."""
HOST = re.compile(r"([a-z0-9._-]+)(:[0-9]{1,5})?")
"""What the header `Host` has: a name, and perhaps a port."""


@dataclass(frozen=True, slots=True)
class Option:
    """What is known of one option beside its name and its type."""

    help: str
    at_least: float | None = None
    metavar: str | None = None
    command_line: object = None
    """The default on the command line, where that is another one than in Python."""
    type: object = None
    """The annotation of the field."""

    @property
    def choices(self) -> tuple[Any, ...]:
        return get_args(self.type) if get_origin(self.type) is Literal else ()


def option(default: T, help: str, **more: Any) -> T:  # noqa: A002 (the word of command lines)
    """Declare an option: the default of a field of a settings class. `more` are fields of `Option`.

    A `Literal` as the type of the field gives the choices.
    """
    known: dict[str, Any] = {"command_line": default, **more}
    made: T = field(default=default, metadata={"option": Option(help, **known)})
    return made


def options_of(settings: type[ServerSettings]) -> dict[str, Option]:
    """The options of a settings class by name, in the order of declaration."""
    types = get_type_hints(settings)
    return {
        each.name: replace(each.metadata["option"], type=types[each.name])
        for each in fields(settings)
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerSettings:
    """The options that every sandbox has.

    All times are in seconds. A wrong value is a `ValueError` that names it.
    """

    host: str = option("127.0.0.1", help="address to listen on")
    public: bool = option(False, help="let other machines reach the host")
    allowed_host: str | Sequence[str] = option(
        (),
        metavar="NAME",
        help="another name by which the control API may be called, such as that of a container; "
        "may be repeated",
    )
    port: int = option(0, command_line=8900, help="0 picks a free port")
    clock_skew: float = option(0.0, "how far the server's clock is ahead; negative: behind")
    date_header: bool = option(True, "send Date, in whole seconds")
    keep_alive: float = option(75.0, "how long an idle connection is kept open", at_least=0)
    seed: int | None = option(None, help="makes ids and faults the same in every run")
    keep_received: int = option(
        100_000, at_least=0, help="how many calls are remembered; counts by key cover all"
    )

    def __post_init__(self) -> None:
        for name, declared in options_of(type(self)).items():
            value = getattr(self, name)
            check_type(name, value, declared.type)
            if value is not None and declared.at_least is not None:
                require_least(name, value, declared.at_least)
        if not self.public and not is_this_machine(self.host):
            raise ValueError(
                f"host {self.host!r} can be reached from other machines, and whoever reaches a "
                "sandbox can command it: "
                "listen on 127.0.0.1, or set public (--public) if that is meant"
            )
        object.__setattr__(self, "allowed_host", _host_names(self.allowed_host))
        if not 0 <= self.port <= 65535:
            raise ValueError("port must be between 0 and 65535")
        if not abs(self.clock_skew) <= FARTHEST:
            raise ValueError(
                f"clock_skew must be seconds, a thousand years at most, not {self.clock_skew!r}"
            )

    def to_dict(self) -> JsonObject:
        values: JsonObject = {}
        for name in options_of(type(self)):
            value = getattr(self, name)
            is_path = isinstance(value, os.PathLike)
            values[name] = str(cast("object", value)) if is_path else value
        return values


if TYPE_CHECKING:
    # A class without type arguments has the options of every sandbox. `typing.TypeVar` has defaults
    # from Python 3.13 on; type checkers bring these along.
    from typing_extensions import TypeVar as WithDefault

    S = WithDefault("S", bound=ServerSettings, default=ServerSettings)
else:
    S = TypeVar("S", bound=ServerSettings)


def is_this_machine(host: str) -> bool:
    """Whether only programs on this machine can reach an address."""
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host_names(given: str | Sequence[str]) -> tuple[str, ...]:
    names = (given,) if isinstance(given, str) else tuple(given)
    for name in names:
        if not isinstance(name, str) or ":" in name or not HOST.fullmatch(name.lower()):
            raise ValueError(f"allowed_host must be a name such as sandbox, not {name!r}")
    return names
