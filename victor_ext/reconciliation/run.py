"""`reconcile` and `reconcile_async`: one flow, and a driver for each of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from victor_ext import ConfigurationError, VictorError

from .books import Book, book_of, following
from .entries import Entry, EntryReader, Ours, concealed
from .report import AGREEING, Kind, Row, Summary
from .store import Store
from .window import MARGIN, Window, Zone

if TYPE_CHECKING:
    from victor_ext import AsyncVictor, Victor
    from victor_ext.providers import (
        AsyncEastPay,
        AsyncFlexFactor,
        AsyncVelo,
        EastPay,
        FlexFactor,
        Velo,
    )

_BATCH = 500
_MOST_READINGS = 4
"""How often a list is read that changes each time."""
_CHANGING = (
    f"The provider's list changed in each of {_MOST_READINGS} readings: rows of ours that it did not show are "
    "unchecked, and payments that only the provider has may be overlooked. Repeat it later, or for less time."
)
_WITHOUT_ID = (
    "Payments in the list without an id: {}. One that moved to a later page while the list was read counts twice, as a "
    "duplicate or as unknown; one that moved to an earlier page is left out."
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a reconciliation has come.

    Attributes:
        ours: Entries of ours that were read.
        theirs: Payments of theirs that were read.
        looked_up: Entries that were looked up one by one.
    """

    ours: int = 0
    theirs: int = 0
    looked_up: int = 0


OnProgress = Callable[[Progress], None]


class Reconciliation:
    """The result: an iterable of rows, what matters most first. Close it, or use it in a `with` statement.

    Attributes:
        summary: Counts and sums.
    """

    def __init__(self, store: Store, summary: Summary) -> None:
        self._store = store
        self.summary = summary
        self._is_closed = False

    @property
    def agrees(self) -> bool:
        """Whether the books agree."""
        return self.summary.agrees

    def __iter__(self) -> Iterator[Row]:
        return self._rows(tuple(Kind))

    def differences(self) -> Iterator[Row]:
        """Yield the rows with which the books do not agree."""
        return self._rows([kind for kind in Kind if kind not in AGREEING])

    def _rows(self, kinds: Sequence[Kind]) -> Iterator[Row]:
        if self._is_closed:
            raise ConfigurationError("The report is closed: read it inside the `with` statement, or before `close()`.")
        return self._store.rows(kinds)

    def close(self) -> None:
        """Remove the temporary database."""
        self._is_closed = True
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def reconcile(
    client: Victor | Velo | EastPay | FlexFactor,
    ours: Ours,
    *,
    start: datetime,
    end: datetime,
    margin: timedelta = MARGIN,
    columns: Mapping[str, str | None] | None = None,
    currency: str | None = None,
    encoding: str | None = None,
    payor_id: str | None = None,
    page_size: int | None = None,
    on_progress: OnProgress | None = None,
) -> Reconciliation:
    """Compare our book with the provider's. Nothing is sent but reads.

        with reconcile(victor, "invoices.csv", start=start, end=end) as report:
            for row in report:
                print(row.kind, row.ours, row.theirs)

    All rows of ours are read and checked before the provider is asked. Both sides go into a temporary database, so
    that memory does not grow with their number.

    Args:
        client: A client of the provider.
        ours: The path of a CSV or JSON Lines file, or an iterable of `Entry` or of mappings.
        start: The start of the window, aware, by the provider's time.
        end: The end of the window, aware. It is no part of the window.
        margin: How far the time of one payment may differ in the two books. The provider's list is read that much
            further at both ends.
        columns: The column of a field, by field (`COLUMNS`): `{"reference": "invoice_no"}`. None: no such column.
        currency: The currency of rows without one. None: the provider's, if it has only one.
        encoding: The encoding of a file. None: UTF-8.
        payor_id: The payor; for Velo only, and needed there.
        page_size: The number of payments in a page. None: the provider's default, or the largest that it documents.
        on_progress: Called after each step.

    Raises:
        InvalidRequest: An argument cannot be right. Nothing was read.
        InvalidEntries: Rows of ours cannot be right; `problems` has the place of each. The provider was not asked.
        ConfigurationError: The file cannot be opened, or the temporary folder cannot be used.
        VictorError: The provider's book could not be read. There is no report then: repeat it as you like.
    """
    ours = concealed(ours)
    window = Window(start, end, margin)
    book = book_of(client, awaited=False, payor_id=payor_id, page_size=page_size)
    reader = EntryReader(columns or {}, currency or book.currency, encoding)
    steps = _steps(book, reader, ours, window, on_progress)
    return _drive(steps)


