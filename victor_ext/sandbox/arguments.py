"""The command line of `python -m victor_ext.sandbox`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, get_args

from victor_ext.sandbox.run import run
from victor_ext.sandbox.settings import (
    Environment,
    KeyConflict,
    Order,
    SandboxSettings,
    SecondAnswer,
    UnknownId,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None, *, prog: str = "python -m victor_ext.sandbox") -> int:
    """Read the command line and serve; returns the exit status (2: misuse)."""
    parser = _parser(prog)
    given = vars(parser.parse_args(arguments))
    running = {name: given.pop(name) for name in ("quiet", "json_line", "ready_file", "env_file")}
    try:
        settings = SandboxSettings(**given)
    except ValueError as error:
        parser.error(str(error))
    return run(settings, **running)


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description="A local stand-in for the provider's API.")
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    add("--port", type=int, default=8900, help="0 picks a free one (default: 8900)")
    add("--control-port", type=int, help="a second port for /_sandbox/ alone; 0 picks a free one")
    add(
        "--environment",
        choices=get_args(Environment),
        default="staging",
        help="decides how long a token may live",
    )
    add("--state", metavar="FILE", help="SQLite file that carries the state over a restart")
    add("--quirks", action="store_true", help="speak as the provider does, not as its document says")
    add("--leeway", type=float, default=5.0, metavar="SECONDS", help="tolerated difference of clocks")
    add(
        "--key-conflict",
        choices=get_args(KeyConflict),
        default="409",
        help="answer to a used key with another body",
    )
    add("--key-life", type=float, metavar="SECONDS", help="after which a key is forgotten (default: never)")
    add("--require-key", action="store_true", help="refuse a create without Idempotency-Key")
    add(
        "--unknown-id",
        choices=get_args(UnknownId),
        default="400",
        help="status for an id that does not exist",
    )
    add(
        "--second-answer",
        choices=get_args(SecondAnswer),
        default="refuse",
        help="what a repeated answer gets",
    )
    add("--max-page-size", type=int, default=100, metavar="N", help="larger pages are cut to this")
    add("--order", choices=get_args(Order), default="newest", help="which requests a list begins with")
    add("--shift", type=int, default=0, metavar="N", help="pretend that N requests arrive between two pages")
    add("--strict-accounts", action="store_true", help="refuse accounts and counterparties that are not known")
    add("--token-life", type=float, default=3600.0, metavar="SECONDS", help="life of tokens of /v2/auth/token")
    add(
        "--auto",
        type=_seconds_or_off,
        default=1.0,
        metavar="SECONDS|off",
        help="how long each step of a request's life takes; off: only by command (default: 1)",
    )
    add("--clock-skew", type=float, default=0.0, metavar="SECONDS", help="how far the server's clock is ahead")
    add("--seed", type=int, help="the same ids and dice in every run")
    add(
        "--no-check-answers",
        dest="check_answers",
        action="store_false",
        help="do not check answers (faster lists)",
    )
    add("--keep-received", type=int, default=100_000, metavar="N", help="how many exchanges are remembered")
    add(
        "--keep-alive",
        type=int,
        default=75,
        metavar="SECONDS",
        help="after which an idle connection is closed",
    )
    add("--body-limit", type=int, default=1 << 20, metavar="BYTES", help="larger request bodies get a 413")
    add("--demo-data", action="store_true", help="begin with accounts, counterparties and inbound requests")
    add("--env-file", metavar="FILE", help="write VICTOR_… settings with fresh credentials for a client")
    add("--ready-file", metavar="FILE", help="write the URL as JSON once connections are taken")
    add("--json", dest="json_line", action="store_true", help="print the URL as one line of JSON")
    add("--quiet", action="store_true", help="no greeting, no line per call")
    return parser


def _seconds_or_off(text: str) -> float | None:
    return None if text == "off" else float(text)
