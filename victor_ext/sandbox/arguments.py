"""The command line of `python -m victor_ext.sandbox`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from victor_ext.sandbox.providers import PROVIDERS, stand_in
from victor_ext.sandbox.server.run import serve

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None, *, prog: str = "python -m victor_ext.sandbox") -> int:
    """Read the command line and serve; returns the exit status (2: misuse)."""
    provider = _provider(arguments, prog)
    kind = stand_in(provider)
    parser = kind.parser(prog)
    given = vars(parser.parse_args(arguments))
    if given.pop("provider") not in (None, provider):
        parser.error("--provider must be written in full")
    running = {name: given.pop(name) for name in ("quiet", "json_line", "ready_file", "env_file")}
    try:
        settings = kind.settings_type(**given)
    except ValueError as error:
        parser.error(str(error))
    return serve(kind, settings, **running)


def _provider(arguments: Sequence[str] | None, prog: str) -> str:
    """Whom to stand in for: it decides which other options there are."""
    parser = argparse.ArgumentParser(prog=prog, add_help=False, allow_abbrev=False)
    parser.add_argument("--provider", choices=tuple(PROVIDERS), default="victor")
    return str(parser.parse_known_args(arguments)[0].provider)
