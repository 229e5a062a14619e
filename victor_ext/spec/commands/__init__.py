"""The commands of `victor spec`: for each its summary, its arguments, and what it runs and prints.

A command's `run` returns the exit status, and raises what `FAILURES` names where nothing could be done.
"""

from __future__ import annotations

from victor_ext.spec.checking.acceptance import AcceptanceError
from victor_ext.spec.diff.approvals import ApprovalError
from victor_ext.spec.document import DocumentError

FAILURES = (DocumentError, AcceptanceError, ApprovalError, RuntimeError)
"""The errors whose message is all that a user needs."""
