"""`reconcile` and `reconcile_async`, and the flow that both drive: `_Comparison`."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import compress, islice
from operator import call
from typing import Any, Self, TypeVar

from victor_ext import ConfigurationError, Problem
from victor_ext._flows import adrive, drive, following
from victor_ext._systems import AsyncSystemClient, System, SystemClient, titles
from victor_ext._tables.sources import hidden_rows
from victor_ext.providers._books import MARGIN, Book, Window, Zone

from ._entries import Entry, EntryReader, Ours
from ._matching import ComparedEntries
from ._report import AGREEING, Kind, Row, Summary

T = TypeVar("T")
_BATCH = 500
_MOST_READINGS = 4
"""The maximum number of readings of a list that changes meanwhile."""
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
    "duplicate or as only theirs; one that moved to an earlier page is left out."
)


@dataclass(frozen=True, slots=True)
class Progress:
    """The number of entries of `ours` and of payments of `theirs` that were read, and of the
    entries that were `looked_up` one by one.
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

    def __init__(self, store: ComparedEntries, summary: Summary) -> None:
        self._store: ComparedEntries | None = store
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
        """The rows of these kinds. Raises `ConfigurationError`: the report is closed."""
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
    client: SystemClient,
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
        ours: The path of a CSV or JSON Lines file, the book of a state of bulk sending
            (`BulkSender.book`), or an iterable of `Entry` or of mappings.
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
    ours, window = hidden_rows(ours), Window(start, end, margin)
    book = book_of(client, awaited=False, payor_id=payor_id, page_size=page_size)
    reader = EntryReader(columns or {}, currency or book.currency, encoding)
    return drive(_Comparison(book, reader, window, on_progress).steps(ours), call)


