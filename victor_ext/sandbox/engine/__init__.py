"""What the sandboxes of all providers are made of, beside the server: a table of operations, keys,
lists, and moves by themselves.
"""

from victor_ext.sandbox.engine.key_memory import Entry, KeyMemory, Remembered, place_of
from victor_ext.sandbox.engine.moves import Move
from victor_ext.sandbox.engine.pages import Listing, Page, has_member, in_order, page_of, passes
from victor_ext.sandbox.engine.refused import Refused
from victor_ext.sandbox.engine.rows import Asked, Result, Row
from victor_ext.sandbox.engine.table_provider import TableProvider
from victor_ext.sandbox.engine.timeline import Timeline

__all__ = (
    "Asked",
    "Entry",
    "KeyMemory",
    "Listing",
    "Move",
    "Page",
    "Refused",
    "Remembered",
    "Result",
    "Row",
    "TableProvider",
    "Timeline",
    "has_member",
    "in_order",
    "page_of",
    "passes",
    "place_of",
)
