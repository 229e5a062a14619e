"""Does our book agree with the provider's? See docs/reconcile.md.

from victor_ext.reconciliation import reconcile

with reconcile(victor, "invoices.csv", start=start, end=end) as report:
    for row in report.differences():
        print(row.kind, row.ours, row.theirs)
"""

from victor_ext._tables.row_file import RowFile
from victor_ext.providers._books import Theirs

from ._entries import COLUMNS, Entry, InvalidEntries
from ._report import Kind, Row, Summary, Totals, write_csv, write_json_lines
from ._run import Progress, Reconciliation, reconcile, reconcile_async

__all__ = (
    "COLUMNS",
    "Entry",
    "InvalidEntries",
    "Kind",
    "Progress",
    "Reconciliation",
    "Row",
    "RowFile",
    "Summary",
    "Theirs",
    "Totals",
    "reconcile",
    "reconcile_async",
    "write_csv",
    "write_json_lines",
)
