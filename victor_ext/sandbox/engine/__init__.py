"""What the sandboxes of all providers are made of, beside the server: a table of operations, keys,
lists, and moves by themselves.
"""

from victor_ext.sandbox.engine._moves import Move, Timeline
from victor_ext.sandbox.engine._pages import Listing, Page
from victor_ext.sandbox.engine._rows import Asked, Result, Row
from victor_ext.sandbox.engine._table_provider import TableProvider
from victor_ext.sandbox.server._provider import Refused

__all__ = (
    "Asked",
    "Listing",
    "Move",
    "Page",
    "Refused",
    "Result",
    "Row",
    "TableProvider",
    "Timeline",
)
