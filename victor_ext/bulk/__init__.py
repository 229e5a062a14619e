"""Bulk sending of payment requests that survives crashes and can use several machines. See docs/bulk.md.

from victor_ext.bulk import BulkSender

status = BulkSender(state="sqlite:///victor-bulk.sqlite", key_column="invoice_no").send("invoices.csv")
"""

from __future__ import annotations

try:
    import dbos as _dbos
except ImportError as error:
    raise ImportError(
        f"victor_ext.bulk needs {error.name}; install its extra: pip install 'victor-ext[bulk]'", name=error.name
    ) from error

from .check import Check, InvalidRows
from .rows import RowOutcome, RowProblem, RowResult
from .run import BulkStopped
from .sender import BulkSender
from .state import DEFAULT_STATE
from .status import BatchStatus

__all__ = (
    "DEFAULT_STATE",
    "BatchStatus",
    "BulkSender",
    "BulkStopped",
    "Check",
    "InvalidRows",
    "RowOutcome",
    "RowProblem",
    "RowResult",
)

del _dbos
