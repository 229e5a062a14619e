"""One call: the operation that its request line asks for, where it carries its idempotency key, and
the response.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from victor_ext.sandbox.server._privacy import body_text

JsonValue: TypeAlias = Any
"""Any JSON value. Schemas describe its members, not annotations."""
JsonObject: TypeAlias = dict[str, Any]
"""A JSON object."""

CONTROL = "/_sandbox"
OTHER = "other"
"""The name of a call that is not an operation of the provider."""


JSON_TYPE = (b"content-type", b"application/json")
_WITHOUT_BODY = (204, 304)
"""Statuses without a body (RFC 9110, section 6.4.1)."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a provider's API."""

    name: str
    """What faults and the record of calls call it."""
    method: str
    path: str
    """Such as `/v3/payouts/{id}/quote`.

    A name in braces stands for one segment that is not empty.
    """


class OperationTable:
    """The operations of one provider. A path without braces goes before one with them."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.names = (*(operation.name for operation in operations), OTHER)
        in_order = sorted(operations, key=lambda operation: operation.path.count("{"))
        self._known = [(each.method, _pattern(each.path), each.name) for each in in_order]

    def find(self, method: str, path: str) -> tuple[str, dict[str, str]]:
        """The name of the operation and the values of the names in braces; `path` is decoded
        already.
        """
        for known, pattern, name in self._known:
            match = pattern.fullmatch(path) if known == method else None
            if match is not None:
                return name, match.groupdict()
        return OTHER, {}

    def methods(self, path: str) -> list[str]:
        """The methods that a path takes: of those that match, the one with the fewest braces."""
        matching = [
            (pattern.groups, method)
            for method, pattern, _ in self._known
            if pattern.fullmatch(path)
        ]
        return sorted({method for braces, method in matching if braces == matching[0][0]})


@dataclass(frozen=True)
class HeaderKey:
    """The key is the value of a header."""

    name: str

    def find(self, headers: dict[bytes, bytes], _body: bytes) -> str | None:
        key = headers.get(self.name.lower().encode("ascii"))
        return None if key is None else key.decode("latin-1")


@dataclass(frozen=True)
class BodyKey:
    """The key is a member of the JSON body."""

    member: str

    def find(self, _headers: dict[bytes, bytes], body: bytes) -> str | None:
        try:
            members = json.loads(body)
        except (ValueError, RecursionError):
            return None
        if not isinstance(members, dict):
            return None
        key = cast("JsonObject", members).get(self.member)
        return key if isinstance(key, str) and key else None


KeyLocation: TypeAlias = HeaderKey | BodyKey | None
"""None: the provider has no keys."""


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = (JSON_TYPE,)

    @property
    def content_type(self) -> str:
        return dict(self.headers).get(b"content-type", b"").decode("latin-1")

    def text(self) -> str:
        return body_text(self.body)

    @property
    def has_json(self) -> bool:
        """Whether there is a body, and its type is JSON."""
        media = self.content_type.partition(";")[0].strip().lower()
        return bool(self.body) and media.endswith("json")

    def wire(self, date: bytes, number: int) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """The headers and the body of this response to the call of this number (0: to none)."""
        headers = [(b"date", date), *self.headers]
        body = b""
        if self.status not in _WITHOUT_BODY:
            body = self.body
            headers.append((b"content-length", b"%d" % len(body)))
        if number:  # not the provider's: it joins a response to its line in /_sandbox/received
            headers.append((b"x-request-id", b"sandbox-%d" % number))
        return headers, body


def _pattern(path: str) -> re.Pattern[str]:
    """What a path matches: a name in braces stands for one segment."""
    parts = re.split(r"{(\w+)}", path)
    texts = [f"(?P<{part}>[^/]+)" if n % 2 else re.escape(part) for n, part in enumerate(parts)]
    return re.compile("".join(texts))


def json_response(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return Response(status, content, (JSON_TYPE, *encoded(headers or {})))


def empty_response(status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status, b"", encoded(headers or {}))


def encoded(headers: Mapping[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    """Headers as ASGI has them."""
    pairs = [(name.lower(), value) for name, value in headers.items()]
    return tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs)
