"""Their side: the book of the provider, by the caller's client."""

from victor_ext import ConfigurationError, Problem
from victor_ext.books import Book
from victor_ext.systems import System, titles


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
