"""Lists: which items pass the filters, in which order they come, and which of them a page has."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar, cast

from victor_ext.sandbox.server._provider import Refused

T = TypeVar("T")
Members: TypeAlias = Mapping[str, Any]
Test: TypeAlias = Callable[[Any, Any], bool]
"""Whether an item (the first argument) passes a filter with a value."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list. Its number counts from 1."""

    items: Sequence[T]
    number: int
    size: int
    total: int
    """How many items the list has."""

    @property
    def pages(self) -> int:
        """How many pages the list has."""
        return -(-self.total // self.size)

    @property
    def before(self) -> int:
        """How many items come before those of this page."""
        return (self.number - 1) * self.size


def _no_test(_name: str) -> Test | None:
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """How the items of a list are filtered, sorted and cut.

    Each parameter that the document declares is a filter, but for those in `controls`. Without a
    document, nothing is filtered or sorted.

    Args:
        size: The items of a page, where the query has no number.
        largest: The most items of a page; None: as many as the query asks for.
        controls: The parameters that are no filters.
        members_of: The members of an item that are compared; by default it is a mapping itself.
        test_of: The test of a filter, by its name; None: the member of that name must be equal.
        order: The order of the items, such as `name:asc,date:desc`; empty: they come as they are.
        number: The parameter for the number of the page.
        asked_size: The parameter for the size of a page.
        sort: The parameter for the order.
    """

    size: int = 25
    largest: int | None = None
    controls: Collection[str] = ()
    members_of: Callable[[Any], Members] = dict
    test_of: Callable[[str], Test | None] = _no_test
    order: str = ""
    number: str = "page"
    asked_size: str = "pageSize"
    sort: str = "sort"

    def page(self, items: Sequence[T], query: Mapping[str, Any]) -> Page[T]:
        """The page that is asked for. Raises `Refused` for an order that the items do not have."""
        passing = items
        tests = [
            (self.test_of(name) or self._has(name), value)
            for name, value in query.items()
            if name not in {self.number, self.asked_size, self.sort, *self.controls}
        ]
        if tests:
            passing = [item for item in items if all(test(item, value) for test, value in tests)]
        order = query.get(self.sort, self.order)
        try:
            in_turn = self._in_order(passing, order)
        except TypeError:
            raise Refused(400, f"The items cannot be sorted by {order}.", self.sort) from None
        size = query.get(self.asked_size, self.size)
        if self.largest is not None:
            size = min(size, self.largest)
        number = query.get(self.number, 1)
        begin = (number - 1) * size
        return Page(in_turn[begin : begin + size], number, size, len(in_turn))

    def _has(self, name: str) -> Test:
        """The test whether a member of this name, in whatever part, has the value, or one of
        several.
        """

        def test(item: Any, wanted: Any) -> bool:
            several = isinstance(wanted, list)
            values = values_of(name, self.members_of(item))
            return any(value in wanted if several else value == wanted for value in values)

        return test

    def _in_order(self, items: Sequence[T], terms: str) -> Sequence[T]:
        """Sort items by members: `name:asc,date:desc`. An item without the member comes first.

        Raises TypeError if the values of a member have no order.
        """
        for term in reversed(terms.split(",") if terms else []):
            name, _, direction = term.partition(":")

            def place(item: T, name: str = name) -> tuple[bool, Any]:
                value = self.members_of(item).get(name)
                return value is not None, value

            items = sorted(items, key=place, reverse=direction == "desc")
        return items


def values_of(name: str, members: Members) -> Iterator[Any]:
    """The values of the members of this name, in whatever part."""
    for label, value in members.items():
        if label == name:
            yield value
        if isinstance(value, dict):
            yield from values_of(name, cast("Members", value))
