"""What a page says of itself, in all systems and in lists of `connect`.

An empty page ends its list, one that contradicts itself does not, and what is no page is none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from victor_api.api.payment_requests import list_payment_requests

from tests.providers.running import GUID, Script
from tests.providers.systems import called, of_every_system
from victor_ext import (
    ConfigurationError,
    CursorPages,
    LinkedPages,
    NumberedPages,
    OffsetPages,
    PaginationError,
    UnreadableResponse,
    VictorError,
)

ID = "victor_payment_request_id"
BY_NUMBER = NumberedPages(items="results", id=ID, first=0)


@dataclass(frozen=True)
class Listing:
    """A list of a system.

    Attributes:
        items: The member of a page with its items.
        of_page: The other members of a page.
        item: An item.
        more: Members of an empty page, each of which says that others follow.
        call: Reads the list.
    """

    items: str
    of_page: dict[str, Any]
    item: dict[str, Any]
    more: tuple[dict[str, Any], ...]
    call: Callable[[Any], Any]

    def page(self, *items):
        return {**self.of_page, self.items: [*items]}

    @property
    def has_more_pages(self):
        """EastPay's list is one page."""
        return self.more != ()


def _since():
    return datetime.now(UTC) - timedelta(hours=1)


OF_VELO = {"page": {"page": 1, "pageSize": 25}, "links": []}
LISTINGS = of_every_system(
    __name__,
    {
        "victor": Listing(
            "results",
            {"page_size": 25},
            {ID: "a7ffd43c37c1", "status": "pending"},
            ({"has_more": True}, {"has_more": 1}, {"total_pages": 5}, {"meta": {"pageCount": 5.0}}),
            lambda client: client.payment_requests.list(start_datetime=_since()),
        ),
        "velo": Listing(
            "content",
            OF_VELO,
            {"payoutId": GUID, "status": "ACCEPTED"},
            (
                {"page": {"page": 1, "totalPages": 3, "totalElements": 60}},
                {"page": {"page": 1, "totalPages": 5}},
                {"page": {"page": 1, "totalPages": 5.0}},
                {"page": {"page": 1, "totalPages": 3.0, "totalElements": 60.0}},
            ),
            lambda client: client.payouts.list(GUID),
        ),
        "velo by its links": Listing(
            "content",
            OF_VELO,
            {"payoutId": GUID, "status": "ACCEPTED"},
            ({"links": [{"rel": "next", "href": "https://velo.example/v3/payouts?page=2"}]},),
            lambda client: client.payouts.list(GUID),
        ),
        "flexfactor": Listing(
            "items",
            {"pageNumber": 1, "pageSize": 10},
            {"id": "o-1", "status": 7},
            ({"hasNextPage": True}, {"pageCount": 5}),
            lambda client: client.orders.list(),
        ),
        "connected": Listing(
            "results",
            {"page": 0, "page_size": 25},
            {ID: "a7ffd43c37c1", "status": "pending"},
            ({"meta": {"hasMore": "true"}}, {"meta": {"hasMore": 1}}),
            lambda client: client.paged(list_payment_requests, BY_NUMBER),
        ),
    },
    without=("eastpay",),
)
each_listing = pytest.mark.parametrize("name", LISTINGS)


def is_null(listing):
    return {listing.items: None}


def is_absent(listing):
    """Without the member, a page of EastPay's may be any response of the gateway."""
    return {} if listing.has_more_pages else is_null(listing)


each_absence = pytest.mark.parametrize("absence", [is_null, is_absent])


def read(name, mode, script, call=None):
    """What a list of a system comes to over a script, or another call of its client."""
    return called(name.partition(" ")[0], mode, call or LISTINGS[name].call, script)


def responses(*bodies):
    return Script(*(httpx.Response(200, json=body) for body in bodies))


@each_listing
@each_absence
def test_a_page_without_its_list_is_an_empty_page(name, mode, absence):
    listing = LISTINGS[name]
    without = {**listing.of_page, **absence(listing)}
    assert read(name, mode, responses(without)) == []
    if listing.has_more_pages:
        pages = responses(listing.page(listing.item), without)
        assert len(read(name, mode, pages)) == 1


@each_listing
def test_an_answer_that_is_no_page_raises_and_does_not_end_the_list(name, mode):
    listing = LISTINGS[name]
    error = {"error": {"code": "E1", "message": "no"}, "success": False, "errors": [{"a": "b"}]}
    bodies = [
        {"ok": True},
        {"links": []},
        {**listing.of_page, listing.items: "text"},
        {**listing.of_page, listing.items: None, **error},
        {listing.items: [], "error": {"code": 7}},
        {listing.items: [], "status": 500},
    ]
    for body in bodies:
        with pytest.raises(UnreadableResponse if name != "flexfactor" else VictorError):
            read(name, mode, responses(body))


@each_listing
def test_another_list_beside_the_items_does_not_make_a_page_unreadable(name, mode):
    listing = LISTINGS[name]
    beside = {"notices": [{"text": "moved"}]}
    without = {
        **listing.of_page,
        listing.items: None,
        "rows": [],
        "warnings": ["slow"],
        "_links": {"curies": [{"name": "v"}]},
    }
    for page in ({**listing.page(), **beside}, without):
        assert read(name, mode, responses(page)) == []


