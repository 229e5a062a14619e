"""A provider's table: each operation of its API is a row, with where it is, what it does, and what
it answers or refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from victor_ext.sandbox.server._exchange import Operation

if TYPE_CHECKING:
    from victor_ext.sandbox.engine._pages import Listing
    from victor_ext.sandbox.server._exchange import JsonObject, JsonValue
    from victor_ext.sandbox.server._provider import Call


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that the document allows."""

    operation: str
    call: Call
    query: JsonObject
    """The declared parameters, by their types."""
    body: JsonObject
    """The declared members."""

    @property
    def about(self) -> str:
        """The id in the path, of several the first; empty where there is none."""
        return next(iter(self.call.params.values()), "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What an operation answers, and the work that it did."""

    body: JsonValue = None
    """Of the response; None: it has none."""
    status: int | None = None
    """Of the response; None: the status of the row."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    made: str | None = None
    """The id of what the call made, or found made already."""
    work: Sequence[str] | None = None
    """The caller's references that the work is counted for; None: no work was done."""


@dataclass(frozen=True, slots=True)
class Row:
    """One operation.

    Args:
        name: The operation's, as commands and faults have it.
        place: Its method and path: `POST /v3/payouts/{id}`.
        does: Does the work. It gets the provider's state and what is asked, and raises `Refused` or
            `NotFound`. It returns a `Result`, or less: a body (no work was done), the items of a
            list in a row with a `listing`, or None (what the path names was changed, and there is
            no body). A whole `Response` is sent as it is.
        status: Of the response; None: the first success that the document has, or 200.
        listing: How the items of a list are filtered, sorted and cut.
        is_open: The call needs no credentials.
        is_keyed: A repeat under its idempotency key is answered as the first call was.
    """

    name: str
    place: str
    does: Callable[[Any, Asked], Any]
    status: int | None = None
    listing: Listing | None = None
    is_open: bool = False
    is_keyed: bool = False

    @property
    def operation(self) -> Operation:
        """What the server knows of it."""
        return Operation(self.name, *self.place.split())
