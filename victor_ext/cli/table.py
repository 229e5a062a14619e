"""A list of payment requests in the width of the terminal: a table, with fewer columns where it is narrow, or cards."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import view
from .screen import say, terminal_width

if TYPE_CHECKING:
    from rich.text import Text

    from victor_ext import PaymentRequest


@dataclass(frozen=True)
class _Column:
    """A column of the table.

    `width` is that of usual values, so that the columns of all pages stand in line. `rank` says which column goes first
    where there is no room: the highest; one without a rank stays. `cut` allows the value to be cut to that width.
    """

    heading: str
    width: int
    value: Callable[[PaymentRequest], str | None]
    rank: int | None = None
    cut: bool = False
    right: bool = False


_COLUMNS = (
    _Column("ID", 10, lambda request: request.id),
    _Column("STATUS", 12, lambda request: request.status),
    _Column("DIRECTION", 9, lambda request: request.direction, rank=3),
    _Column("AMOUNT", 10, lambda request: view.written(request.amount, "f"), right=True),
    _Column("DUE", 10, lambda request: view.written(request.due_date), rank=1),
    _Column("CREATED (UTC)", 19, lambda request: view.written(request.created_at, view.TIME), rank=5),
    _Column("PAYER", 12, view.payer_of, cut=True),
    _Column("PAYEE", 12, view.payee_of, rank=2, cut=True),
    _Column("REFERENCE", 12, lambda request: request.client_reference_id, rank=4, cut=True),
    _Column("NOTES", 16, lambda request: request.notes, cut=True),
)
_DROPPED = sorted((i for i, column in enumerate(_COLUMNS) if column.rank), key=lambda i: -(_COLUMNS[i].rank or 0))
_STATUS, _PAYER, _PAYEE = 1, 6, 7
_GAP = "  "
_CARD_LABEL = 17


def show_list(pages: Iterable[Sequence[PaymentRequest]], *, as_json: bool) -> int:
    """Print pages as they come, as a table or as one JSON document a line. Returns the number of requests."""
    count = 0

    def counted() -> Iterator[Sequence[PaymentRequest]]:
        nonlocal count
        for page in pages:
            count += len(page)
            yield page

    if as_json:
        for page in counted():
            say("\n".join(json.dumps(request.to_dict()) for request in page))
    else:
        for line in lines(counted(), terminal_width()):
            say(line)
    return count


def at_most(limit: int | None, pages: Iterator[Sequence[PaymentRequest]]) -> Iterator[Sequence[PaymentRequest]]:
    """Yield pages up to `limit` requests; None for all. A page that is not needed is not fetched."""
    left = sys.maxsize if limit is None else limit
    for page in pages:
        yield page[:left]
        left -= len(page)
        if left <= 0:
            return


def with_payers(
    pages: Iterable[Sequence[PaymentRequest]], get: Callable[[str], PaymentRequest]
) -> Iterator[Sequence[PaymentRequest]]:
    """Yield the pages with the payers of inbound requests, which a list lacks: `get` reads each of them."""
    from victor_ext import PaymentRequest  # noqa: PLC0415 - `victor --help` does not need it

    for page in pages:
        yield [
            PaymentRequest(request.raw, completed_by=get(request.id))
            if request.direction == "inbound" and request.payer is None and request.id
            else request
            for request in page
        ]


def lines(pages: Iterable[Sequence[PaymentRequest]], width: int | None) -> Iterator[Text]:
    """Yield a heading, and a line for each request as its page arrives; or cards, if there is no room for a table.

    A page that needs more room than those before it has a heading of its own. Without a `width`, that of a terminal,
    all columns are shown, and nothing is cut.
    """
    from rich.cells import cell_len  # noqa: PLC0415 - JSON does without it

    widths = [column.width for column in _COLUMNS]
    empty = set(range(len(_COLUMNS)))
    headed: list[int] = []
    for page in pages:
        rows = [[view.shown(column.value(request)) for column in _COLUMNS] for request in page]
        # Some characters take two columns of a terminal.
        widths = [max([known, *(cell_len(row[i]) for row in rows)]) for i, known in enumerate(widths)]
        empty -= {i for row in rows for i, cell in enumerate(row) if cell != view.NOTHING}
        layout = _fit(widths, width, empty)
        if layout is None:
            for row in rows:
                yield from _card(row, width or 0)
            continue
        if headed != list(layout):
            headed = list(layout)
            yield _line([column.heading for column in _COLUMNS], layout, style="bold")
        for row in rows:
            yield _line(row, layout)


def _fit(widths: Sequence[int], total: int | None, empty: set[int]) -> dict[int, int] | None:
    """Return the columns to show with their widths, or None if not even the needed ones have room.

    Columns without a value go first. Where no payer is known, as in a list of inbound requests, the payee is needed.
    """
    if total is None:
        return dict(enumerate(widths))
    shown = {i: column.width if column.cut else widths[i] for i, column in enumerate(_COLUMNS)}
    order = dict.fromkeys([*sorted(empty - {_PAYEE}, reverse=True), *_DROPPED])
    dropped = iter([i for i in order if i != _PAYEE or _PAYER not in empty])
    while sum(shown.values()) + len(_GAP) * (len(shown) - 1) > total:
        column = next(dropped, None)
        if column is None:
            return None
        del shown[column]
    left = total - sum(shown.values()) - len(_GAP) * (len(shown) - 1)
    for i, least in shown.items():
        shown[i] = least + min(widths[i] - least, left)
        left -= shown[i] - least
    return shown


def _line(cells: Sequence[str], layout: dict[int, int], style: str = "") -> Text:
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    parts: list[Text] = []
    for i, width in layout.items():
        part = Text(cells[i], style=view.style_of(cells[i]) if i == _STATUS and not style else "")
        part.truncate(width, overflow="ellipsis")
        part.align("right" if _COLUMNS[i].right else "left", width)
        parts.append(part)
    line = Text(_GAP, style=style).join(parts)
    line.rstrip()
    return line


def _card(cells: Sequence[str], width: int) -> Iterator[Text]:
    from rich.text import Text  # noqa: PLC0415 - JSON does without it

    labelled = {column.heading: cell for column, cell in zip(_COLUMNS, cells, strict=True)}
    request_id, status = labelled.pop("ID"), labelled.pop("STATUS")
    yield Text.assemble((request_id, "bold"), _GAP, (status, view.style_of(status)))
    for heading, cell in labelled.items():
        if cell != view.NOTHING:
            yield from view.entry(f"{_GAP}{heading}", cell, width, label=_CARD_LABEL)
    yield Text()
