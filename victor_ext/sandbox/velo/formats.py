"""Velo's formats: errors, pages, times, and the checks of what a request carries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import cast

from victor_ext.sandbox.server import JsonObject, JsonValue, Response, json_response

MAX_ITEMS = 2000
CODES = {
    "credentials": "10010001",
    "token": "10010002",
    "forbidden": "10010003",
    "missing": "20010004",
    "state": "20010009",
    "body": "20010000",
}
"""The sandbox's own choice: Velo does not publish its numbers."""


class Refused(Exception):
    """A call is answered with this error."""

    def __init__(self, status: int, code: str, message: str, location: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.location = status, code, message, location


def error_body(
    status: int, code: str, message: str, new_id: Callable[[], str], location: str | None = None
) -> Response:
    """Velo's format of an error."""
    error: JsonObject = {
        "errorMessage": message,
        "errorCode": CODES.get(code, "20019999"),
        "localisationDetails": {"template": message, "parameters": {}},
    }
    if location is not None:
        error["location"] = location
    return json_response(status, {"errors": [error], "correlationId": new_id(), "httpStatusCode": status})


def page_of(items: list[JsonObject], query: dict[str, str], *, default: int = 25, largest: int = 100) -> JsonObject:
    """The page of a list that a query asks for."""
    number, size = _whole(query, "page", 1, None), _whole(query, "pageSize", default, largest)
    first = (number - 1) * size
    content = items[first : first + size]
    pages = -(-len(items) // size)
    return {
        "page": {
            "numberOfElements": len(content),
            "totalElements": len(items),
            "totalPages": pages,
            "page": number,
            "pageSize": size,
        },
        "links": [{"rel": "self", "href": f"?page={number}&pageSize={size}"}],
        "content": content,
    }


def _whole(query: dict[str, str], name: str, default: int, largest: int | None) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < 1 or (largest is not None and int(text) > largest):
        raise Refused(400, "body", f"{name} must be 1 to {largest or 'any number'}.", name)
    return int(text)


def iso(moment: float) -> str:
    """A time in Velo's format."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment_of(text: str | None, name: str) -> float:
    """The time in a query, as epoch seconds."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Refused(400, "body", f"{name} must be a moment such as 2026-03-04T09:00:00+00:00.", name)
    return moment.timestamp()


def matches(item: JsonObject, query: dict[str, str], filters: dict[str, str]) -> bool:
    """Whether an item passes the filters of a query; `filters` names the member that each one compares."""
    return all(name not in query or str(item.get(member)) == query[name] for name, member in filters.items())


def in_order(items: list[JsonObject], sort: str | None, default: str) -> list[JsonObject]:
    """Items sorted by `field:asc,other:desc`. Items without a field come last."""
    for part in reversed((sort or default).split(",")):
        name, _, direction = part.partition(":")
        with_field = [item for item in items if item.get(name) is not None]
        without = [item for item in items if item.get(name) is None]
        try:
            items = [*sorted(with_field, key=lambda item: item[name], reverse=direction == "desc"), *without]
        except TypeError:
            raise Refused(400, "body", f"The items cannot be sorted by {name}.", "sort") from None
    return items


def object_of(value: JsonValue) -> JsonObject:
    """A JSON object; any other value is a 400."""
    if not isinstance(value, dict):
        raise Refused(400, "body", "The body must be a JSON object.")
    return cast("JsonObject", value)


def text_of(body: JsonObject, name: str, shortest: int, longest: int, *, where: str = "") -> str:
    """A required text of `shortest` to `longest` characters; anything else is a 400."""
    value = body.get(name)
    if not isinstance(value, str) or not shortest <= len(value) <= longest:
        raise Refused(400, "body", f"{name} must be {shortest} to {longest} characters.", f"{where}{name}")
    return value


def amount_of(body: JsonObject, name: str, largest: int, *, where: str = "") -> int:
    """A required amount of minor units, from 1 to `largest`; anything else is a 400."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= largest:
        raise Refused(400, "body", f"{name} must be a whole number of minor units, 1 to {largest}.", f"{where}{name}")
    return value


def list_of(body: JsonObject, name: str) -> list[JsonObject]:
    """A required list of 1 to 2000 objects; anything else is a 400."""
    value = body.get(name)
    items: list[JsonValue] = value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType] - JSON
    if not 1 <= len(items) <= MAX_ITEMS:
        raise Refused(400, "body", f"{name} must be 1 to {MAX_ITEMS}.", name)
    return [object_of(item) for item in items]
