"""`paged`: lists that are read by POST, with the value of each page in the request's body."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.providers.connected.till import Caller, operation, till_api
from victor_ext import (
    ConfigurationError,
    CursorPages,
    HeaderKey,
    NumberedPages,
    OffsetPages,
    Outcome,
    PaginationError,
    ServerError,
    UnreadableResponse,
)

pytestmark = pytest.mark.slow
ITEMS = [{"id": f"pay_{number}", "amount": number} for number in range(5)]
BY_CURSOR = CursorPages("cursor", in_body=True, more="has_more", items="data", id="id")
Body = dict[str, Any]


class Search:
    """Serves pages of two by the request's body, and keeps the requests. `failures` come first."""

    def __init__(self, page: Callable[[Body], Any], *failures: httpx.Response | Exception | None) -> None:
        self.page = page
        self.failures = list(failures)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        failure = self.failures.pop(0) if self.failures else None
        if isinstance(failure, Exception):
            raise failure
        return failure or httpx.Response(200, json=self.page(json.loads(request.content)))

    @property
    def asked(self) -> list[Body]:
        return [json.loads(request.content) for request in self.requests]


def by_cursor(body: Body) -> Any:
    start = int(body.get("cursor", "0"))
    # As Plaid does: the last page has a cursor, too, for the time when there are more.
    return {"data": ITEMS[start : start + 2], "next_cursor": str(start + 2), "has_more": start + 2 < len(ITEMS)}


def by_offset(body: Body) -> Any:
    start = body.get("options", {}).get("offset", 0)
    return {"data": ITEMS[start : start + 2]}


def by_number(body: Body) -> Any:
    start = (body.get("page", 1) - 1) * 2
    return {"data": ITEMS[start : start + 2]}


def search() -> Any:
    return operation("payments.search_payments")


def body(**fields: Any) -> Any:
    till_api()
    return importlib.import_module("till_api.models").PaymentSearch.from_dict(fields)


WAYS: dict[str, tuple[Callable[[Body], Any], Any, list[Body]]] = {
    "a cursor": (by_cursor, BY_CURSOR, [{}, {"cursor": "2"}, {"cursor": "4"}]),
    "an offset in an object": (
        by_offset,
        OffsetPages("options.offset", in_body=True, items="data"),
        [{"options": options} for options in ({}, {"offset": 2}, {"offset": 4}, {"offset": 5})],
    ),
    "a page number": (
        by_number, NumberedPages("page", in_body=True, items="data"), [{}, {"page": 2}, {"page": 3}, {"page": 4}],
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
class TestEachWay:
    def test_the_body_of_each_page_differs_in_the_field_alone(self, mode: str, way: str) -> None:
        page, style, changes = WAYS[way]
        server = Search(page)
        given = {"reference": "INV-1", "options": {"size": 2}, "unknown": [1, {"kept": None}]}
        first = body(**given)
        result = Caller(mode, server).read(search(), style, body=first)
        assert [item.id for item in result] == [item["id"] for item in ITEMS]
        assert server.asked == [
            {**given, **change, "options": {"size": 2, **change.get("options", {})}} for change in changes
        ]
        assert first == body(**given), "the caller's body was changed"

    def test_a_page_that_is_repeated_for_ever_ends_in_an_error(self, mode: str, way: str) -> None:
        page, style, _ = WAYS[way]
        server = Search(lambda _body: page({}))
        with pytest.raises(PaginationError, match="search_payments does not end"):
            Caller(mode, server).read(search(), style, body=body())
        # A cursor that names itself is noticed at once; a page that ignores the number only when it brings nothing new.
        assert len(server.requests) == (2 if way == "a cursor" else 7)


def test_the_object_above_the_field_is_made(mode: str) -> None:
    page, style, changes = WAYS["an offset in an object"]
    server = Search(page)
    Caller(mode, server).read(search(), style, body=body())
    assert server.asked == [{}, *changes[1:]]


def test_the_first_page_is_that_of_the_body(mode: str) -> None:
    server = Search(by_cursor)
    result = Caller(mode, server).read(search(), BY_CURSOR, body=body(cursor="2"))
    assert [item.id for item in result] == ["pay_2", "pay_3", "pay_4"]
    server = Search(by_offset)
    style = OffsetPages("options.offset", in_body=True, items="data")
    Caller(mode, server).read(search(), style, body=body(options={"offset": 1}))
    assert [asked["options"]["offset"] for asked in server.asked] == [1, 3, 5]


def test_whole_pages_can_be_read(mode: str) -> None:
    style = CursorPages("cursor", in_body=True, more="has_more", items=lambda page: [page])
    pages = Caller(mode, Search(by_cursor)).read(search(), style, body=body())
    assert [(len(page.data), page.next_cursor) for page in pages] == [(2, "2"), (2, "4"), (1, "6")]


@pytest.mark.parametrize(
    "failure", [httpx.ConnectError("refused"), httpx.Response(429)], ids=["no connection", "status 429"]
)
def test_a_page_that_the_provider_did_not_begin_is_read_again(mode: str, failure: Any) -> None:
    server = Search(by_cursor, None, failure)
    assert len(Caller(mode, server).read(search(), BY_CURSOR, body=body())) == len(ITEMS)
    assert [asked.get("cursor") for asked in server.asked] == [None, "2", "2", "4"]


def test_a_page_that_was_lost_is_read_again_only_with_a_key(mode: str) -> None:
    server = Search(by_cursor, None, httpx.Response(503))
    with pytest.raises(ServerError) as raised:
        Caller(mode, server).read(search(), BY_CURSOR, body=body())
    assert (raised.value.outcome, raised.value.attempts, len(server.requests)) == (Outcome.UNKNOWN, 1, 2)

    server = Search(by_cursor, None, httpx.Response(503))
    key = HeaderKey(takes_key=lambda request: request.url.path.endswith("/search"))
    assert len(Caller(mode, server, key=key).read(search(), BY_CURSOR, body=body())) == len(ITEMS)
    first, second, again, third = (request.headers["idempotency-key"] for request in server.requests)
    assert second == again and len({first, second, third}) == 3, "a key for two pages: the second would be the first"


@pytest.mark.parametrize("wrong", [None, ["text"]])
def test_a_body_without_fields_is_refused(mode: str, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="sets the field 'cursor' of the body"):
        Caller(mode).read(search(), BY_CURSOR, body=wrong)


def test_items_of_another_class_are_told(mode: str) -> None:
    till_api()
    models = importlib.import_module("till_api.models")
    assert len(Caller(mode, Search(by_cursor)).read(search(), BY_CURSOR.of(models.Payment), body=body())) == len(ITEMS)
    with pytest.raises(UnreadableResponse, match="an item of the class Payment, not Problem"):
        Caller(mode, Search(by_cursor)).read(search(), BY_CURSOR.of(models.Problem), body=body())
