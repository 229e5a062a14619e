"""Victor as a function: its list may change between two pages, and what it says may be odd."""

import json
from datetime import UTC, datetime, timedelta

import httpx

from tests.providers.running import scripted
from tests.providers.systems import ARGUMENTS, refusal
from victor_ext import Victor, zulu
from victor_ext.reconciliation import reconcile

START = datetime(2026, 3, 4, tzinfo=UTC)
WINDOW = {"start": START, "end": START + timedelta(days=1)}
NOON, LONG_BEFORE = "2026-03-04T12:00:00Z", "2026-02-04T12:00:00Z"
SIZE = 2


def request(id, reference, *, amount="44.23", **more):
    return {
        "victor_payment_request_id": id,
        "client_reference_id": reference,
        "direction": "outbound",
        "status": "pending",
        "created_at": NOON,
        "payment_request": {"payment_details": {"amount": amount}},
        **more,
    }


class Provider:
    """Requests, in pages of two. `happen` may change them: it is told each page of the window's
    list before that is read.
    """

    def __init__(self, items, happen=lambda _provider, _page: None):
        self.items, self.happen = items, happen

    def __call__(self, call):
        query = call.url.params

        if "page" not in query:
            return self._one(call.url.path.rpartition("/")[2])
        page = int(query["page"])
        if "victor_id" in query:
            found = self._named(query["victor_id"])
        else:
            self.happen(self, page)
            found = self._within(query["start_datetime"], query["end_datetime"])
        content = json.dumps({"results": found[SIZE * page : SIZE * (page + 1)]})
        return httpx.Response(200, content=content.encode())

    def _one(self, id):
        """By one reading of the document, its status is always "Pending"."""
        for item in self.items:
            if item["victor_payment_request_id"] == id:
                return httpx.Response(200, json={**item, "status": "Pending"})
        return refusal("victor", 404)

    def _named(self, id):
        """The filter by an id does not look at the case of letters."""
        name = id.casefold()
        return [
            item for item in self.items if str(item["victor_payment_request_id"]).casefold() == name
        ]

    def _within(self, start, end):
        """The filter by time excludes both of its ends."""
        first, last = zulu.parse(start), zulu.parse(end)
        return [item for item in self.items if first < zulu.parse(item["created_at"]) < last]

    def compare(self, *ours, **options):
        """The report on our rows, of 44.23 each unless they say another amount."""
        rows = [{"amount": "44.23", **row} for row in ours]
        client, _ = scripted(Victor, ARGUMENTS["victor"], self)
        with client:
            return reconcile(client, rows, **{**WINDOW, **options}, page_size=SIZE)
