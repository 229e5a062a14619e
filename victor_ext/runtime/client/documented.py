"""Responses that are judged by the document alone: can the parser that was generated for the operation read them?

The strict rules of a provider's profile are for the operations that its wrapper knows. A newer document adds others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Protocol

import httpx

from victor_ext.errors import Problem
from victor_ext.runtime.core.json_values import object_of
from victor_ext.runtime.core.response import NOT_READ, Response
from victor_ext.runtime.loop.classification import reports_error
from victor_ext.runtime.loop.profile import READER, SAFE_METHODS, Reader


class Operation(Protocol):
    """The module of a generated operation."""

    @property
    def OPERATION(self) -> Any:  # noqa: N802 - a constant of the module
        """What the document says of it: an object of the generated class `Operation`."""
        ...

    def sync_detailed(self, *args: Any, **kwargs: Any) -> Any:
        """Make the call. Returns the generated `Response`."""
        ...

    def asyncio_detailed(self, *args: Any, **kwargs: Any) -> Any: ...


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

    Arrays, bare values, empty bodies that are documented so, and objects with a declared member are good. So is an
    empty object, and to a read any other, unless it has an `error` or `errors` (see `reports_error`), or the provider's
    `problems` finds any in it. To a write it is no evidence: a login page and a proxy respond so, too.
    """
    reader: Reader | None = response.request.extensions.get(READER)
    if reader is None or not isinstance(response, Response):
        return None
    reason = reader(response)
    # None: the document declares no body for this status, or not this status.
    model: Any = None if response.parsed is NOT_READ else response.parsed
    declares = len(getattr(model, "__attrs_attrs__", ())) > 1  # of which one is `additional_properties`
    if model is not None and (not declares or has_declared_value(model)):
        return reason
    if reports_error(response) or problems(response):
        return "its body reports an error"
    if declares and response.request.method not in SAFE_METHODS and object_of(response):
        return "its body has nothing that the document declares"
    return reason


def has_declared_value(model: Any) -> bool:
    """Whether a generated model has a declared member with a value that the document allows.

    That is one of the declared type and, of an enum, one of its words. Blank text is none.
    """
    # What is of another type is in `additional_properties`, and the member is UNSET.
    names = (field.name for field in getattr(model, "__attrs_attrs__", ()) if field.name != "additional_properties")
    return any(_is_allowed(getattr(model, name)) for name in names)


def _is_allowed(value: Any) -> bool:
    if isinstance(value, Enum):
        return value in list(type(value))  # an unknown word is a member of its own
    return bool(value.strip()) if isinstance(value, str) else value is not None and type(value).__name__ != "Unset"