HIDING_PAGE = {"page": 0, "items": [{ID: "a7ffd43c37c1", "status": "pending"}]}


def test_a_wait_reads_the_request_itself_if_the_list_hides_its_items(mode):
    request = {ID: "a7ffd43c37c1", "status": "declined", "direction": "outbound"}
    waited = read(
        "victor",
        mode,
        responses(HIDING_PAGE, request),
        lambda client: client.payment_requests.wait("a7ffd43c37c1", timeout=0),
    )
    assert waited.status == "declined"


@pytest.mark.parametrize("name", [name for name in LISTINGS if LISTINGS[name].has_more_pages])
def test_an_empty_page_that_says_that_others_follow_hides_none_of_their_items(name, mode):
    listing = LISTINGS[name]
    for more in listing.more:
        pages = [{**listing.page(), **more}, listing.page(listing.item), listing.page()]
        if "totalElements" in str(more):
            with pytest.raises(PaginationError, match="the list says that it has some"):
                read(name, mode, responses(*pages))
        else:
            assert len(read(name, mode, responses(*pages))) == 1


def numbered(*pages):
    """Pages of Victor with the numbers that they say, and ids."""
    return responses(
        *({"page": number, "results": [{ID: id} for id in ids]} for number, ids in pages)
    )


def test_page_numbers_that_are_one_ahead_from_the_first_page_on_are_accepted(mode):
    script = numbered(*[(1, ["a"])] * 3, (2, ["b"]), (3, []))
    assert [each.id for each in read("victor", mode, script)] == ["a", "b"]


@pytest.mark.parametrize(
    "pages",
    [
        [(1, []), (0, ["a"]), (1, ["b"]), (2, [])],
        [(1, ["b"]), (0, ["a"]), (1, ["b"]), (2, [])],
        [(0, ["a"]), (2, []), (1, ["b"]), (2, [])],
        [(0, ["a"]), (2, ["c"]), (1, ["b"]), (2, [])],
    ],
)
def test_a_page_whose_number_is_that_of_another_is_read_again(mode, pages):
    assert [each.id for each in read("victor", mode, numbered(*pages))] == ["a", "b"]


@pytest.mark.parametrize("before", [[], [(0, ["a"])]], ids=["first", "later"])
def test_a_page_that_still_says_another_number_when_it_is_read_again_is_refused(mode, before):
    words = f"page 7 of a list, and page {len(before)} was asked for"
    with pytest.raises(UnreadableResponse, match=words):
        read("victor", mode, numbered(*before, (7, [])))


# ---- Lists of `connect`, which the caller describes ----


def paged(style):
    return lambda client: client.paged(list_payment_requests, style)


ITEMS = {"items": "results", "id": ID}
NEXT = {"undeclared": ("cursor", "next_cursor", "offset", "has_more"), **ITEMS}


@pytest.mark.parametrize("is_empty", [True, False], ids=["no items", "items"])
@pytest.mark.parametrize("more", ["has_more", None], ids=["more", "a usual member"])
@pytest.mark.parametrize("style", [CursorPages, LinkedPages, OffsetPages])
def test_a_page_that_goes_on_and_names_no_next_one_ends_no_list(mode, style, more, is_empty):
    item = {ID: "a"}
    page = {"page": 0, "results": [] if is_empty else [item], "has_more": True}
    with pytest.raises(PaginationError, match=r"says that others follow|does not end"):
        read("connected", mode, responses(page), paged(style(more=more, **NEXT)))


def test_a_next_link_to_another_path_is_refused_by_name(mode):
    def pages(path):
        link = {"link": f'<{path}?page=1>; rel="next"'}
        first = httpx.Response(200, json={"page": 0, "results": [{ID: "a"}]}, headers=link)
        return Script(first, httpx.Response(200, json={"page": 1, "results": [{ID: "b"}]}))

    style = paged(LinkedPages(**ITEMS))
    own = "/v2/payment-requests"
    for path in ("", own, f"https://elsewhere.example{own}", f"/gateway{own}", "/payment-requests"):
        assert len(read("connected", mode, pages(path), style)) == 2, path
    for path in ("/v2/accounts", "/", "/v2/payment-requests/archive", "https://a.example"):
        with pytest.raises(PaginationError, match=r"leads to the path .*read at /v2/payment-req"):
            read("connected", mode, pages(path), style)


@pytest.mark.parametrize(
    ("style", "name"),
    [
        (CursorPages("after", **ITEMS), "'next_cursor' in the response"),
        (CursorPages("after", next="page", **ITEMS), "'after' in the parameters"),
        (CursorPages("page", last="ident", **ITEMS), "'ident' in an item"),
        (NumberedPages("side", **ITEMS), "'side' in the parameters"),
        (OffsetPages("page", items="data"), "'data' in the response"),
        (NumberedPages("page", items="results", id="ident"), "'ident' in an item"),
        (NumberedPages("page", more="has_more", **ITEMS), "'has_more' in the response"),
        (LinkedPages("links.next", **ITEMS), "'links.next' in the response"),
    ],
)
def test_a_paging_style_with_undeclared_members_is_refused_when_the_list_is_made(mode, style, name):
    script = responses({"page": 0, "results": []})
    with pytest.raises(ConfigurationError, match=f"declares no {name}"):
        read("connected", mode, script, paged(style))
    assert script.requests == []