async def reconcile_async(
    client: AsyncVictor | AsyncVelo | AsyncEastPay | AsyncFlexFactor,
    ours: Ours,
    *,
    start: datetime,
    end: datetime,
    margin: timedelta = MARGIN,
    columns: Mapping[str, str | None] | None = None,
    currency: str | None = None,
    encoding: str | None = None,
    payor_id: str | None = None,
    page_size: int | None = None,
    on_progress: OnProgress | None = None,
) -> Reconciliation:
    """As `reconcile`, with an awaited client. The work on the database is done in a worker thread."""
    ours = concealed(ours)
    window = Window(start, end, margin)
    book = book_of(client, awaited=True, payor_id=payor_id, page_size=page_size)
    reader = EntryReader(columns or {}, currency or book.currency, encoding)
    steps = _steps(book, reader, ours, window, on_progress)
    return await _adrive(steps)


@dataclass(frozen=True, slots=True)
class _Read:
    """Ask the provider: the result is there at once, or has to be awaited."""

    take: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class _Work:
    """Work on files and on the database."""

    do: Callable[[], Any]


_Steps = Generator[_Read | _Work, Any, Reconciliation]


def _steps(book: Book, reader: EntryReader, ours: Ours, window: Window, on_progress: OnProgress | None) -> _Steps:
    store = Store()
    try:
        loading = _Loading(store, reader.read(ours), window, has_list=book.pages is not None)
        told = Progress()
        while (yield _Work(loading.batch)):
            told = _tell(on_progress, replace(told, ours=loading.count))
        told = _tell(on_progress, replace(told, ours=loading.count))
        is_calm = is_complete = True
        if book.pages is not None:
            told, is_calm = yield from _walk(book, store, window, told, on_progress)
        told, elsewhere = yield from _look_up(book, store, told, on_progress)
        if book.pages is not None and (not is_calm or (yield _Work(store.lacks_some))):
            told, is_complete = yield from _walk_again(book, store, window, told, on_progress, is_calm=is_calm)
        totals = yield _Work(
            partial(store.match, amounts=book.amounts, found=book.pages is None, is_complete=is_complete)
        )
        statuses = yield _Work(store.statuses)
        without_id = (yield _Work(store.without_id)) if book.pages is not None else 0
    except BaseException:
        store.close()
        raise
    without = [_WITHOUT_ID.format(without_id)] if without_id else []
    notes = (*book.notes, *without, *(() if is_complete else (_CHANGING,)))
    return Reconciliation(
        store,
        Summary(totals, loading.count, told.theirs, loading.outside, reader.not_asked, statuses, notes, elsewhere),
    )


def _walk(
    book: Book, store: Store, window: Window, told: Progress, on_progress: OnProgress | None, *, reading: int = 1
) -> Generator[_Read | _Work, Any, tuple[Progress, bool]]:
    """Read the list. From the second `reading` on, only payments with ids that were not read before count.

    Return also whether the list was calm: it showed no payment twice.
    """
    assert book.pages is not None
    pages, is_calm = book.pages(window), True
    while (page := (yield _Read(partial(following, pages)))) is not None:
        payments = [(book.read(record), book.is_outbound(record)) for record in page.items]
        is_new = yield _Work(partial(store.add_listed, reading, [payment for payment, _ in payments]))
        is_calm = is_calm and is_new and not page.repeats
        counted = [payment for payment, is_ours in payments if is_ours and (payment.id or reading == 1)]
        new = yield _Work(partial(store.add_theirs, [(payment, window.zone(payment.at)) for payment in counted]))
        told = _tell(on_progress, replace(told, theirs=told.theirs + new))
    return told, is_calm


