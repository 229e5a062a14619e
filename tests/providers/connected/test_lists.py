"""`paged`: lists by cursor, offset, page number and link."""

import json
from pathlib import Path

import httpx
import pytest

from tests.providers.connected.till import URL, Caller, client_class, generated, operation
from tests.providers.running import Script
from victor_ext import (
    ConfigurationError,
    CursorPages,
    LinkedPages,
    NumberedPages,
    OffsetPages,
    Outcome,
    PaginationError,
    UnreadableResponse,
    connect,
)
from victor_ext._runtime.client.paging import STALE_PAGES

pytestmark = pytest.mark.slow
ITEMS = [{"id": f"pay_{number}", "amount": number} for number in range(7)]
ENVELOPE = {"items": "data", "id": "id"}
BY_CURSOR = CursorPages("cursor", next="meta.next_cursor", **ENVELOPE)
BY_LAST_ITEM = CursorPages("starting_after", last="id", more="has_more", **ENVELOPE)


def package():
    return generated(Path(__file__).with_name("lists.yaml"))


def payments():
    return operation("p.list_payments", package())


def serving(page):
    """Serves pages of three, in the way of `page`."""

    def answer(request):
        body = page(request.url.params)
        is_response = isinstance(body, httpx.Response)
        return body if is_response else httpx.Response(200, content=json.dumps(body))

    return Script(answer)


def read(mode, lists, style, **arguments):
    """The items of a list of payments."""
    return Caller(mode, lists, package()).read(payments(), style, **arguments)


def queries(lists):
    return [request.url.query.decode() for request in lists.requests]


def by_cursor(params):
    end = int(params.get("cursor", "0")) + 3
    cursor = str(end) if end < len(ITEMS) else None
    return {**by_offset({"offset": end - 3}), "meta": {"nextCursor": cursor}}


def with_a_last_cursor(params):
    # The last page has a cursor, too, for the time when there are more.
    end = int(params.get("cursor", "0")) + 3
    return {**by_offset({"offset": end - 3}), "next_cursor": str(end), "has_more": end < len(ITEMS)}


def after_the_last(params):
    known = [item["id"] for item in ITEMS]
    start = known.index(params["starting_after"]) + 1 if "starting_after" in params else 0
    return {**by_offset({"offset": start}), "has_more": start + 3 < len(ITEMS)}


def by_offset(params):
    start = int(params.get("offset", "0"))
    return {"data": ITEMS[start : start + 3]}


def by_number(params):
    return by_offset({"offset": (int(params.get("page", "1")) - 1) * 3})


def by_header(params):
    start = int(params.get("at", "0"))
    first = f'<{URL}/v1/payments?at=0>; rel="first"'
    following = f', </v1/payments?at={start + 3}&n=3>; title="a, b"; rel="last next"'
    link = first + (following if start + 3 < len(ITEMS) else "")
    return httpx.Response(200, json=by_offset({"offset": start}), headers={"link": link})


def by_link_in_the_body(params):
    start = int(params.get("at", "0"))
    link = {"href": f"https://elsewhere.example/v1/payments?at={start + 3}"}
    next_ = link if start + 3 < len(ITEMS) else None
    return {"_embedded": {"payments": ITEMS[start : start + 3]}, "_links": {"next": next_}}


WAYS = {
    "a cursor": (by_cursor, BY_CURSOR, ["limit=3", "limit=3&cursor=3", "limit=3&cursor=6"]),
    "a cursor on the last page": (
        with_a_last_cursor,
        CursorPages("cursor", next="next_cursor", more="has_more", **ENVELOPE),
        ["limit=3", "limit=3&cursor=3", "limit=3&cursor=6"],
    ),
    "the last item": (
        after_the_last,
        BY_LAST_ITEM,
        ["limit=3", "limit=3&starting_after=pay_2", "limit=3&starting_after=pay_5"],
    ),
    "an offset": (
        by_offset,
        OffsetPages(**ENVELOPE),
        ["limit=3", "limit=3&offset=3", "limit=3&offset=6", "limit=3&offset=7"],
    ),
    "a page number": (
        by_number,
        NumberedPages(**ENVELOPE),
        ["limit=3", "limit=3&page=2", "limit=3&page=3", "limit=3&page=4"],
    ),
    "a Link header": (by_header, LinkedPages(**ENVELOPE), ["limit=3", "at=3&n=3", "at=6&n=3"]),
    "a link in the body": (
        by_link_in_the_body,
        LinkedPages("_links.next.href", items="_embedded.payments", id="id"),
        ["limit=3", "at=3", "at=6"],
    ),
}


