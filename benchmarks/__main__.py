"""Run all measurements and print them: `python -m benchmarks [--quick] [--json]`."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from benchmarks import calls, imports, listing
from benchmarks.measure import Figure
from benchmarks.server import canned_server


def main() -> int:
    """Exit status 1 when a figure is beyond its limit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the pages")
    parser.add_argument("--json", action="store_true", help="for machines")
    options = parser.parse_args()
    with canned_server(1) as url:
        found = calls.figures(url)
    found += listing.figures(100 if options.quick else 1000)
    found += imports.figures()
    if options.json:
        print(json.dumps([{**asdict(figure), "met": figure.met} for figure in found], indent=1))
    else:
        Console().print(_table(found))
    return 0 if all(figure.met for figure in found) else 1


def _table(found: list[Figure]) -> Table:
    title = "Ratios are to the first line of a group; signed afresh: to a get and a signature"
    table = Table("measured", "what", title=title, title_justify="left")
    for heading in ("value", "unit", "ratio", "at most"):
        table.add_column(heading, justify="left" if heading == "unit" else "right")
    group = ""
    for figure in found:
        if figure.group != group and group:
            table.add_section()
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        limit = "" if figure.limit is None else f"{figure.limit:.2f}"
        style = "" if figure.met else "red"
        label = figure.group if figure.group != group else ""
        table.add_row(label, figure.name, f"{figure.value:,.1f}", figure.unit, ratio, limit, style=style)
        group = figure.group
    return table


if __name__ == "__main__":
    sys.exit(main())
