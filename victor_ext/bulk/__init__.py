"""Bulk sending of payment requests that survives crashes and can use several machines.

See docs/bulk.md.

    from victor_ext.bulk import BulkSender

    sender = BulkSender(state="sqlite:///victor-bulk.sqlite", key_column="invoice_no")
    status = sender.send("invoices.csv")
"""

from importlib.util import find_spec as _find_spec

from victor_ext._version import missing_extra as _missing_extra

# DBOS is located and not imported: it takes half of the start, and a check of rows does not need
# it.
if _find_spec("dbos") is None:
    raise _missing_extra(__name__, "dbos", "bulk")

from victor_ext.tables.row_file import RowFile

from .check import Cause, Check, InvalidRows, Notice, RowProblem
from .rows import RowOutcome, RowResult
from .run import BatchStatus, BulkStopped
from .sender import BulkSender
from .state import DEFAULT_STATE
from .state_errors import StateLost, StateUnavailable

__all__ = (
    "DEFAULT_STATE",
    "BatchStatus",
    "BulkSender",
    "BulkStopped",
    "Cause",
    "Check",
    "InvalidRows",
    "Notice",
    "RowFile",
    "RowOutcome",
    "RowProblem",
    "RowResult",
    "StateLost",
    "StateUnavailable",
)

del _find_spec, _missing_extra
