"""Seven questions that a provider's document leaves open, each asked with a few calls."""

from ._questions import (
    Exchange,
    Finding,
    Payment,
    ask,
    clock,
    key_kept,
    listed_after,
    other_body,
    pages,
    same_key,
    unknown_id,
    window_ends,
)

__all__ = [
    "Exchange",
    "Finding",
    "Payment",
    "ask",
    "clock",
    "key_kept",
    "listed_after",
    "other_body",
    "pages",
    "same_key",
    "unknown_id",
    "window_ends",
]
