"""The clients that are compared: each in a module that uses it as its documentation says, with its
better settings.

A module has `connect(url, ...)`, which gives a `Client`, and mostly `connect_awaited`, which gives
an `AwaitedClient`. It imports one client and nothing else that costs time: importing it is what a
user's first import costs.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Iterator
from typing import Any, Protocol


class Client(Protocol):
    """A connected client with blocking calls."""

    def get(self) -> object:
        """Read one payment."""
        ...

    def create(self) -> object:
        """Make one payment."""
        ...

    def items(self, page_size: int) -> Iterator[Any]:
        """Iterate over payments, in pages of this size, without an end."""
        ...

    def read(self, item: Any) -> tuple[Any, ...]:
        """Read five fields of a payment: which one, of whom or when, how much, in which state."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class AwaitedClient(Protocol):
    """A connected client with awaited calls."""

    def get(self) -> Awaitable[object]:
        """Read one payment."""
        ...

    def close(self) -> Awaitable[None]:
        """Close the connections."""
        ...


number = map("{:05d}001".format, itertools.cycle(range(1000))).__next__
"""The number of the payment to read now: a thousand in turn, since nobody asks for the same one
again and again.
"""


def flat(item: Any) -> tuple[Any, ...]:
    """The five fields of a payment whose members are all at the top."""
    return item.id, item.amount, item.currency, item.status, item.created_at
