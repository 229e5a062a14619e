"""`paged`: lists by cursor, offset, page number and link, in the query or in the body of a POST."""

import json

import httpx
import pytest

from tests.providers.connected.till import (
    URL,
    Caller,
    client_class,
    operation,
    till_api,
)
from tests.providers.running import Script
from victor_ext import (
    ConfigurationError,
    CursorPages,
    HeaderKey,
    LinkedPages,
    NumberedPages,
    OffsetPages,
    OperationRow,
    Outcome,
    PaginationError,
    ServerError,
    UnreadableResponse,
    connect,
)
from victor_ext._runtime.client.paging import STALE_PAGES

pytestmark = pytest.mark.slow
ITEMS = [{"id": f"pay_{number}", "amount": number} for number in range(7)]
IDS = [item["id"] for item in ITEMS]
UNDECLARED = ("cursor", "meta.next_cursor", "next_cursor", "offset", "page")
"""What the pages of these tests have, and the document of Till does not declare."""
ENVELOPE = {"items": "data", "id": "id", "undeclared": UNDECLARED}
BY_CURSOR = CursorPages(in_body=True, more="has_more", items="data", id="id")
BY_LAST_ITEM = CursorPages("starting_after", last="id", more="has_more", items="data", id="id")
BY_OFFSET = OffsetPages("options.offset", in_body=True, **ENVELOPE)
KEYED = {
    "key": HeaderKey(),
    "rows": {"POST /v1/payments/search": OperationRow(takes_key=True)},
}
GIVEN = {
    "reference": "INV-1",
    "options": {"size": 3},
    "unknown": [1, {"kept": None}],
}


def serving(page, *failures):
    """Serves pages of three, in the way of `page`, after these: a failure, or None for a page."""

    def answer(request):
        made = page(json.loads(request.content) if request.content else request.url.params)
        return made if isinstance(made, httpx.Response) else httpx.Response(200, json=made)

    return Script(*(failure or answer for failure in failures), answer)


def asked_of(lists):
    """The bodies, or the queries."""
    return [
        json.loads(each.content) if each.content else each.url.query.decode()
        for each in lists.requests
    ]


def ids(items):
    return [item.id for item in items]


def payments():
    return operation("payments.list_payments")


def search():
    return operation("payments.search_payments")


def body(**fields):
    return till_api().models.PaymentSearch.from_dict(fields)


def read(mode, page, style, **arguments):
    """The items of a list of payments whose pages are made by `page`."""
    return Caller(mode, serving(page)).read(payments(), style, **arguments)


def by_cursor(params):
    end = int(params.get("cursor", "0")) + 3
    cursor = str(end) if end < len(ITEMS) else None
    return {**by_offset({"offset": end - 3}), "meta": {"nextCursor": cursor}}


def by_cursor_of_a_body(given):
    # As Plaid does: the last page has a cursor, too, for the time when there are more.
    end = int(given.get("cursor", "0")) + 3
    return {**by_offset({"offset": end - 3}), "next_cursor": str(end), "has_more": end < len(ITEMS)}


def after_the_last(params):
    known = [item["id"] for item in ITEMS]
    start = known.index(params["starting_after"]) + 1 if "starting_after" in params else 0
    return {**by_offset({"offset": start}), "has_more": start + 3 < len(ITEMS)}


def by_offset(given):
    start = int(given.get("offset") or given.get("options", {}).get("offset", "0"))
    return {"data": ITEMS[start : start + 3]}


def by_number(given):
    return by_offset({"offset": (int(given.get("page", "1")) - 1) * 3})


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
    "a cursor in the body": (
        by_cursor,
        CursorPages("cursor", next="meta.next_cursor", **ENVELOPE),
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
        LinkedPages(
            "_links.next.href",
            items="_embedded.payments",
            undeclared=("_links.next.href", "_embedded.payments"),
        ),
        ["limit=3", "at=3", "at=6"],
    ),
    "a cursor of a POST": (
        by_cursor_of_a_body,
        BY_CURSOR,
        [GIVEN, GIVEN | {"cursor": "3"}, GIVEN | {"cursor": "6"}],
    ),
    "an offset in an object of a POST": (
        by_offset,
        BY_OFFSET,
        [GIVEN, *(GIVEN | {"options": {"size": 3, "offset": offset}} for offset in (3, 6, 7))],
    ),
}


