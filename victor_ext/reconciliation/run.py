"""`reconcile` and `reconcile_async`: one flow, and a driver for each of them."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from operator import call
from typing import Any, Self, TypeVar

from victor_ext import ConfigurationError, Problem
from victor_ext.books import MARGIN, Book, Window, Zone
from victor_ext.flows import adrive, drive, following
from victor_ext.systems import AsyncClient, Client, System, titles
from victor_ext.tables.sources import hidden

from .entries import Entry, EntryReader, Ours
from .report import AGREEING, Kind, Row, Summary
from .store import Store

T = TypeVar("T")
_BATCH = 500
_MOST_READINGS = 4
"""How often a list is read that changes each time."""
_CHANGING = (
    f"The provider's list changed in each of {_MOST_READINGS} readings: rows of ours that it did "
    "not show are unchecked, and payments that only the provider has may be overlooked. Repeat it "
    "later, or for less time."
)
_WITHOUT_REFERENCES = (
    "Theirs have no references: rows of ours that have no id either cannot be compared with them. "
    "Compare a book that has the ids, such as the export of bulk sending, and from now on send a "
    "reference with each payment."
)
_WITHOUT_ID = (
    "Payments in the list without an id: {}. One that moved to a later page while the list was "
    "read counts twice, as a "
    "duplicate or as unknown; one that moved to an earlier page is left out."
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How many entries of `ours`, and payments of `theirs`, were read; how many entries were
    `looked_up` one by one.
    """

    ours: int = 0
    theirs: int = 0
    looked_up: int = 0


OnProgress = Callable[[Progress], None]


