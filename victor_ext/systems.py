"""The payment systems that are installed, and what everything outside its own folder asks about one of them.

A system is an entry point of the group `victor_ext.systems`, of this distribution or of any other:

    [project.entry-points."victor_ext.systems"]
    shop = "shop_client.system:SYSTEM"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from victor_ext.errors import BadRequest, InvalidRequest, NotFound, VictorError
from victor_ext.money import Money

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

DEFAULT = "victor"
"""The system that the command uses if `--provider` does not name one."""


@dataclass(frozen=True, kw_only=True)
class System:
    """A payment system. Its classes and functions are named (`module:name`), and loaded when one is used.

    Attributes:
        name: Its name in lower case, as `--provider` takes it. In capitals, its variables begin with it.
        title: What messages call it.
        client: The class of its client with blocking calls.
        async_client: The class of its client with awaited calls.
        book: The function that makes its `Book` from a client and the keyword `page_size`; and `payor_id`, if it
            `needs_payor`. Empty: it cannot be reconciled.
        needs_payor: Whether its payments are listed by payor.
        lists: What `ping` lists, such as `orders`. Empty: it has no `ping`.
        why_no_ping: If it has none, the reason, and what to try instead.
        credentials: The function that says of the variables which credentials they are. Empty: only that they are
            complete.
        refuses: The options of the command that it does not take, each with what to write instead.
        bulk: Whether bulk sending can send for it.
    """

    name: str
    title: str
    client: str
    async_client: str
    book: str = ""
    needs_payor: bool = False
    lists: str = ""
    why_no_ping: str = ""
    credentials: str = ""
    refuses: Mapping[str, str] = field(default_factory=dict[str, str])
    bulk: bool = False

    @property
    def prefix(self) -> str:
        """What the names of its variables begin with."""
        return f"{self.name.upper()}_"

    @property
    def has_sandbox(self) -> bool:
        """Whether `victor sandbox --provider` can stand in for it."""
        return self.name in entry_points_of("victor_ext.sandboxes")

    def load(self, field: str) -> Any:
        """The class or the function that a field names."""
        return resolve_name(getattr(self, field))


class Client(Protocol):
    """A client of a system, with blocking calls."""

    system: ClassVar[System]

    def __enter__(self) -> Any: ...


class AsyncClient(Protocol):
    """A client of a system, with awaited calls."""

    system: ClassVar[System]

    async def __aenter__(self) -> Any: ...


def entry_points_of(group: str = "victor_ext.systems") -> dict[str, EntryPoint]:
    """What is installed of a group, by name: the default system first. Nothing of it is loaded."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - no client pays for it

    found = {each.name: each for each in entry_points(group=group)}
    return {name: found[name] for name in sorted(found, key=lambda name: (name != DEFAULT, name))}


def titles(having: str) -> str:
    """The systems whose field `having` is set, for a message. All systems are loaded."""
    systems: list[System] = [each.load() for each in entry_points_of().values()]
    *first, last = [system.title for system in systems if getattr(system, having)]
    return f"{', '.join(first)} or {last}" if first else last


# What a system's book is made of: how reconciliation reads the payments of a window.


@dataclass(frozen=True, slots=True)
class Theirs:
    """A payment as the provider has it. None: the provider does not say it, or it cannot be read.

    Attributes:
        id: The provider's id.
        reference: Our reference, as the provider repeats it.
        amount: The amount as it stands.
        requested: The amount that was asked, if the payer agreed to another one; else as `amount`.
        currency: ISO 4217, also where the amount cannot be read.
        status: The provider's word.
        at: When it was made, by the provider's clock.
    """

    id: str | None
    reference: str | None
    amount: Money | None
    requested: Money | None
    currency: str | None
    status: str | None
    at: datetime | None


class Period(Protocol):
    """The time whose payments are read, all of it aware: the margin reaches from `first` to `last`."""

    @property
    def first(self) -> datetime: ...
    @property
    def last(self) -> datetime: ...
    @property
    def read_from(self) -> datetime:
        """A little before `first`, for a filter that may exclude its own ends."""
        ...

    @property
    def read_to(self) -> datetime:
        """A little after `last`."""
        ...


@dataclass(frozen=True, slots=True)
class Book:
    """What a provider can be asked, and what its records say.

    Attributes:
        pages: Begin to read the pages of a period. None: the provider has no list.
        read: A record in the terms of the report.
        is_outbound: Whether a record of the list is a payment that we asked for.
        look_up: Read one payment by the provider's id; a result, or something to await.
        find: Read the payments with a reference, if there is no list; a sequence, or something to await.
        choose: Of the records that `find` returned, those that are payments of their own.
        absent: The errors of `look_up` that mean that there is no such payment. After a list that could be read, a 400
            is about the id: Victor documents nothing else for an id that does not exist.
        amounts: Whether the provider says amounts, so that an amount that is not there is a difference.
        currency: The only currency of the provider, if it has one.
        notes: What cannot be told, in sentences.
    """

    pages: Callable[[Period], Any] | None
    read: Callable[[Any], Theirs]
    look_up: Callable[[str], Any]
    find: Callable[[str], Any] | None = None
    choose: Callable[[Sequence[Any]], Sequence[Any]] = list
    absent: tuple[type[VictorError], ...] = (NotFound, BadRequest, InvalidRequest)
    is_outbound: Callable[[Any], bool] = lambda _record: True
    amounts: bool = True
    currency: str | None = None
    notes: Sequence[str] = ()


def currency_of(code: object) -> str | None:
    """Return a code of ISO 4217 in capitals, as our book has it."""
    return code.strip().upper() if isinstance(code, str) else None


def money_of(amount: Any, currency: str | None) -> Money | None:
    """Return an exact amount; None where it cannot be one of the currency."""
    if currency is None or not isinstance(amount, Decimal | str):
        return None
    try:
        return Money.of(amount, currency)
    except InvalidRequest:
        return None
