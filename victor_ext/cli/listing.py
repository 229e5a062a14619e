"""Writing lists of payment requests, page by page as they come in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from . import view
from .screen import say

if TYPE_CHECKING:
    from victor_ext import PaymentRequest


def as_json_lines(pages: Iterable[Sequence[PaymentRequest]]) -> int:
    """Print one JSON document a line; returns how many."""
    count = 0
    for page in pages:
        say("\n".join(json.dumps(request.to_dict()) for request in page))
        count += len(page)
    return count


def as_table(pages: Iterable[Sequence[PaymentRequest]]) -> int:
    """Print a table, a line as soon as its page is there; returns how many requests there were."""
    count = 0
    for count, line in enumerate(view.table(pages)):  # noqa: B007 - the heading is line 0
        say(line)
    return count


def at_most(limit: int | None, pages: Iterator[Sequence[PaymentRequest]]) -> Iterator[Sequence[PaymentRequest]]:
    """The pages up to so many requests (None: all of them)."""
    left = limit
    for page in pages:
        items = page if left is None else page[:left]
        yield items
        if left is not None:
            left -= len(items)
            if left <= 0:
                # Not a page further: it would be read for nothing.
                return