class Reconciliation:
    """The result: an iterable of rows, what matters most first, with a `summary` of counts and
    sums.

    Close it, or use it in a `with` statement.
    """

    def __init__(self, store: Store, summary: Summary) -> None:
        self._store: Store | None = store
        self.summary = summary

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
        if self._store is None:
            raise ConfigurationError(
                "The report is closed: read it inside the `with` statement, or before `close()`."
            )
        return self._store.rows(kinds)

    def close(self) -> None:
        """Remove the temporary database."""
        if self._store is not None:
            self._store.close()
        self._store = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def reconcile(
    client: Client,
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

    All rows of ours are read and checked before the provider is asked. Both sides go into a
    temporary database, so that memory does not grow with their number.

    Args:
        client: A client of the provider, such as `Victor`. Its system has the book.
        ours: The path of a CSV or JSON Lines file, or an iterable of `Entry` or of mappings.
        start: The start of the window, aware, by the provider's time.
        end: The end of the window, aware. It is not part of the window.
        margin: How far the time of one payment may differ in the two books. The provider's list is
            read that much further at both ends.
        columns: The column of a field, by field (`COLUMNS`): `{"reference": "invoice_no"}`. None:
            no such column.
        currency: The currency of rows without one. None: the provider's, if it has only one.
        encoding: The encoding of a file. None: UTF-8.
        payor_id: The payor: required where payments are listed by payor, else refused.
        page_size: The number of payments in a page. None: the provider's default, or the largest
            that it documents.
        on_progress: Called after each step.

    Raises:
        InvalidRequest: An argument cannot be right. Nothing was read.
        InvalidEntries: Rows of ours cannot be right; `problems` has the place of each. The provider
            was not asked.
        ConfigurationError: The file cannot be opened, or the temporary folder cannot be used.
        VictorError: The provider's book could not be read. No report exists then. Repeat the call
            at any time.
    """
    ours, window = hidden(ours), Window(start, end, margin)
    book = _book_of(client, awaited=False, payor_id=payor_id, page_size=page_size)
    reader = EntryReader(columns or {}, currency or book.currency, encoding)
    return drive(_Comparison(book, reader, window, on_progress).steps(ours), call)


async def reconcile_async(
    client: AsyncClient,
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
    """As `reconcile`, with an awaited client.

    The work on the database is done in a worker thread.
    """
    ours, window = hidden(ours), Window(start, end, margin)
    book = _book_of(client, awaited=True, payor_id=payor_id, page_size=page_size)
    reader = EntryReader(columns or {}, currency or book.currency, encoding)
    return await adrive(_Comparison(book, reader, window, on_progress).steps(ours), _take)


def _book_of(client: object, *, awaited: bool, payor_id: str | None, page_size: int | None) -> Book:
    """Return the book of a client's provider. Raises `ConfigurationError`."""
    system: System | None = getattr(client, "system", None)
    if system is None or not system.book:
        given = (
            f"client is {type(client).__name__}"
            if system is None
            else f"{system.title} has no book"
        )
        raise ConfigurationError(
            f"{given}: use the client of {titles('book')}, or the async form of one."
        )
    payor = {} if payor_id is None else {"payor_id": payor_id}
    if system.needs_payor and not payor:
        message = "payor_id is missing: name the payor whose payments are compared."
        raise ConfigurationError.of([Problem("payor_id", "required", message)])
    if payor and not system.needs_payor:
        message = f"payor_id is for {titles('needs_payor')}: leave it out."
        raise ConfigurationError.of([Problem("payor_id", "choice", message)])
    if hasattr(client, "__aenter__") is not awaited:
        instead = "use reconcile" if awaited else "await reconcile_async"
        raise ConfigurationError(f"client is {type(client).__name__}: {instead} instead.")
    book: Book = system.load("book")(client, page_size=page_size, **payor)
    return book


class _Read(partial[Any]):
    """A read of the provider; an async client returns an awaitable.

    Other steps are work on files and the database.
    """


_Steps = Generator[Callable[[], Any], Any, T]


@dataclass(slots=True)
class _Comparison:
    """The steps of one comparison, and how far it has come."""

    book: Book
    reader: EntryReader
    window: Window
    on_progress: OnProgress | None
    store: Store = field(default_factory=Store)
    progress: Progress = field(default_factory=Progress)
    outside: int = 0
    elsewhere: int = 0

    def steps(self, ours: Ours) -> _Steps[Reconciliation]:
        book, store = self.book, self.store
        try:
            entries = self.reader.read(ours)
            while (yield partial(self._load, entries)):
                self._report()
            self._report()
            is_calm = is_complete = True
            if book.pages is not None:
                is_calm = yield from self._walk(book.pages, 1)
            yield from self._look_up()
            if book.pages is not None and (not is_calm or (yield store.lacks_some)):
                is_complete = yield from self._walk_again(book.pages, is_calm=is_calm)
            match = partial(
                store.match,
                amounts=book.amounts,
                looked_up=book.pages is None,
                is_complete=is_complete,
            )
            totals = yield match
            statuses = yield store.statuses
            without_id = (yield store.without_id) if book.pages is not None else 0
        except BaseException:
            store.close()
            raise
        without = [_WITHOUT_ID.format(without_id)] if without_id else []
        changing = () if is_complete else (_CHANGING,)
        unnamed = (_WITHOUT_REFERENCES,) if store.lack_references else ()
        notes = (*book.notes, *without, *changing, *unnamed)
        read, not_asked = self.progress, self.reader.not_asked
        return Reconciliation(
            store,
            Summary(
                totals,
                read.ours,
                read.theirs,
                self.outside,
                not_asked,
                statuses,
                notes,
                self.elsewhere,
            ),
        )

    def _report(self, **more: int) -> None:
        self.progress = replace(
            self.progress, **{name: getattr(self.progress, name) + more[name] for name in more}
        )
        if self.on_progress is not None:
            self.on_progress(self.progress)

    def _load(self, entries: Iterator[Entry]) -> bool:
        """Put the next batch of ours into the store. Return whether there was one."""
        zones = [(entry, self.window.zone(entry.at)) for entry in islice(entries, _BATCH)]
        self.progress = replace(self.progress, ours=self.progress.ours + len(zones))
        self.outside += sum(zone >= Zone.AROUND for _, zone in zones)
        near = [pair for pair in zones if pair[1] is not Zone.OUTSIDE]
        self.store.add_ours(near, checked=self.book.pages is not None)
        return bool(zones)

    def _walk(self, read: Callable[[Window], Any], reading: int) -> _Steps[bool]:
        """Read the list; return whether it was calm: it showed no payment twice.

        From the second `reading` on, only payments with ids that were not read before count.
        """
        book, store, is_calm = self.book, self.store, True
        pages = read(self.window)
        while (page := (yield _Read(following, pages))) is not None:
            payments = [(book.read(record), book.is_outbound(record)) for record in page.items]
            is_new = yield partial(store.add_listed, reading, [payment for payment, _ in payments])
            is_calm = is_calm and is_new and not page.repeats
            counted = [
                payment for payment, is_ours in payments if is_ours and (payment.id or reading == 1)
            ]
            near = [(payment, self.window.zone(payment.at)) for payment in counted]
            self._report(theirs=(yield partial(store.add_theirs, near)))
        return is_calm

    def _walk_again(self, read: Callable[[Window], Any], *, is_calm: bool) -> _Steps[bool]:
        """Read the list until two calm readings in a row show the same payments. Return whether
        they did.

        In which order payments are listed is documented nowhere, so one may move to a page that was
        read already. Then a page that is read later shows another one twice, unless one has left
        the list: the next reading does not show that one.
        """
        for reading in range(2, _MOST_READINGS + 1):
            was_calm, is_calm = is_calm, (yield from self._walk(read, reading))
            if was_calm and is_calm and (yield partial(self.store.is_as_before, reading)):
                return True
        return False

    def _look_up(self) -> _Steps[None]:
        """Read our payments one by one: by reference without a list, then by each id that the list
        did not have.
        """
        book, store = self.book, self.store
        for name, ask in (("reference", book.find), ("id", book.look_up)):
            if ask is None:
                continue
            after = 0
            next_batch = partial(store.to_look_up, name, unless_referenced=book.find is not None)
            while batch := (yield partial(next_batch, after)):
                for row, value in batch:
                    after = row
                    try:
                        result = yield _Read(ask, value)
                    except book.absent:
                        # An inquiry by reference fails in this way, too, if the provider has none.
                        result = None
                    records = (
                        [] if result is None else [result] if name == "id" else book.choose(result)
                    )
                    # Of what was not in the list, only our entry says that it belongs to the
                    # window.
                    near = [
                        (book.read(record), Zone.OUTSIDE)
                        for record in records
                        if book.is_outbound(record)
                    ]
                    self.elsewhere += len(near) if book.pages is not None else 0
                    new = yield partial(store.add_theirs, near)
                    if result is not None:
                        # An id of a payment that others asked us for says nothing of ours.
                        yield partial(store.set_checked, row, len(near) == len(records))
                    self._report(theirs=new, looked_up=1)
        # If no payment exists at all, a failed look-up may be about a wrong path, and proves
        # nothing.
        if book.pages is None and self.progress.theirs:
            yield store.set_ids_checked


async def _take(step: Callable[[], Any]) -> Any:
    """Read, awaited; or do the work in a worker thread."""
    import anyio.to_thread  # noqa: PLC0415 - only those who await pay for it

    return await (step() if isinstance(step, _Read) else anyio.to_thread.run_sync(step))