def _walk_again(
    book: Book, store: Store, window: Window, told: Progress, on_progress: OnProgress | None, *, is_calm: bool
) -> Generator[_Read | _Work, Any, tuple[Progress, bool]]:
    """Read the list until two calm readings in a row show the same payments. Return also whether they did.

    In which order payments are listed is documented nowhere, so one may move to a page that was read already. Then a
    page that is read later shows another one twice, unless one has left the list: the next reading does not show it.
    """
    for reading in range(2, _MOST_READINGS + 1):
        was_calm = is_calm
        told, is_calm = yield from _walk(book, store, window, told, on_progress, reading=reading)
        if was_calm and is_calm and (yield _Work(partial(store.is_as_before, reading))):
            return told, True
    return told, False


def _look_up(
    book: Book, store: Store, told: Progress, on_progress: OnProgress | None
) -> Generator[_Read | _Work, Any, tuple[Progress, int]]:
    """Read the payments of ours one by one: by reference if there is no list, then by each id that was not met.

    Return also how many of them the list of the window, where there is one, has not.
    """
    elsewhere = 0
    for name, ask in (("reference", book.find), ("id", book.look_up)):
        if ask is None:
            continue
        after = 0
        next_batch = partial(store.to_look_up, name, unless_referenced=book.find is not None)
        while batch := (yield _Work(partial(next_batch, after))):
            for row, value in batch:
                after = row
                try:
                    found = yield _Read(partial(ask, value))
                except book.absent:
                    # An inquiry by reference fails in this way, too, if the provider has none.
                    found = None
                records = [] if found is None else [found] if name == "id" else book.choose(found)
                # Of what was not in the list, only our entry says that it belongs to the window.
                near = [(book.read(record), Zone.OUTSIDE) for record in records if book.is_outbound(record)]
                elsewhere += len(near) if book.pages is not None else 0
                new = yield _Work(partial(store.add_theirs, near))
                if found is not None:
                    # An id of a payment that others asked us for says nothing of ours.
                    yield _Work(partial(store.set_checked, row, len(near) == len(records)))
                told = _tell(on_progress, replace(told, theirs=told.theirs + new, looked_up=told.looked_up + 1))
    if book.pages is None and told.theirs:  # else a look-up in vain may be about a wrong path, and proves nothing
        yield _Work(store.set_ids_checked)
    return told, elsewhere


class _Loading:
    """Puts our entries into the store, one batch at a time."""

    def __init__(self, store: Store, entries: Iterator[Entry], window: Window, *, has_list: bool) -> None:
        self._store = store
        self._entries = entries
        self._window = window
        self._has_list = has_list
        self.count = 0
        self.outside = 0

    def batch(self) -> bool:
        """Add the next batch. Return whether there was one."""
        entries = list(islice(self._entries, _BATCH))
        self.count += len(entries)
        zones: Sequence[Zone] = [self._window.zone(entry.at) for entry in entries]
        self.outside += sum(zone >= Zone.AROUND for zone in zones)
        near = [pair for pair in zip(entries, zones, strict=True) if pair[1] is not Zone.OUTSIDE]
        self._store.add_ours(near, checked=self._has_list)
        return bool(entries)


def _tell(on_progress: OnProgress | None, progress: Progress) -> Progress:
    if on_progress is not None:
        on_progress(progress)
    return progress


def _drive(steps: _Steps) -> Reconciliation:
    """Run the steps with blocking calls."""
    try:
        step = next(steps)
        while True:
            try:
                result = step.take() if isinstance(step, _Read) else step.do()
            except VictorError as error:
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration as end:
        found: Reconciliation = end.value
        return found
    finally:
        steps.close()


async def _adrive(steps: _Steps) -> Reconciliation:
    """Run the steps with awaited calls, and the work in a worker thread."""
    import anyio.to_thread  # noqa: PLC0415 - only those who await pay for it

    try:
        step = next(steps)
        while True:
            try:
                if isinstance(step, _Read):
                    result = await step.take()
                else:
                    result = await anyio.to_thread.run_sync(step.do)
            except VictorError as error:
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration as end:
        found: Reconciliation = end.value
        return found
    finally:
        steps.close()
