"""The payment systems that are installed, and what the modules outside of a system's own folder ask
about it.

A system is an entry point of the group `victor_ext.systems`, of this distribution or of any other:

    [project.entry-points."victor_ext.systems"]
    shop = "shop_client.system:SYSTEM"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from msgspec import field

from victor_ext._values.opaque import FrozenStruct

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

DEFAULT = "victor"  # for the command, if `--provider` does not name one


class System(FrozenStruct, frozen=True, kw_only=True):
    """A payment system. Its classes and functions are named (`module:name`), and loaded when one is
    used.

    Attributes:
        name: Its name in lower case, as `--provider` takes it. In capitals, its variables begin
            with it.
        title: What messages call it.
        client: The class of its client with blocking calls. The command passes to its `from_env`
            those of the arguments `environment`, `base_url` and `deadline` that the user gives.
        async_client: The class of its client with awaited calls.
        book: The function that makes its `Book` from a client and the keyword `page_size`; and
            `payor_id`, if it `needs_payor`. Empty: it cannot be reconciled.
        needs_payor: Whether its payments are listed by payor.
        lists: What `ping` lists, such as `orders`. Empty: it has no `ping`.
        why_no_ping: If it has none, the reason, and what to try instead.
        signed_read: If it has none, the function that finds out with a client, by a signed read of
            what does not exist, whether the credentials are accepted. It returns what was found, or
            raises the error of the read. Empty: there is no such read.
        environments: The words for its environments, the default first. Empty: a URL is its
            environment, or what it is called is not known here.
        urls: The provider's own URLs by environment, as far as they are known here.
        statuses: The words for the states of what its writes make, as far as they are known.
        credentials: The function that says of the variables which credentials they are. Empty: only
            that they are complete.
        refuses: Those of these arguments that `from_env` does not take, each with what to write
            instead.
        bulk: The class of its rows in bulk sending. Empty: it has none.
        why_no_bulk: If it has none, the reason.
    """

    name: str
    title: str
    client: str
    async_client: str
    book: str = ""
    needs_payor: bool = False
    lists: str = ""
    why_no_ping: str = ""
    signed_read: str = ""
    environments: Sequence[str] = ()
    urls: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    statuses: Sequence[str] = ()
    credentials: str = ""
    refuses: Mapping[str, str] = field(default_factory=dict[str, str])
    bulk: str = ""
    why_no_bulk: str = ""

    @property
    def prefix(self) -> str:
        """What the names of its variables begin with."""
        return f"{self.name.upper()}_"

    @property
    def why_not_bulk(self) -> str:
        """Why the system has no bulk sending, in a sentence; empty: it has."""
        if self.bulk:
            return ""
        why = self.why_no_bulk or "it says of none of its writes what a row of a file would be"
        return f"{self.title} has no bulk sending: {why}. It is for {titles('bulk')}."

    def load(self, field: str) -> Any:
        """The class or the function that a field names.

        Raises:
            LookupError: Its module has no such name.
        """
        from importlib import import_module  # noqa: PLC0415 - no client pays for it

        path = str(getattr(self, field))
        module, _, name = path.partition(":")
        loaded = import_module(module)
        try:
            return getattr(loaded, name)
        except AttributeError as error:
            message = f"{self.title} names {path!r} as its {field}, and {module} has no {name!r}."
            raise LookupError(message) from error


class SystemClient(Protocol):
    """A client with blocking calls, of any system."""

    system: ClassVar[System]

    def __enter__(self) -> Any: ...


class AsyncSystemClient(Protocol):
    """A client with awaited calls, of any system."""

    system: ClassVar[System]

    async def __aenter__(self) -> Any: ...


def entry_points_of() -> dict[str, EntryPoint]:
    """The systems that are installed, by name: the default one first. Nothing of them is loaded."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - no client pays for it

    installed = {point.name: point for point in entry_points(group="victor_ext.systems")}
    names = sorted(installed, key=lambda name: (name != DEFAULT, name))
    return {name: installed[name] for name in names}


def titles(having: str) -> str:
    """The titles of the systems whose field `having` is set, for a message. All systems are
    loaded.
    """
    systems: list[System] = [point.load() for point in entry_points_of().values()]
    *first, last = [system.title for system in systems if getattr(system, having)]
    return f"{', '.join(first)} or {last}" if first else last
