"""The options of every sandbox, and how a provider declares its own: once, as a field with a default from `option()`.

The checks of the value, the option of the command line and the tables in docs/sandbox-*.md are all made from that.
"""

from __future__ import annotations

import ipaddress
import math
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

from victor_ext.sandbox.server.exchange import JsonObject

T = TypeVar("T")

FARTHEST = 1000 * 365 * 86_400
"""Seconds, a thousand years: a clock that is set much farther has no date."""
_AUTHORITY = re.compile(r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Option:
    """What is known of one option beside its name and its type."""

    help: str
    at_least: float | None = None
    metavar: str | None = None
    read: Callable[[str], Any] | None = None
    check: Callable[[Any], object] | None = None
    command_line: Any = None
    """The default on the command line."""
    choices: tuple[Any, ...] = ()

    def validate(self, name: str, value: Any) -> None:
        """Raise `ValueError` for a value that the option cannot have. None passes where it is the default."""
        if self.choices and value not in self.choices:
            raise ValueError(f"{name} must be one of {', '.join(self.choices)}, not {value!r}")
        if value is None:
            return
        if self.at_least is not None and not self.at_least <= value < math.inf:
            raise ValueError(f"{name} must be a number of at least {self.at_least:g}, not {value!r}")
        if self.check is not None:
            self.check(value)


def option(
    default: T,
    *,
    help: str,  # noqa: A002 (argparse's word)
    at_least: float | None = None,
    metavar: str | None = None,
    read: Callable[[str], object] | None = None,
    check: Callable[[Any], object] | None = None,
    command_line: object = None,
) -> T:
    """Declare an option: the default of a field of a settings class.

    `at_least` bounds a number. `read` makes the value from a text; it is needed where the type of the default cannot (a
    default of None). `check` raises `ValueError` for a wrong value. `command_line` is the default on the command line
    (None: the same as in Python). A `Literal` as the type of the field gives the choices.
    """
    declared = Option(help, at_least, metavar, read, check, default if command_line is None else command_line)
    made: T = field(default=default, metadata={"option": declared})
    return made


def options_of(settings: type[ServerSettings]) -> dict[str, Option]:
    """The options of a settings class by name, in the order of declaration."""
    choices = {name: get_args(kind) for name, kind in get_type_hints(settings).items() if get_origin(kind) is Literal}
    return {
        each.name: replace(each.metadata["option"], choices=choices.get(each.name, ())) for each in fields(settings)
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerSettings:
    """The options that every sandbox has. All times are in seconds. A wrong value is a `ValueError` that names it."""

    host: str = option("127.0.0.1", help="address to listen on")
    public: bool = option(False, help="let other machines reach the host")
    allowed_host: str | Sequence[str] = option(
        (),
        metavar="NAME[:PORT]",
        help="another name by which the control API may be called, such as that of a container; may be repeated",
    )
    port: int = option(0, command_line=8900, help="0 picks a free port")
    control_port: int | None = option(
        None, read=int, help="a second port for /_sandbox/ alone, up while the API is down"
    )
    clock_skew: float = option(0.0, metavar="SECONDS", help="how far the server's clock is ahead; negative: behind")
    seed: int | None = option(None, read=int, help="makes ids and faults the same in every run")
    keep_received: int = option(
        100_000, at_least=0, metavar="N", help="how many calls are remembered; counts by key cover all"
    )
    body_limit: int = option(1 << 20, at_least=1, metavar="BYTES", help="a larger request body is answered with 413")

    def __post_init__(self) -> None:
        for name, declared in options_of(type(self)).items():
            declared.validate(name, getattr(self, name))
        if not self.public and not is_this_machine(self.host):
            raise ValueError(
                f"host {self.host!r} can be reached from other machines, and whoever reaches a sandbox can command it: "
                "listen on 127.0.0.1, or set public (--public) if that is meant"
            )
        object.__setattr__(self, "allowed_host", _host_names(self.allowed_host))
        if not all(0 <= port <= 65535 for port in (self.port, self.control_port or 0)):
            raise ValueError("port and control port must be between 0 and 65535")
        if not abs(self.clock_skew) <= FARTHEST:
            raise ValueError(f"clock_skew must be seconds, a thousand years at most, not {self.clock_skew!r}")

    def to_dict(self) -> JsonObject:
        values = {name: getattr(self, name) for name in options_of(type(self))}
        paths = {name: str(cast("object", value)) for name, value in values.items() if isinstance(value, os.PathLike)}
        return values | paths


def is_this_machine(host: str) -> bool:
    """Whether only programs on this machine can reach an address."""
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_authority(text: str) -> tuple[str, int | None] | None:
    """The name and the port of `name:port`, without the brackets of IPv6; None for any other text."""
    match = _AUTHORITY.fullmatch(text.lower())
    if match is None or int(match["port"] or 0) > 65535:
        return None
    return match["six"] or match["name"], None if match["port"] is None else int(match["port"])


def _host_names(given: str | Sequence[str]) -> tuple[str, ...]:
    names = (given,) if isinstance(given, str) else tuple(given)
    for name in names:
        if not isinstance(name, str) or read_authority(name) is None:
            raise ValueError(f"allowed_host must be a name such as sandbox or sandbox:8900, not {name!r}")
    return names
