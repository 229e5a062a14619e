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

from victor_ext.sandbox.server.exchange import JsonObject, JsonValue

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
    measurable: bool = False
    """Whether a few calls show it from outside, so that a file of measurements may set it."""
    type: Any = None

    @property
    def choices(self) -> tuple[Any, ...]:
        return get_args(self.type) if get_origin(self.type) is Literal else ()

    def validate(self, name: str, value: Any) -> None:
        """Raise `ValueError` for a value that the option cannot have."""
        check_type(name, value, self.type)
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
    measurable: bool = False,
) -> T:
    """Declare an option: the default of a field of a settings class.

    `at_least` bounds a number. `read` makes the value from a text (None: its type does). `check` raises `ValueError`
    for a wrong value. `command_line` is the default on the command line (None: the same as in Python). A `Literal` as
    the type of the field gives the choices.
    """
    shown = default if command_line is None else command_line
    declared = Option(help, at_least, metavar, read, check, shown, measurable)
    made: T = field(default=default, metadata={"option": declared})
    return made


def measured(default: T, help: str, **more: Any) -> T:  # noqa: A002 (argparse's word)
    """Declare an option that a few calls to the provider show: a file of measurements may set it."""
    return option(default, help=help, measurable=True, **more)


def options_of(settings: type[ServerSettings]) -> dict[str, Option]:
    """The options of a settings class by name, in the order of declaration."""
    types = get_type_hints(settings)
    return {each.name: replace(each.metadata["option"], type=types[each.name]) for each in fields(settings)}


def check_type(name: str, value: JsonValue, declared: Any) -> None:
    """Raise `ValueError` for a value of another type than the declared one: a plain one or a `Literal`, or None."""
    is_optional = len(get_args(declared)) == 2 and type(None) in get_args(declared)
    expected = get_args(declared)[0] if is_optional else declared
    if get_origin(expected) is Literal and value not in get_args(expected):
        raise ValueError(f"{name} must be one of {', '.join(get_args(expected))}, not {value!r}")
    kind = {float: int | float, bool: bool, int: int, str: str, dict: dict}.get(get_origin(expected) or expected)
    # A bool is an int in Python, but neither a count nor a number of seconds.
    is_right = kind is None or (isinstance(value, kind) and isinstance(value, bool) is (kind is bool))
    if not is_right and not (value is None and is_optional):
        raise ValueError(f"{name} cannot be {value!r}")


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
    control_port: int | None = option(None, help="a second port for /_sandbox/ alone, up while the API is down")
    clock_skew: float = measured(0.0, "how far the server's clock is ahead; negative: behind")
    date_header: bool = measured(True, "send Date, in whole seconds")
    keep_alive: float = measured(75.0, "how long an idle connection is kept open", at_least=0)
    seed: int | None = option(None, help="makes ids and faults the same in every run")
    keep_received: int = option(100_000, at_least=0, help="how many calls are remembered; counts by key cover all")
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
