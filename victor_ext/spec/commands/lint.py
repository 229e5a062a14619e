"""The command `victor spec lint`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from victor_ext.spec.lint.rules import RULES, findings
from victor_ext.spec.lint.subject import Finding

from . import add_copies, copies

SUMMARY = "say what in a document will hurt its client, and what the recipe does about it"
EPILOG = f"Rules: {', '.join(rule.name for rule in RULES)}. Exit status: 0 without findings, 1 with some, 2 for misuse."


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    command.add_argument("documents", metavar="SPEC", nargs="+", type=Path, help="an OpenAPI 3 document")
    add_copies(command)
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
        found = findings(document, skip=frozenset(options.skip), copies=copies(options))
        print(
            _as_json(document, found) if options.json else "\n".join(_as_text(document, found, all_of_them=options.all))
        )
        status |= any(found.values())
    return int(status)


SHOWN = 5
"""The findings of a rule that are printed without `--all`."""


def _as_text(file: Path, found: Mapping[str, Sequence[Finding]], *, all_of_them: bool) -> Iterator[str]:
    """The findings by rule, each rule with why it hurts and what the recipe does about it."""
    total = sum(map(len, found.values()))
    for rule in RULES:
        places = found.get(rule.name, ())
        if not places:
            continue
        yield f"{rule.name} ({len(places)}): {rule.why}"
        yield f"  The recipe: {rule.recipe}"
        shown = places if all_of_them else places[:SHOWN]
        yield from (f"    {each.place}: {each.what}" for each in shown)
        if len(shown) < len(places):
            yield f"    ... and {len(places) - len(shown)} more (--all)"
        yield ""
    yield (
        f"{file.name}: {total} findings of {sum(map(bool, found.values()))} rules"
        if total
        else f"{file.name}: nothing found"
    )


def _as_json(file: Path, found: Mapping[str, Sequence[Finding]]) -> str:
    """The same for machines."""
    rules = {rule.name: rule for rule in RULES}
    entries = [
        {"rule": name, "place": each.place, "what": each.what, "recipe": rules[name].recipe}
        for name, places in found.items()
        for each in places
    ]
    counts = {name: len(places) for name, places in found.items() if places}
    return json.dumps({"document": file.name, "findings": entries, "counts": counts}, indent=2, ensure_ascii=False)