@pytest.mark.parametrize("way", WAYS)
class TestEachWay:
    """What changes from page to page is one parameter, and nothing else."""

    def test_all_items_are_yielded_once(self, mode, way):
        page, style, asked = WAYS[way]
        lists = serving(page)
        items = read(mode, lists, style, limit=3)
        assert [item.id for item in items] == [item["id"] for item in ITEMS]
        assert queries(lists) == asked

    def test_a_page_that_is_repeated_for_ever_ends_in_an_error(self, mode, way):
        page, style, _ = WAYS[way]
        first = page(httpx.QueryParams())
        lists = serving(lambda _params: first)
        with pytest.raises(PaginationError, match="list_payments does not end") as raised:
            read(mode, lists, style, limit=3)
        assert raised.value.outcome is Outcome.ACCEPTED
        assert len(lists.requests) == 1 + STALE_PAGES


def test_pages_without_items_do_not_go_on_for_ever(mode):
    count = iter(range(10_000))
    lists = serving(lambda _params: {"data": [], "meta": {"nextCursor": str(next(count))}})
    with pytest.raises(PaginationError, match="empty"):
        read(mode, lists, BY_CURSOR)
    assert len(lists.requests) == STALE_PAGES


def test_a_last_item_without_a_cursor_is_no_end(mode):
    lists = serving(lambda _: {"data": [{"amount": 1}], "has_more": True})
    with pytest.raises(UnreadableResponse, match="its last item has nothing at 'id'"):
        read(mode, lists, BY_LAST_ITEM)


@pytest.mark.parametrize("cursor", [{"a": 1}, 70_000 * "x"])
def test_a_cursor_that_no_url_can_have_is_told_and_ends_no_list(mode, cursor):
    lists = serving(lambda _: {"data": ITEMS[:1], "meta": {"nextCursor": cursor}})
    style = BY_CURSOR if isinstance(cursor, str) else LinkedPages("meta.next_cursor", **ENVELOPE)
    with pytest.raises(UnreadableResponse, match="of the next page is no part of a URL"):
        read(mode, lists, style)


def test_the_other_parameters_stay_as_they_are_written(mode):
    def two_pages(params):
        return {"data": ITEMS[:1], "meta": {"nextCursor": None if "cursor" in params else "a&b"}}

    lists = serving(two_pages)
    read(mode, lists, BY_CURSOR, starting_after="c,d e")
    first, second = queries(lists)
    assert second == f"{first}&cursor=a%26b"


@pytest.mark.parametrize(
    "body",
    [
        {"_embedded": {"payments": None}},
        {"_embedded": {}},
        {"_embedded": None},
        {"has_more": False},
    ],
)
def test_a_list_that_is_null_or_left_out_is_empty(mode, body):
    assert read(mode, serving(lambda _: body), LinkedPages(items="_embedded.payments")) == []


@pytest.mark.parametrize("body", [{"_embedded": "text"}, {"_embedded": {"payments": 5}}, {"ok": 1}])
def test_what_has_no_list_and_what_is_no_page_is_refused(mode, body):
    with pytest.raises(UnreadableResponse, match=r"no list at '_embedded\.payments'"):
        read(mode, serving(lambda _: body), LinkedPages(items="_embedded.payments"))


@pytest.mark.parametrize("wrong", [None, "list_payments", len, CursorPages])
def test_paged_refuses_an_argument_that_is_no_operation_or_no_paging_style(wrong):
    with connect(client_class(), base_url=URL) as client:
        for arguments in ((wrong, NumberedPages()), (payments(), wrong)):
            with pytest.raises(ConfigurationError, match=r"pass the module .*how its pages"):
                client.paged(*arguments)


@pytest.mark.parametrize("places", [{}, {"next": "next_cursor", "last": "id"}])
def test_a_cursor_is_in_a_page_or_in_its_last_item(places):
    with pytest.raises(ConfigurationError, match="where the next cursor is"):
        CursorPages(**places)
