"""Write a report as CSV or JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TextIO

from victor_ext.tables.writing import csv_writer, escape_formulas

from .report import FIELDS, Row


def write_csv(file: TextIO, rows: Iterable[Row]) -> int:
    """Write rows to a text `file` as CSV, and return their number.

    Text that a spreadsheet would run has a single quote before it.
    """
    writer = csv_writer(file)
    writer.writerow(FIELDS)
    count = 0
    for row in rows:
        cells = row.to_dict()
        writer.writerow("" if cells[name] is None else escape_formulas(str(cells[name])) for name in FIELDS)
        count += 1
    return count


def write_json_lines(file: TextIO, rows: Iterable[Row]) -> int:
    """Write rows to a text `file` as JSON Lines, and return their number."""
    count = 0
    for row in rows:
        file.write(json.dumps(row.to_dict()) + "\n")
        count += 1
    return count
