"""The command line of Victor's sandbox."""

from __future__ import annotations

import argparse
from typing import get_args

from victor_ext.sandbox.server.options import (
    add_clock_skew,
    add_limits,
    add_listening,
    add_provider,
    add_running,
    add_seed,
)
from victor_ext.sandbox.victor.settings import Environment, KeyConflict, Order, SecondAnswer, UnknownId


def victor_parser(prog: str) -> argparse.ArgumentParser:
    """The options of Victor's sandbox."""
    parser = argparse.ArgumentParser(prog=prog, description="A local stand-in for the provider's API.")
    add_provider(parser)
    add = parser.add_argument
    add_listening(parser)
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
    text = "for which a repeated create gets a 409: the first one is still in progress"
    add("--key-in-progress", type=float, default=0.0, metavar="SECONDS", help=text)
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
    add(
        "--depart",
        type=int,
        default=0,
        metavar="N",
        help="let N requests of each page leave its status once it is read",
    )
    add("--strict-accounts", action="store_true", help="refuse accounts and counterparties that are not known")
    add(
        "--due-date-zone",
        metavar="ZONE",
        help="judge due dates by the days of this zone, such as America/New_York (default: of any on earth)",
    )
    add("--token-life", type=float, default=3600.0, metavar="SECONDS", help="life of tokens of /v2/auth/token")
    add(
        "--auto",
        type=_seconds_or_off,
        default=1.0,
        metavar="SECONDS|off",
        help="how long each step of a request's life takes; off: only by command (default: 1)",
    )
    add_clock_skew(parser)
    add_seed(parser)
    add(
        "--no-check-answers",
        dest="check_answers",
        action="store_false",
        help="do not check answers (faster lists)",
    )
    add_limits(parser)
    add("--demo-data", action="store_true", help="begin with accounts, counterparties and inbound requests")
    add_running(parser, example="VICTOR_… settings")
    return parser


def _seconds_or_off(text: str) -> float | None:
    return None if text == "off" else float(text)
