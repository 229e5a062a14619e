"""Calls of generated operations, with the id of the exchange beside the answer."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from victor_ext.runtime.client.runners import OperationFlow, response_to

from .answers import is_object

_ID_HEADERS = ("apigw-requestid", "x-request-id")


class Answered(NamedTuple):
    """The model of a good answer (None where the operation has none), and the provider's id of the exchange."""

    model: Any
    request_id: str | None
    content: bytes = b""

    def object(self) -> dict[str, Any]:
        """The body where it has no model; empty when there is none."""
        body: Any = json.loads(self.content) if self.content else {}
        return body if is_object(body) else {}


def ask(operation: str, model: str | None, seconds: float | None = None, **arguments: Any) -> OperationFlow[Answered]:
    """Call a generated operation by its place in the package, such as `orders.get_order`, within so many seconds.

    Raises:
        VictorError: Whatever the runtime made of the answer.
    """
    from flexfactor_api import models  # noqa: PLC0415 - importing the package loads no models

    read = getattr(models, model) if model else None
    response = yield from response_to(f"flexfactor_api.api.{operation}", read, seconds, **arguments)
    return Answered(response.parsed, _request_id(response.headers), response.content)


def _request_id(headers: Any) -> str | None:
    return next((headers[name] for name in _ID_HEADERS if name in headers), None)
