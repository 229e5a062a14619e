"""The options of every sandbox, and how a provider declares its own: as a field of a class, with
a default and what it means. The check of a value and the option of the command line are made
from that.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import msgspec
from msgspec import Meta

from victor_ext.sandbox.server._exchange import JsonObject

T = TypeVar("T")
FARTHEST = 1000 * 365 * 86_400
"""Seconds, a thousand years: a clock that is set much farther has no date."""


def option(default: T, help: str, **more: Any) -> T:  # noqa: A002 (the word of command lines)
    """Declare an option: the default of a field of a settings class. `command_line` is the default
    there, where that is another one.
    """
    made: T = field(default=default, metadata={"help": help, **more})
    return made


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerSettings:
    """The options that every sandbox has. All times are in seconds. A wrong value is a `ValueError`
    that names it.
    """

    host: str = option(
        "127.0.0.1", "address to listen on; whoever reaches another one can command the sandbox"
    )
    port: Annotated[int, Meta(ge=0, le=65535)] = option(0, "0 picks a free port", command_line=8900)
    seed: int | None = option(None, "makes ids the same in every run")

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self), include_extras=True)
        for each in fields(self):
            try:
                msgspec.convert(getattr(self, each.name), hints[each.name])
            except msgspec.ValidationError as error:
                raise ValueError(f"{each.name}: {error}") from None

    def to_dict(self) -> JsonObject:
        return {each.name: getattr(self, each.name) for each in fields(self)}


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
