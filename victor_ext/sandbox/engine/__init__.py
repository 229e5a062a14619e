"""What the sandboxes of all providers are made of, beside the server: keys, lists, and moves by
themselves.
"""

from victor_ext.sandbox.engine.key_memory import Entry, KeyMemory, Remembered, place_of
from victor_ext.sandbox.engine.pages import Page, has_member, in_order, page_of, passes
from victor_ext.sandbox.engine.timeline import Timeline

__all__ = (
    "Entry",
    "KeyMemory",
    "Page",
    "Remembered",
    "Timeline",
    "has_member",
    "in_order",
    "page_of",
    "passes",
    "place_of",
)
