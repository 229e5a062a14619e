"""Responses that are judged by the document alone: can the parser that was generated for the operation read them?

The strict rules of a provider's profile are for the operations that its wrapper knows. A newer document adds others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Protocol

import httpx

from victor_ext.errors import Problem
from victor_ext.runtime.http.response import NOT_READ, Response
from victor_ext.runtime.loop.classification import reports_error
from victor_ext.runtime.loop.profile import READER, Reader


class Operation(Protocol):
    """The module of a generated operation."""

    __name__: str

    def sync_detailed(self, *args: Any, **kwargs: Any) -> Any:
        """Make the call. Returns the generated `Response`."""
        ...

    def asyncio_detailed(self, *args: Any, **kwargs: Any) -> Any:
        """The same, awaited."""
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
    if not _has_declared_members(response) and (reports_error(response) or problems(response)):
        return "its body reports an error"
    return reason


def _has_declared_members(response: Response) -> bool:
    """Whether the body has a member that is declared, as it is declared; or the document declares none to look for."""
    parsed: Any = response.parsed
    if parsed is None or parsed is NOT_READ:  # the document declares no body for this status, or not this status
        return False
    return len(getattr(parsed, "__attrs_attrs__", ())) <= 1 or says_what_is_declared(parsed)


def says_what_is_declared(model: Any) -> bool:
    """Whether a generated model has a declared member with a value that the document allows there.

    That is one of the declared type and, of an enum, one of its words. Blank text is none.
    """
    # What is of another type is in `additional_properties`, and the member is UNSET.
    names = (each.name for each in getattr(model, "__attrs_attrs__", ()) if each.name != "additional_properties")
    return any(_is_allowed(getattr(model, name)) for name in names)


def _is_allowed(value: Any) -> bool:
    if isinstance(value, Enum):
        return value in list(type(value))  # an unknown word is a member of its own
    return bool(value.strip()) if isinstance(value, str) else value is not None and type(value).__name__ != "Unset"
