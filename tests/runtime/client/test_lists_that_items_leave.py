"""A list whose items come and go while it is read: what was there all the time is yielded, once."""

from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.runtime.client.test_paging import pages_of
from victor_ext._runtime.client.paging import MOST_PASSES, PageReader
from victor_ext._runtime.client.records import sent_by
from victor_ext._runtime.core.json_values import ExactNumber, parsed
from victor_ext.errors import PaginationError
from victor_ext.providers.velo import Notification


@dataclass(frozen=True)
class Change:
    """What happens after a read: an item enters, or one leaves, at a place in the list."""

    enters: bool
    place: int


@dataclass
class Provider:
    """A list that changes after each read, for as long as there are changes left."""

    items: list[str]
    changes: list[list[Change]]
    page_size: int
    reads: list[int] = field(default_factory=list)

    def __post_init__(self):
        self.stayed = set(self.items)
        self._entered = 0

    def page(self, number):
        page = self.items[number * self.page_size : (number + 1) * self.page_size]
        if len(self.reads) < len(self.changes):
            for change in self.changes[len(self.reads)]:
                self.make(change)
        self.reads.append(number)
        return page

    def make(self, change):
        if change.enters:
            self._entered += 1
            self.items.insert(change.place % (len(self.items) + 1), f"new {self._entered}")
        elif self.items:
            self.stayed.discard(self.items.pop(change.place % len(self.items)))

    def pages(self):
        return pages_of(lambda reader: self.page(reader.number), repeated)


def repeated():
    return PageReader(lambda name: name, may_be_left=True)


def is_new(name):
    return name.startswith("new")


def changes(enters):
    return st.lists(
        st.lists(st.builds(Change, enters, st.integers(0, 30)), max_size=3), max_size=20
    )


takers = {
    "nothing": lambda _name: False,
    "all": lambda _name: True,
    "arrivals": is_new,
    "the old ones": lambda name: not is_new(name),
}


anything_changes = st.tuples(changes(st.booleans()), st.just("nothing"))
"""The consumer takes nothing."""
items_arrive = st.tuples(changes(st.just(True)), st.sampled_from(sorted(takers)))
"""The consumer takes some of what it is given off the list."""


missed_twice = [[], [], *([Change(enters=False, place=place)] for place in (4, 8, 2, 3, 6))]
"""The second reading brings nothing new, and misses what the first has missed."""


@settings(max_examples=400, deadline=None)
@given(
    count=st.integers(0, 30),
    page_size=st.integers(4, 6),
    happens=st.one_of(anything_changes, items_arrive),
)
@example(count=15, page_size=4, happens=(missed_twice, "nothing"))
def test_an_item_that_stays_in_a_changing_list_is_yielded_once(count, page_size, happens):
    changes, takes = happens
    provider = Provider([str(number) for number in range(count)], changes, page_size)
    names = []
    for name in provider.pages():
        names.append(name)
        if takers[takes](name):
            provider.items.remove(name)
    assert provider.stayed <= set(names)
    assert len(names) == len(set(names))


@dataclass
class Busy:
    """A list that never rests: before each read an item enters, and the one that has been there
    longest leaves.
    """

    items: list[str]
    reads: int = 0

    def page(self, number):
        self.reads += 1
        self.items = [f"new {self.reads}", *self.items[:-1]]
        return self.items[number * 3 : (number + 1) * 3]


def test_a_list_that_never_rests_ends_in_an_error():
    provider = Busy([f"old {number}" for number in range(9)])
    with pytest.raises(PaginationError, match="changes faster than it is read"):
        list(pages_of(lambda reader: provider.page(reader.number), repeated))
    reads_of_a_pass = 4  # three pages of three items, and an empty one
    assert provider.reads == reads_of_a_pass * MOST_PASSES + 1


def test_items_without_an_id_are_not_lost_and_come_once_more_in_no_later_pass():
    pages = pages_of(
        lambda reader: [["x", "x"], ["y"], []][reader.number],
        lambda: PageReader(lambda _name: None, may_be_left=True),
    )
    assert list(pages) == ["x", "x", "y"]


def test_items_without_an_id_are_told_apart_by_all_their_digits():
    sent = parsed(b'[{"amount": 0.1}, {"amount": 0.10000000000000000001}]')
    first, second = (Notification(item) for item in sent)
    readings = iter([[first], [second], [second]])
    pages = pages_of(
        lambda reader: [] if reader.number else next(readings),
        lambda: PageReader(lambda _record: None, may_be_left=True),
    )
    assert [sent_by(record)["amount"] for record in pages] == [
        0.1,
        ExactNumber("0.10000000000000000001"),
    ]
