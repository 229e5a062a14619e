"""Their side: which book belongs to a client."""

from __future__ import annotations

from victor_ext import ConfigurationError, Problem
from victor_ext.books import Book
from victor_ext.systems import System, titles


def book_of(client: object, *, awaited: bool, payor_id: str | None, page_size: int | None) -> Book:
    """Return the book of a client's provider.

    Raises:
        ConfigurationError: It is no client of a system with a book, its calls are not `awaited` as those of the caller
            are, or `payor_id` does not belong to it.
    """
    system: System | None = getattr(client, "system", None)
    if system is None or not system.book:
        raise ConfigurationError(
            f"client is {type(client).__name__} and must be {titles('book')}, or the async form of one."
        )
    if system.needs_payor and payor_id is None:
        message = "payor_id is missing: name the payor whose payments are compared."
        raise ConfigurationError.of([Problem("payor_id", "required", message)])
    if payor_id is not None and not system.needs_payor:
        message = f"payor_id is for {titles('needs_payor')}: leave it out."
        raise ConfigurationError.of([Problem("payor_id", "choice", message)])
    if hasattr(client, "__aenter__") is not awaited:
        instead = "use reconcile" if awaited else "await reconcile_async"
        raise ConfigurationError(f"client is {type(client).__name__}: {instead} instead.")
    payor = {"payor_id": payor_id} if system.needs_payor else {}
    book: Book = system.load("book")(client, page_size=page_size, **payor)
    return book
