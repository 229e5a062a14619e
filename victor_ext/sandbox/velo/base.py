"""What all parts of Velo's sandbox stand on: the options, ids and the time, requests, and the
formats.
"""

import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import ge, le
from typing import Any

from victor_ext.sandbox.engine import Timeline, in_order, page_of, passes
from victor_ext.sandbox.server import (
    Clock,
    JsonObject,
    JsonValue,
    Response,
    json_response,
    option,
)
from victor_ext.sandbox.server.notifying import NotifyingSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class VeloSettings(NotifyingSettings):
    """The options of every sandbox, and those of this one.

    All times are seconds of the business clock.
    """

    validation: float = option(
        0.0, at_least=0, help="seconds until a submitted payout is accepted or rejected"
    )
    settlement: float = option(
        30.0, at_least=0, help="seconds until an instructed payout is completed"
    )
    notify_authorization: str | None = option(
        None,
        help="the Authorization header of what is posted to --notify; without it a new one is made",
    )


def _to_nobody(_notification: JsonObject, _webhook_id: str | None) -> None: ...


class Base:
    """The settings, the business clock, new ids, the only payor, and the notifications so far."""

    def __init__(self, clock: Clock, settings: VeloSettings) -> None:
        self.settings = settings
        self.now = clock.now
        self._random = random.Random(settings.seed)  # noqa: S311 (ids, no secrets)
        self.payor_id = self.new_id()
        self.timeline: Timeline[Callable[[], bool]] = Timeline(lambda move, _: move())
        """What happens by itself: each move says whether there was something to move."""
        self.changed: dict[str, float] = {}
        """When each payee, funding and payment last changed, by its id."""
        self.notifications: list[JsonObject] = []
        self.post: Callable[[JsonObject, str | None], None] = _to_nobody
        """Posts a notification: to the webhook of an id, or where it is wanted (None)."""
        self.watch: Callable[[], None] = lambda: None
        """Lets time alone move payouts from now on."""

    def new_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def touch(self, changed_id: str) -> None:
        self.changed[changed_id] = self.now()

    def timestamp(self) -> str:
        return iso(self.now())

    def notify(
        self, category: str, event: str, source: JsonObject, webhook_id: str | None = None
    ) -> str:
        """Add a notification, for one webhook alone if an id is given, and post it; returns the id
        of its event.
        """
        event_id = self.new_id()
        notification: JsonObject = {
            "apiVersion": "1",
            "sequenceNumber": len(self.notifications) + 1,
            "category": category,
            "eventName": event,
            "source": {"eventId": event_id, "createdAt": self.timestamp(), **source},
        }
        self.notifications.append(notification)
        self.post(notification, webhook_id)
        return event_id


@dataclass
class Refused(Exception):
    """A call is answered with this error."""

    status: int
    message: str
    location: str | None = None

    def response(self, correlation_id: str) -> Response:
        """Velo's format of an error.

        The number is the sandbox's own choice: Velo does not publish its numbers.
        """
        error: JsonObject = {"errorMessage": self.message, "errorCode": f"2001{self.status:04}"}
        if self.location is not None:
            error["location"] = self.location
        body = {"errors": [error], "correlationId": correlation_id, "httpStatusCode": self.status}
        return json_response(self.status, body)


def iso(moment: float) -> str:
    return (
        datetime.fromtimestamp(moment, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


@dataclass(frozen=True)
class Asked:
    """A request that Velo's document allows."""

    operation: str
    about: str
    """The id in its path; empty where the path has none."""
    query: JsonObject
    """The declared parameters."""
    body: JsonObject
    """The declared members, without those that are null: they count as not sent."""


_NO_FILTERS = {
    "payorId",
    "page",
    "pageSize",
    "sort",
    "sensitive",
    "updatedSince",
    "includeUserDeleted",
}
_MEMBERS = {"submittedDate": "submittedDateTime"}
"""The member that a range of two filters is about, where it has another name than the filters."""
_ORDERS = {
    "list_payees": "displayName:asc",
    "list_sources": "fundingRef:asc",
    "list_banks": "accountName:asc",
    "list_payments": "submittedDateTime:desc,paymentId:asc",
    "payout_history": "remoteId:asc",
}
"""The order of a list whose query asks for none: the first three by Velo's document.

Others: by creation.
"""


def listed(asked: Asked, items: Sequence[JsonObject], *, default: int = 25) -> JsonObject:
    """The page of a list that is asked for: filtered, sorted and cut."""
    query = asked.query
    filters = {name: query[name] for name in query.keys() - _NO_FILTERS}
    tests = {name: _test_of_range(name) for name in filters if name.endswith(("From", "To"))}
    tests["payoutMemo"] = ("payoutMemo", _has_text)
    passing = [item for item in items if passes(item, filters, tests)]
    order = query.get("sort", _ORDERS.get(asked.operation, ""))
    try:
        in_turn = in_order(passing, order)
    except TypeError:
        raise Refused(400, f"The items cannot be sorted by {order}.", "sort") from None
    page = page_of(in_turn, query.get("page", 1), query.get("pageSize", default))
    return {
        "page": {
            "numberOfElements": len(page.items),
            "totalElements": page.total,
            "totalPages": page.pages,
            "page": page.number,
            "pageSize": page.size,
        },
        "links": [{"rel": "self", "href": f"?page={page.number}&pageSize={page.size}"}],
        "content": page.items,
    }


def _test_of_range(name: str) -> tuple[str, Callable[[Any, Any], bool]]:
    """What a filter that ends a range compares, and how: days by their dates."""
    range_ = name.removesuffix("From").removesuffix("To")
    compare = ge if name.endswith("From") else le
    return _MEMBERS.get(range_, range_), lambda value, wanted: compare(_day_of(value), wanted)


def _day_of(value: JsonValue) -> JsonValue:
    return value[:10] if isinstance(value, str) else value


def _has_text(value: str, wanted: str) -> bool:
    return wanted.casefold() in value.casefold()


def sent(value: JsonValue) -> JsonValue:
    """A JSON value without the members that are null."""
    if isinstance(value, dict):
        return {name: sent(member) for name, member in value.items() if member is not None}  # pyright: ignore[reportUnknownVariableType] - JSON
    return [sent(item) for item in value] if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType] - JSON
