"""Responses that are judged by the document alone: can the parser that was generated for the operation read them?

The strict rules of a provider's profile are for the operations that its wrapper knows. A newer document adds others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import httpx

from victor_ext.errors import Problem
from victor_ext.runtime.http.response import NOT_READ, Response
from victor_ext.runtime.loop.classification import reports_error

from .json_values import object_of, object_or_empty

READER = "victor_ext.reader"
"""The extension of a request with the `Reader` of its response. Only generated operations set it."""


class Operation(Protocol):
    """The module of a generated operation."""

    @property
    def OPERATION(self) -> Any:  # noqa: N802 - a constant of the module
        """What the document says of it: an object of the generated class `Operation`."""
        ...

    def sync_detailed(self, *args: Any, **kwargs: Any) -> Any:
        """Make the call. Returns the generated `Response`."""
        ...

    def asyncio_detailed(self, *args: Any, **kwargs: Any) -> Any:
        """The same, awaited."""
        ...


class Reader(Protocol):
    """Reads the response to one request with the parser that was generated for the operation."""

    @property
    def operation(self) -> str:
        """The name of the operation's module."""
        ...

    @property
    def path_template(self) -> str:
        """The operation's path in the document."""
        ...

    def declares_header(self, name: str) -> bool:
        """Whether the document declares a header parameter with this name, in any letter case, for the operation."""
        ...

    def __call__(self, response: Response) -> str | None:
        """Why the response cannot be read, or None. What was read is kept as `response.parsed`."""
        ...


def is_generated(request: httpx.Request, *operations: str) -> bool:
    """Whether a generated operation made the request; with names, whether it is another one than these."""
    reader: Reader | None = request.extensions.get(READER)
    return reader is not None and reader.operation not in operations


def declares_header(request: httpx.Request, name: str) -> bool:
    """Whether a generated operation made the request whose document declares a header parameter with this name."""
    reader: Reader | None = request.extensions.get(READER)
    return reader is not None and reader.declares_header(name)


def document_complaint(response: httpx.Response, problems: Callable[[httpx.Response], Sequence[Problem]]) -> str | None:
    """Why a good response is not what the document declares for its operation and status; None when it is.

    Arrays, bare values, empty bodies that are documented so, and objects of any members are good. An object that has
    no declared member is not, when it has an `error` or `errors` (see `reports_error`), or the provider's `problems`
    are found in it: it is an error with a good status.
    """
    reader: Reader | None = response.request.extensions.get(READER)
    if reader is None or not isinstance(response, Response):
        return None
    reason = reader(response)
    if reason is None and not _has_declared_members(response) and (reports_error(response) or problems(response)):
        return "its body reports an error"
    return reason


def _has_declared_members(response: Response) -> bool:
    """Whether the body has a member that is declared, and is not null; or the document declares none to look for."""
    parsed: Any = response.parsed
    if parsed is None or parsed is NOT_READ:  # the document declares no body for this status, or not this status
        return False
    others = object_or_empty(getattr(parsed, "additional_properties", None))
    declared = len(getattr(parsed, "__attrs_attrs__", ())) > 1  # of which one is `additional_properties`
    return not declared or any(value is not None and name not in others for name, value in object_of(response).items())
