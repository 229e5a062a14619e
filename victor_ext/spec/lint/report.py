"""What `victor spec lint` prints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from .finding import Finding
from .rules import RULES

SHOWN = 5
"""The findings of a rule that are printed without `--all`."""


def as_text(file: Path, found: Mapping[str, Sequence[Finding]], *, all_of_them: bool) -> Iterator[str]:
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


def as_json(file: Path, found: Mapping[str, Sequence[Finding]]) -> str:
    """The same for machines."""
    rules = {rule.name: rule for rule in RULES}
    entries = [
        {"rule": name, "place": each.place, "what": each.what, "recipe": rules[name].recipe}
        for name, places in found.items()
        for each in places
    ]
    counts = {name: len(places) for name, places in found.items() if places}
    return json.dumps({"document": file.name, "findings": entries, "counts": counts}, indent=2, ensure_ascii=False)
