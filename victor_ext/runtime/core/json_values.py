"""JSON that a provider sent, of which nothing is known until it has been looked at."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, TypeGuard

import httpx

_MEMBER = re.compile(r'[\s,]*"((?:[^"\\]|\\.)*)"\s*:\s*')
_DECODER = json.JSONDecoder(parse_int=lambda digits: int(digits) if len(digits) < 1000 else 0, strict=False)

NOT_JSON: Any = object()
"""What `json_of` returns for a body that is not JSON, since None is JSON's null."""


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def object_or_empty(value: object) -> dict[str, Any]:
    return value if is_object(value) else {}


def list_or_empty(value: object) -> list[Any]:
    return value if is_list(value) else []


def text_or_empty(value: object) -> str:
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
    """Why the body of a response is not a JSON object, for a message; None when it is one."""
    if not response.content:
        return "its body is empty"
    body = json_of(response)
    if body is NOT_JSON:
        return "its body is not JSON"
    return None if is_object(body) else "its body is JSON, but no object"


def readable_members(content: bytes) -> dict[str, Any]:
    """The members of a JSON object, or of the beginning of one. Of a text that is cut, its beginning is the value."""
    text = content.decode(json.detect_encoding(content), "replace").lstrip()
    members = dict[str, Any]()
    place = 1 if text.startswith("{") else len(text)
    while named := _MEMBER.match(text, place):
        try:
            value, place = _DECODER.raw_decode(text, named.end())
        except (ValueError, RecursionError):
            rest, place = text[named.end() :], len(text)
            value = rest[1:] if rest.startswith('"') else {"{": dict[str, Any](), "[": list[Any]()}.get(rest[:1])
        members[named[1]] = value
    return members
