"""Responses that are judged by the document alone: can the parser that was generated for the operation read them?

The strict rules of a provider's profile are for the operations that its wrapper knows. A newer document adds others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from copy import copy
from enum import Enum
from typing import Any, Protocol
from urllib.parse import quote

import httpx

from victor_ext.errors import Problem
from victor_ext.runtime.core.json_values import object_of
from victor_ext.runtime.core.response import NOT_READ, Response
from victor_ext.runtime.loop.classification import reports_error
from victor_ext.runtime.loop.idempotency_keys import BodyKey, HeaderKey
from victor_ext.runtime.loop.profile import READER, SAFE_METHODS, Declared, Reader


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
    return reader is not None and reader.declared.name not in operations


def declares_header(operation: Declared, name: str) -> bool:
    """Whether the document declares a header parameter with this name, in any letter case, for the operation."""
    return any(header.lower() == name.lower() for header in operation.headers)


def by_document(place: HeaderKey | BodyKey, document: Sequence[Declared], base_path: str) -> HeaderKey | BodyKey:
    """The place of a key for those writes alone whose operations declare it in the document, or that `takes_key` names.

    A random key elsewhere, or a caller's own, would make a repeat look safe that is done twice. Where the document
    declares the key on no operation, the caller's word counts: for each POST, or what `takes_key` names. Requests made
    by hand are judged by their paths below `base_path`.
    """
    named, ignored, declares_any = place.takes_key, place.ignores_key, dict[int, bool]()

    def is_declared(operation: Declared) -> bool:
        is_header = isinstance(place, HeaderKey)
        return declares_header(operation, place.name) if is_header else place.name in operation.members

    def says(request: httpx.Request) -> bool | None:
        """Whether the request's operation takes a key; None if the document says nothing of keys."""
        reader: Reader | None = request.extensions.get(READER)
        operations = document if reader is None else reader.document
        if id(operations) not in declares_any:
            declares_any[id(operations)] = any(map(is_declared, operations))
        if not declares_any[id(operations)]:
            return None
        called = [reader.declared] if reader is not None else _called_by_hand(request, operations, base_path)
        return bool(called) and all(map(is_declared, called))

    def takes(request: httpx.Request) -> bool:
        declared, is_named = says(request), named is not None and named(request)
        return is_named or (request.method == "POST" and named is None if declared is None else declared)

    def ignores(request: httpx.Request) -> bool:
        return ignored(request) or (says(request) is False and not takes(request))

    other = copy(place)
    other.takes_key, other.ignores_key = takes, ignores
    return other


def _called_by_hand(request: httpx.Request, document: Sequence[Declared], base_path: str) -> list[Declared]:
    """The operations that a request without a `Reader` calls: those whose path fits with the fewest placeholders."""

    def fits(operation: Declared) -> bool:
        template = "[^/]+".join(re.escape(quote(text)) for text in re.split(r"\{[^{}]*\}", operation.path))
        return operation.method == request.method and re.fullmatch(re.escape(base_path) + template, path) is not None

    path = request.url.raw_path.partition(b"?")[0].decode("ascii")
    fitting = sorted(filter(fits, document), key=lambda operation: operation.path.count("{"))
    return [each for each in fitting if each.path.count("{") == fitting[0].path.count("{")]


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


def lists_declared_errors(response: httpx.Response) -> bool:
    """Whether all that a good response has in `error` and `errors` is what the document declares for it.

    Such as the rows of a batch that were refused. They are beside declared evidence, and not in the class that the
    document has for an error.
    """
    reader: Reader | None = response.request.extensions.get(READER)
    if reader is None or not isinstance(response, Response):
        return False
    model: Any = response.parsed
    if not has_declared_value(model) or reader.is_of_error(response):
        return False
    declared = (field.name for field in model.__attrs_attrs__ if type(getattr(model, field.name)).__name__ != "Unset")
    return not reports_error(response, but={name.replace("_", "") for name in declared})


_NO_EVIDENCE = frozenset({"additional_properties", "error", "errors"})


def has_declared_value(model: Any) -> bool:
    """Whether a generated model has a declared member with a value that the document allows.

    That is one of the declared type and, of an enum, one of its words. Blank text is none.
    """
    # What is of another type is in `additional_properties`, and the member is UNSET. An error is no evidence of work.
    names = (field.name for field in getattr(model, "__attrs_attrs__", ()) if field.name not in _NO_EVIDENCE)
    return any(_is_allowed(getattr(model, name)) for name in names)


def _is_allowed(value: Any) -> bool:
    if isinstance(value, Enum):
        return value in list(type(value))  # an unknown word is a member of its own
    return bool(value.strip()) if isinstance(value, str) else value is not None and type(value).__name__ != "Unset"