async def reconcile_async(
    client: AsyncSystemClient,
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
    """Compare both books with an awaited client; the arguments are those of `reconcile`.

    The work on the database is done in a worker thread.
    """
    ours, window = hidden_rows(ours), Window(start, end, margin)
    book = book_of(client, awaited=True, payor_id=payor_id, page_size=page_size)
    reader = EntryReader(columns or {}, currency or book.currency, encoding)
    return await adrive(_Comparison(book, reader, window, on_progress).steps(ours), _await_step)


class _Read(partial[Any]):
    """A step that is a read of the provider, for which an async client returns an awaitable.

    All other steps are work on files and the database.
    """


_Steps = Generator[Callable[[], Any], Any, T]


@dataclass(slots=True)
class _Comparison:
    """The steps of one comparison. `steps` begins it; `_compare` has the order."""

    book: Book
    reader: EntryReader
    window: Window
    on_progress: OnProgress | None
    store: ComparedEntries = field(default_factory=ComparedEntries)
    ours: int = 0
    theirs: int = 0
    looked_up: int = 0
    outside: int = 0
    elsewhere: int = 0

    def steps(self, ours: Ours) -> _Steps[Reconciliation]:
        """Compare, and return the result, which closes the store; an error closes it at once."""
        try:
            summary = yield from self._compare(ours)
        except BaseException:
            self.store.close()
            raise
        return Reconciliation(self.store, summary)

    def _compare(self, ours: Ours) -> _Steps[Summary]:
        """Read both sides, and match them."""
        yield from self._read_ours(ours)
        is_complete = yield from self._read_theirs()
        match = partial(
            self.store.match,
            amounts=self.book.amounts,
            looked_up=self.book.pages is None,
            is_complete=is_complete,
        )
        totals = yield match
        statuses = yield self.store.statuses
        notes = yield from self._notes(is_complete=is_complete)
        return Summary(
            totals=totals,
            ours=self.ours,
            theirs=self.theirs,
            outside=self.outside,
            not_asked=self.reader.not_asked,
            forgotten=self.reader.forgotten,
            statuses=statuses,
            notes=notes,
            elsewhere=self.elsewhere,
            is_complete=is_complete,
        )

    def _read_ours(self, ours: Ours) -> _Steps[None]:
        """Read all of our book into the store, in batches."""
        entries = self.reader.read(ours)
        is_more = True
        while is_more:
            is_more = yield partial(self._load_batch, entries)
            self._report_progress()

    def _read_theirs(self) -> _Steps[bool]:
        """Read the provider's list, and one by one our payments that it lacks. Return whether the
        list has shown all of its payments.
        """
        pages = self.book.pages
        if pages is None:
            yield from self._look_up()
            return True
        is_calm = yield from self._read_list(pages, 1)
        yield from self._look_up()
        if is_calm and not (yield self.store.lacks_some):
            return True
        return (yield from self._read_list_again(pages, is_calm=is_calm))

    def _notes(self, *, is_complete: bool) -> _Steps[Sequence[str]]:
        """Return the sentences on what this comparison cannot show."""
        notes = [*self.book.notes]
        if self.book.pages is not None:
            without_id = yield self.store.without_id
            if without_id:
                notes.append(_WITHOUT_ID.format(without_id))
        if not is_complete:
            notes.append(_CHANGING)
        if self.store.lack_references:
            notes.append(_WITHOUT_REFERENCES)
        return tuple(notes)

    def _report_progress(self) -> None:
        """Report to the caller how many were read."""
        if self.on_progress is not None:
            self.on_progress(Progress(self.ours, self.theirs, self.looked_up))

    def _load_batch(self, entries: Iterator[Entry]) -> bool:
        """Put the next batch of our entries into the store. Return whether there was one."""
        batch = [*islice(entries, _BATCH)]
        self.ours += len(batch)
        near: list[tuple[Entry, Zone]] = []
        for entry in batch:
            zone = self.window.zone(entry.at)
            if zone >= Zone.AROUND:
                self.outside += 1
            if zone is not Zone.OUTSIDE:
                near.append((entry, zone))
        self.store.add_ours(near, checked=self.book.pages is not None)
        return bool(batch)

    def _read_list(self, read: Callable[[Window], Any], reading: int) -> _Steps[bool]:
        """Read the list once. Return whether this reading was calm: it has shown no payment twice.

        From the second `reading` on, a payment without an id is left out, since it may have been
        counted before.
        """
        is_calm = True
        pages = read(self.window)
        while True:
            page = yield _Read(following, pages)
            if page is None:
                return is_calm
            payments = [self.book.read(record) for record in page.items]
            is_new = yield partial(self.store.add_listed, reading, payments)
            is_calm = is_calm and is_new and not page.repeats
            outbound = [self.book.is_outbound(record) for record in page.items]
            requested = [*compress(payments, outbound)]
            countable = [payment for payment in requested if payment.id or reading == 1]
            with_zones = [(payment, self.window.zone(payment.at)) for payment in countable]
            self.theirs += yield partial(self.store.add_theirs, with_zones)
            self._report_progress()

    def _read_list_again(self, read: Callable[[Window], Any], *, is_calm: bool) -> _Steps[bool]:
        """Read the list until two calm readings in a row have shown the same payments. Return
        whether they have.

        The order of the list is documented nowhere, so a payment may move to a page that was read
        already, and be overlooked. Then another payment moves to a later page and is shown twice
        (the reading is not calm), or has left the list (the next reading differs).
        """
        for reading in range(2, _MOST_READINGS + 1):
            was_calm = is_calm
            is_calm = yield from self._read_list(read, reading)
            if was_calm and is_calm:
                is_as_before = yield partial(self.store.is_as_before, reading)
                if is_as_before:
                    return True
        return False

    def _look_up(self) -> _Steps[None]:
        """Read our payments whose ids the provider has not shown, one by one."""
        row = 0
        while batch := (yield partial(self.store.to_look_up, row)):
            for row, id in batch:
                record = yield from self._read_by_id(id)
                if record is None:
                    yield from self._add_looked_up([])
                    continue
                is_ours = yield from self._add_looked_up([record])
                # A payment that others have asked us for says nothing of our row.
                yield partial(self.store.set_checked, row, is_ours)
        # If no look-up has found a payment, all may have failed for a wrong path, and prove
        # nothing.
        if self.book.pages is None and self.theirs:
            yield self.store.set_ids_checked

    def _read_by_id(self, id: str) -> _Steps[Any]:
        """Return a record; None: the provider has no such payment."""
        try:
            return (yield _Read(self.book.look_up, id))
        except self.book.absent:
            return None

    def _add_looked_up(self, records: Sequence[Any]) -> _Steps[bool]:
        """Add the payments that a look-up has returned. Return whether we have asked for all of
        them.
        """
        outbound = [record for record in records if self.book.is_outbound(record)]
        # They were not in the list of the window: only our entries say that they belong to it.
        payments = [(self.book.read(record), Zone.OUTSIDE) for record in outbound]
        if self.book.pages is not None:
            self.elsewhere += len(payments)
        self.theirs += yield partial(self.store.add_theirs, payments)
        self.looked_up += 1
        self._report_progress()
        return len(outbound) == len(records)


async def _await_step(step: Callable[[], Any]) -> Any:
    """Await a read of the provider; do other work in a worker thread."""
    import anyio.to_thread  # noqa: PLC0415 - only those who await pay for it

    if isinstance(step, _Read):
        return await step()
    return await anyio.to_thread.run_sync(step)


def book_of(client: object, *, awaited: bool, payor_id: str | None, page_size: int | None) -> Book:
    """Return the book of a client's provider. `awaited`: for `reconcile_async`.

    Raises `ConfigurationError`: the client or `payor_id` does not fit.
    """
    system = _system_of(client)
    _check_payor(system, payor_id)
    if hasattr(client, "__aenter__") is not awaited:
        instead = "use reconcile" if awaited else "await reconcile_async"
        raise ConfigurationError(f"client is {type(client).__name__}: {instead} instead.")
    make_book = system.load("book")
    book: Book
    if payor_id is None:
        book = make_book(client, page_size=page_size)
    else:
        book = make_book(client, page_size=page_size, payor_id=payor_id)
    return book


def _system_of(client: object) -> System:
    """Return the system of a client. Raises `ConfigurationError`: it has no book."""
    system: System | None = getattr(client, "system", None)
    if system is not None and system.book:
        return system
    reason = f"client is {type(client).__name__}"
    if system is not None:
        reason = f"{system.title} has no book"
    raise ConfigurationError(
        f"{reason}: use the client of {titles('book')}, or the async form of one."
    )


def _check_payor(system: System, payor_id: str | None) -> None:
    """Raise `ConfigurationError` if `payor_id` is missing, or is of no use for this system."""
    if system.needs_payor and payor_id is None:
        message = "payor_id is missing: name the payor whose payments are compared."
        raise ConfigurationError.of([Problem("payor_id", "required", message)])
    if payor_id is not None and not system.needs_payor:
        message = f"payor_id is for {titles('needs_payor')}: leave it out."
        raise ConfigurationError.of([Problem("payor_id", "choice", message)])
