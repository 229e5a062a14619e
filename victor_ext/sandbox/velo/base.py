"""What all parts of Velo's sandbox stand on: the options, ids and the time, the formats, and the checks of requests."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import ge, le
from typing import cast

from victor_ext.sandbox.server import Clock, JsonObject, JsonValue, Response, ServerSettings, json_response, option

MAX_ITEMS = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class VeloSettings(ServerSettings):
    """The options of every sandbox, and those of this one. All times are seconds of the business clock."""

    token_life: int = option(1799, at_least=0, metavar="SECONDS", help="life of a token, in seconds")
    validation: float = option(0.0, at_least=0, help="seconds until a submitted payout is accepted or rejected")
    settlement: float = option(30.0, at_least=0, help="seconds until an instructed payout is completed")
    batch_time: float = option(0.0, at_least=0, help="seconds until a batch of new payees is processed")
    retry_after: int = option(
        2, at_least=0, help="seconds until a new funding account can be read, and the value of Retry-After"
    )


class Base:
    """The settings, the business clock, new ids, the only payor, and the notifications so far."""

    def __init__(self, clock: Clock, settings: VeloSettings, payor_id: str | None) -> None:
        self.settings = settings
        self.now = clock.now
        self._random = random.Random(settings.seed)  # noqa: S311 (ids, no secrets)
        made = self.new_id()
        self.payor_id = payor_id or made
        self.changed: dict[str, float] = {}
        """When each payee, funding and payment last changed, by its id."""
        self.notifications: list[JsonObject] = []

    def new_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def touch(self, changed_id: str) -> None:
        self.changed[changed_id] = self.now()

    def timestamp(self) -> str:
        return iso(self.now())

    def notify(self, category: str, event: str, source: JsonObject) -> str:
        """Add a notification; returns the id of its event."""
        event_id = self.new_id()
        notification: JsonObject = {
            "apiVersion": "1",
            "sequenceNumber": len(self.notifications) + 1,
            "category": category,
            "eventName": event,
            "source": {"eventId": event_id, "createdAt": self.timestamp(), **source},
        }
        self.notifications.append(notification)
        return event_id


class Refused(Exception):
    """A call is answered with this error."""

    def __init__(self, status: int, message: str, location: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.location = status, message, location

    def response(self, correlation_id: str) -> Response:
        """Velo's format of an error. The number is the sandbox's own choice: Velo does not publish its numbers."""
        error: JsonObject = {"errorMessage": self.message, "errorCode": f"2001{self.status:04}"}
        if self.location is not None:
            error["location"] = self.location
        body = {"errors": [error], "correlationId": correlation_id, "httpStatusCode": self.status}
        return json_response(self.status, body)


def iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_FILTERS = frozenset({
    "watchlistStatus", "disabled", "onboardedStatus", "email", "displayName", "remoteId", "payeeType", "payeeCountry",
    "ofacStatus", "payeeId", "invitationStatus", "physicalAccountName", "physicalAccountId", "fundingAccountId", "type",
    "name", "country", "currency", "status", "payorPaymentId", "sourceAccountName", "transmissionType", "paymentMemo",
    "sourceCurrency", "paymentCurrency", "payorName", "railsId", "remoteSystemId", "postInstructFxStatus", "payoutMemo",
    "fromPayorName", "sourceAmountFrom", "sourceAmountTo", "paymentAmountFrom", "paymentAmountTo", "submittedDateFrom",
    "submittedDateTo", "scheduledForDateFrom", "scheduledForDateTo", "scheduleStatus",
})  # fmt: skip
"""The filters of all lists, by Velo's document. Other parameters change nothing."""
_MEMBERS = {"payeeCountry": "country", "submittedDate": "submittedDateTime"}
"""The member that a filter, or a range of two, compares; those of all others have the filter's name. An item
without the member does not pass."""
_ORDERS = {
    "list_payees": "displayName:asc",
    "list_sources": "fundingRef:asc",
    "list_banks": "accountName:asc",
    "list_payments": "submittedDateTime:desc,paymentId:asc",
    "payout_history": "remoteId:asc",
}
"""The order of a list whose query asks for none: the first three by Velo's document. Others: by creation."""


def page_of(
    operation: str, items: list[JsonObject], query: dict[str, str], *, default: int = 25, largest: int = 100
) -> JsonObject:
    """The page of a list that a query asks for: filtered, sorted and cut."""
    items = [item for item in items if all(_passes(item, name, query[name]) for name in query.keys() & _FILTERS)]
    items = _in_order(items, query.get("sort", _ORDERS.get(operation)))
    number, size = _whole(query, "page", 1, 10**9), _whole(query, "pageSize", default, largest)
    content = items[(number - 1) * size : number * size]
    return {
        "page": {
            "numberOfElements": len(content), "totalElements": len(items), "totalPages": -(-len(items) // size),
            "page": number, "pageSize": size,
        },
        "links": [{"rel": "self", "href": f"?page={number}&pageSize={size}"}], "content": content,
    }  # fmt: skip


def _passes(item: JsonObject, name: str, wanted: str) -> bool:
    range_ = name.removesuffix("From").removesuffix("To")
    value = item.get(_MEMBERS.get(range_, range_))
    if name == "remoteId" and "payorRefs" in item:
        value = item["payorRefs"][0]["remoteId"]
    if value is None:
        return False
    if name == "payoutMemo":
        return wanted.casefold() in value.casefold()
    if range_ == name:
        return wanted == (str(value).lower() if isinstance(value, bool) else str(value))
    compare = ge if name.endswith("From") else le
    is_date = isinstance(value, str)
    return bool(compare(value[:10], wanted) if is_date else compare(value, int(wanted)))


def _in_order(items: list[JsonObject], sort: str | None) -> list[JsonObject]:
    for part in reversed(sort.split(",") if sort else []):
        name, _, direction = part.partition(":")
        try:
            items = sorted(
                items, key=lambda item: (item.get(name) is not None, item.get(name)), reverse=direction == "desc"
            )
        except TypeError:
            raise Refused(400, f"The items cannot be sorted by {name}.", "sort") from None
    return items


def _whole(query: dict[str, str], name: str, default: int, largest: int) -> int:
    number = int(query.get(name, default))
    if not 1 <= number <= largest:
        raise Refused(400, f"{name} must be 1 to {largest}.", name)
    return number


def object_of(value: JsonValue) -> JsonObject:
    """A JSON object; any other value is a 400."""
    if not isinstance(value, dict):
        raise Refused(400, "The body must be a JSON object.")
    return cast("JsonObject", value)


def text_of(body: JsonObject, name: str, shortest: int, longest: int, *, where: str = "") -> str:
    """A required text of `shortest` to `longest` characters; anything else is a 400."""
    value = body.get(name)
    if not isinstance(value, str) or not shortest <= len(value) <= longest:
        raise Refused(400, f"{name} must be {shortest} to {longest} characters.", f"{where}{name}")
    return value


def amount_of(body: JsonObject, name: str, largest: int, *, where: str = "") -> int:
    """A required amount of minor units, from 1 to `largest`; anything else is a 400."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= largest:
        raise Refused(400, f"{name} must be a whole number of minor units, 1 to {largest}.", f"{where}{name}")
    return value


def list_of(body: JsonObject, name: str) -> list[JsonObject]:
    """A required list of 1 to 2000 objects; anything else is a 400."""
    value = body.get(name)
    items: list[JsonValue] = value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType] - JSON
    if not 1 <= len(items) <= MAX_ITEMS:
        raise Refused(400, f"{name} must be 1 to {MAX_ITEMS}.", name)
    return [object_of(item) for item in items]
