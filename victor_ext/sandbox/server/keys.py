"""Where a provider's requests carry their idempotency key, if anywhere."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

if TYPE_CHECKING:
    from victor_ext.sandbox.server.jsontypes import JsonObject, JsonValue


@dataclass(frozen=True)
class HeaderKey:
    """The key is the value of a header."""

    name: str

    @property
    def header(self) -> bytes:
        """The header's name as it stands in a call."""
        return self.name.lower().encode("ascii")

    def in_request(self, request: bytes) -> str | None:
        """The key in the bytes of a request that was cut off, if they hold it."""
        found = re.search(rb"\r\n%b:[ \t]*([^\r\n]*?)[ \t]*\r\n" % re.escape(self.header), request, re.IGNORECASE)
        return None if found is None else found[1].decode("latin-1")


@dataclass(frozen=True)
class BodyKey:
    """The key is a member of the JSON body: it is known once the body is there."""

    member: str

    def in_body(self, body: JsonValue) -> str | None:
        """The key in a body that was read."""
        found = cast("JsonObject", body).get(self.member) if isinstance(body, dict) else None
        return found if isinstance(found, str) and found else None

    def in_request(self, request: bytes) -> str | None:
        """The key in the bytes of a request that was cut off, if its body is whole."""
        try:
            return self.in_body(json.loads(request.partition(b"\r\n\r\n")[2]))
        except (ValueError, RecursionError):
            return None


KeyPlace: TypeAlias = HeaderKey | BodyKey | None
"""None: the provider has no keys."""
