"""Bodies as Velo has them: errors and pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from victor_ext.sandbox.server import json_answer

if TYPE_CHECKING:
    from victor_ext.sandbox.server import Answer
    from victor_ext.sandbox.server.jsontypes import JsonObject, JsonValue

NewId = Callable[[], str]

CODES = {
    "credentials": "10010001",
    "token": "10010002",
    "forbidden": "10010003",
    "missing": "20010004",
    "state": "20010009",
    "body": "20010000",
}
"""Numbers as text, as Velo's are. Which ones Velo uses is not known: these are this sandbox's own."""


class Refused(Exception):
    """A call that is answered with an error."""

    def __init__(self, status: int, code: str, message: str, location: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.location = status, code, message, location


def error_body(status: int, code: str, message: str, new_id: NewId, location: str | None = None) -> Answer:
    """Velo's one shape of an error."""
    error: JsonObject = {
        "errorMessage": message,
        "errorCode": CODES.get(code, "20019999"),
        "localisationDetails": {"template": message, "parameters": {}},
    }
    if location is not None:
        error["location"] = location
    return json_answer(status, {"errors": [error], "correlationId": new_id(), "httpStatusCode": status})


def page_of(items: list[JsonObject], query: dict[str, str], *, usual: int = 25, most: int = 100) -> JsonObject:
    """One page of a list, as the query asks for it."""
    number, size = _whole(query, "page", 1, None), _whole(query, "pageSize", usual, most)
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


def _whole(query: dict[str, str], name: str, usual: int, most: int | None) -> int:
    text = query.get(name)
    if text is None:
        return usual
    if not text.isascii() or not text.isdigit() or int(text) < 1 or (most is not None and int(text) > most):
        raise Refused(400, "body", f"{name} must be 1 to {most or 'any number'}.", name)
    return int(text)


def iso(moment: float) -> str:
    """A moment as Velo writes it."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment_of(text: str | None, name: str) -> float:
    """The moment in a query."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Refused(400, "body", f"{name} must be a moment such as 2026-03-04T09:00:00+00:00.", name)
    return found.timestamp()


def matches(item: JsonObject, query: dict[str, str], filters: dict[str, str]) -> bool:
    """Whether an item passes the filters of a query; `filters` tells which member each one is about."""
    return all(name not in query or str(item.get(member)) == query[name] for name, member in filters.items())


def an_object(value: JsonValue) -> JsonObject:
    """A JSON object, or 400."""
    if not isinstance(value, dict):
        raise Refused(400, "body", "The body must be a JSON object.")
    found: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType] - JSON may be anything
    return found


def text_of(body: JsonObject, name: str, shortest: int, longest: int, *, where: str = "") -> str:
    """A text that must be there, of so many characters, or 400."""
    value = body.get(name)
    if not isinstance(value, str) or not shortest <= len(value) <= longest:
        raise Refused(400, "body", f"{name} must be {shortest} to {longest} characters.", f"{where}{name}")
    return value


def whole_of(body: JsonObject, name: str, most: int, *, where: str = "") -> int:
    """A whole number from 1 on, or 400."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise Refused(400, "body", f"{name} must be a whole number of minor units, 1 to {most}.", f"{where}{name}")
    return value
