"""Bulk sending of payment requests that survives crashes and can use several machines.

See docs/bulk.md.

    from victor_ext.bulk import BulkSender

    sender = BulkSender(key_column="invoice_no")
    status = sender.send("invoices.csv")
"""

from victor_ext._version import needs_extra

with needs_extra(__name__, "bulk"):
    from victor_ext._tables.row_file import RowFile

    from ._check import Cause, Check, InvalidRows, Notice, RowProblem
    from ._load_progress import LoadProgress
    from ._rows import RowOutcome, RowResult
    from ._run import BatchStatus
    from ._sender import BulkSender
    from ._state import StateLost, StateUnavailable
    from ._worker import BulkStopped

__all__ = (
    "BatchStatus",
    "BulkSender",
    "BulkStopped",
    "Cause",
    "Check",
    "InvalidRows",
    "LoadProgress",
    "Notice",
    "RowFile",
    "RowOutcome",
    "RowProblem",
    "RowResult",
    "StateLost",
    "StateUnavailable",
)
