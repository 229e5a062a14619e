"""The command line of a sandbox, made from its settings."""

from __future__ import annotations

import argparse
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any

from victor_ext.sandbox.server.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import Callable


def settings_parser(prog: str, description: str, settings: type[ServerSettings]) -> argparse.ArgumentParser:
    """A parser for the options of every sandbox and for those of these settings."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    add_provider(parser)
    add_listening(parser)
    add_clock_skew(parser)
    add_seed(parser)
    _add_own(parser, settings)
    add_limits(parser)
    add_running(parser, example="a client's settings")
    return parser


def add_provider(parser: argparse.ArgumentParser) -> None:
    """The option that has chosen this parser; here it is only shown."""
    parser.add_argument("--provider", metavar="NAME", help="whom to stand in for (default: victor)")


def add_listening(parser: argparse.ArgumentParser) -> None:
    """Where it listens, and by which names the control API may be called."""
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    add("--public", action="store_true", help="let --host be an address that other machines can reach")
    text = "another name by which the control API may be called, with any port or with this one; may be repeated"
    add("--allowed-host", action="append", default=[], metavar="NAME[:PORT]", help=text)
    add("--port", type=int, default=8900, help="0 picks a free one (default: 8900)")
    add("--control-port", type=int, help="a second port for /_sandbox/ alone; 0 picks a free one")


def add_clock_skew(parser: argparse.ArgumentParser) -> None:
    """A clock that is off."""
    text = "how far the server's clock is ahead"
    parser.add_argument("--clock-skew", type=float, default=0.0, metavar="SECONDS", help=text)


def add_seed(parser: argparse.ArgumentParser) -> None:
    """Runs that repeat."""
    parser.add_argument("--seed", type=int, help="the same ids and dice in every run")


def add_limits(parser: argparse.ArgumentParser) -> None:
    """How much is kept and taken."""
    add = parser.add_argument
    add("--keep-received", type=int, default=100_000, metavar="N", help="how many exchanges are remembered")
    add("--keep-alive", type=int, default=75, metavar="SECONDS", help="after which an idle connection is closed")
    add("--body-limit", type=int, default=1 << 20, metavar="BYTES", help="larger request bodies get a 413")


def add_running(parser: argparse.ArgumentParser, *, example: str) -> None:
    """What the process says, and where."""
    add = parser.add_argument
    add("--env-file", metavar="FILE", help=f"write {example} with fresh credentials for a client")
    add("--ready-file", metavar="FILE", help="write the URL as JSON once connections are taken")
    add("--json", dest="json_line", action="store_true", help="print the URL as one line of JSON")
    add("--quiet", action="store_true", help="no greeting, no line per call")


def _add_own(parser: argparse.ArgumentParser, settings: type[ServerSettings]) -> None:
    for field in fields(settings):
        text = field.metadata.get("help")
        if text is None:
            continue
        flag, default = "--" + field.name.replace("_", "-"), field.default
        if isinstance(default, bool):
            action: Any = argparse.BooleanOptionalAction if default else "store_true"
            parser.add_argument(flag, dest=field.name, action=action, default=default, help=text)
            continue
        read: Callable[[str], Any] | None = field.metadata["read"]
        if read is None and isinstance(default, int | float | str):
            read = type(default)
        if read is None or default is MISSING:
            raise TypeError(f"the option {field.name} needs a default that is a text, a number or a switch, or `read`")
        parser.add_argument(flag, dest=field.name, type=read, default=default, help=f"{text} (default: {default})")
