"""The command `victor spec lint`."""

from __future__ import annotations

import argparse
from pathlib import Path

from victor_ext.spec.lint.report import as_json, as_text
from victor_ext.spec.lint.rules import RULES, findings

SUMMARY = "say what in a document will hurt its client, and what the recipe does about it"
EPILOG = f"Rules: {', '.join(rule.name for rule in RULES)}. Exit status: 0 without findings, 1 with some, 2 for misuse."


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    command.add_argument("documents", metavar="SPEC", nargs="+", type=Path, help="an OpenAPI 3 document")
    command.add_argument("--json", action="store_true", help="write JSON instead of text, one document after another")
    command.add_argument("--all", action="store_true", help="show every finding of a rule instead of the first five")
    command.add_argument(
        "--skip", metavar="RULE", action="append", default=[], help="leave a rule out; may be repeated"
    )


def run(options: argparse.Namespace) -> int:
    """Lint the documents. Raises DocumentError."""
    unknown = sorted(set(options.skip) - {rule.name for rule in RULES})
    if unknown:
        raise RuntimeError(f"--skip {unknown[0]}: there is no such rule; --help lists them.")
    status = 0
    for document in options.documents:
        found = findings(document, skip=frozenset(options.skip))
        print(
            as_json(document, found) if options.json else "\n".join(as_text(document, found, all_of_them=options.all))
        )
        status |= any(found.values())
    return int(status)
