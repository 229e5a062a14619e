"""JSON that a provider sent, of which nothing is known until it has been looked at."""

from __future__ import annotations

import json
from typing import Any, TypeGuard

import httpx

NOT_JSON: Any = object()
"""What `json_of` returns for a body that is not JSON, since None is JSON's null."""


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether it is a JSON object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether it is a JSON array."""
    return isinstance(value, list)


def object_or_empty(value: object) -> dict[str, Any]:
    """The value if it is a JSON object, else an empty one."""
    return value if is_object(value) else {}


def list_or_empty(value: object) -> list[Any]:
    """The value if it is a JSON array, else an empty one."""
    return value if is_list(value) else []


def text_or_empty(value: object) -> str:
    """The value if it is text, else an empty text."""
    return value if isinstance(value, str) else ""


def json_of(message: httpx.Request | httpx.Response) -> Any:
    """The body of a request or a response as JSON; `NOT_JSON` when it cannot be read."""
    try:
        # A response of the attempt loop keeps what it has parsed, and several readers ask for it.
        return message.json() if isinstance(message, httpx.Response) else json.loads(message.content)
    except (ValueError, RecursionError, httpx.RequestNotRead):
        return NOT_JSON


def object_of(message: httpx.Request | httpx.Response) -> dict[str, Any]:
    """The body of a request or a response as a JSON object; an empty one when it is none."""
    return object_or_empty(json_of(message))


def no_object_reason(response: httpx.Response) -> str | None:
    """Why the body of a response is no JSON object, for a message; None when it is one."""
    if not response.content:
        return "its body is empty"
    body = json_of(response)
    if body is NOT_JSON:
        return "its body is not JSON"
    return None if is_object(body) else "its body is JSON, but no object"