@pytest.mark.parametrize("way", WAYS)
class TestEachWay:
    """What changes from page to page is one parameter, or one field of the body, and nothing
    else.
    """

    def read(self, mode, way, lists):
        if not way.endswith("POST"):
            return Caller(mode, lists).read(payments(), WAYS[way][1], limit=3)
        first = body(**GIVEN)
        items = Caller(mode, lists, **KEYED).read(search(), WAYS[way][1], body=first)
        assert first == body(**GIVEN), "the caller's body was changed"
        return items

    def test_all_items_are_yielded_once(self, mode, way):
        lists = serving(WAYS[way][0])
        items = self.read(mode, way, lists)
        assert [item["id"] if isinstance(item, dict) else item.id for item in items] == [
            each["id"] for each in ITEMS
        ]
        assert asked_of(lists) == WAYS[way][2]

    def test_a_page_that_is_repeated_for_ever_ends_in_an_error(self, mode, way):
        first = WAYS[way][0](httpx.QueryParams())
        lists = serving(lambda _given: first)
        with pytest.raises(PaginationError, match=r"(list|search)_payments does not end") as raised:
            self.read(mode, way, lists)
        assert raised.value.outcome is Outcome.ACCEPTED
        # A page that names itself is noticed at once.
        names_no_page = "an offset" in way or "a page number" in way
        assert len(asked_of(lists)) == 1 + (STALE_PAGES if names_no_page else 1)


def test_the_places_of_a_cursor_and_its_items_may_be_given_as_functions(mode):
    style = CursorPages(
        "starting_after", last=lambda item: item.id, more=lambda page: page.has_more,
        items=lambda page: page.data, id=lambda item: item.id,
    )  # fmt: skip
    assert len(read(mode, after_the_last, style)) == len(ITEMS)


def test_pages_without_items_do_not_go_on_for_ever(mode):
    count = iter(range(10_000))
    lists = serving(lambda _params: {"data": [], "next_cursor": str(next(count))})
    with pytest.raises(PaginationError, match="empty"):
        Caller(mode, lists).read(payments(), CursorPages(**ENVELOPE))
    assert len(asked_of(lists)) == STALE_PAGES


def test_a_last_item_without_a_cursor_is_no_end(mode):
    with pytest.raises(UnreadableResponse, match="its last item has nothing at 'id'"):
        read(mode, lambda _: {"data": [{"amount": 1}], "has_more": True}, BY_LAST_ITEM)


def test_the_other_parameters_stay_as_they_are_written(mode):
    def two_pages(params):
        return {"data": ITEMS[:1], "meta": {"nextCursor": None if "cursor" in params else "a&b"}}

    lists, style = serving(two_pages), CursorPages("cursor", next="meta.next_cursor", **ENVELOPE)
    Caller(mode, lists).read(payments(), style, starting_after="c,d e")
    first, second = asked_of(lists)
    assert second == f"{first}&cursor=a%26b"


@pytest.mark.parametrize("wrong", [None, "list_payments", len, CursorPages])
def test_paged_refuses_an_argument_that_is_no_operation_or_no_paging_style(wrong):
    with connect(client_class(), base_url=URL) as client:
        with pytest.raises(ConfigurationError, match="pass the module"):
            client.paged(wrong, CursorPages())
        with pytest.raises(ConfigurationError, match="how pages follow"):
            client.paged(payments(), wrong)


def search_of(mode, lists, style, first, **options):
    """The items of a list that is read by a POST, from this body on."""
    return Caller(mode, lists, **options).read(search(), style, body=first)


class TestPost:
    def test_the_object_of_the_body_that_holds_the_offset_is_made_if_it_is_missing(self, mode):
        lists = serving(by_offset)
        search_of(mode, lists, BY_OFFSET, body())
        assert asked_of(lists) == [{}, *({"options": {"offset": offset}} for offset in (3, 6, 7))]

    def test_a_page_that_was_lost_is_read_again_only_with_a_key(self, mode):
        lost = (by_cursor_of_a_body, None, httpx.Response(503))
        lists = serving(*lost)
        with pytest.raises(ServerError) as raised:
            search_of(mode, lists, BY_CURSOR, body())
        assert (raised.value.outcome, len(lists.requests)) == (Outcome.UNKNOWN, 2)

        lists = serving(*lost)
        read = search_of(mode, lists, BY_CURSOR, body(), **KEYED)
        first, second, again, third = (each.headers["idempotency-key"] for each in lists.requests)
        assert (ids(read), second) == (IDS, again)
        assert len({first, second, third}) == 3, "with one key, the second page would be the first"

    @pytest.mark.parametrize("wrong", [None, ["text"]])
    def test_a_body_without_fields_is_refused(self, mode, wrong):
        with pytest.raises(ConfigurationError, match="sets the field 'cursor' of the body"):
            search_of(mode, serving(by_cursor_of_a_body), BY_CURSOR, wrong)

    def test_items_of_another_class_than_the_named_one_are_refused(self, mode):
        lists, models = serving(by_cursor_of_a_body), till_api().models
        read = search_of(mode, lists, BY_CURSOR.of(models.Payment), body())
        assert len(read) == len(ITEMS)
        with pytest.raises(UnreadableResponse, match="an item of the class Payment, not Problem"):
            search_of(mode, lists, BY_CURSOR.of(models.Problem), body())
