"""What is wrong with a provider's provider.

A mistake in the rows is said when the class is made; one against the document, when a sandbox
starts. Else keys would do nothing and rules would not hold, and nobody would see it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from victor_ext.sandbox.server._document import load_document, shape_of
from victor_ext.sandbox.server._exchange import BodyKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from victor_ext.sandbox.engine._rows import Row
    from victor_ext.sandbox.server._document import Document, DocumentedOperation

Table: TypeAlias = type[Any]
"""The class of a `TableProvider`, which stands on this module."""
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


def check_rows(provider: Table) -> None:
    """Raise `ValueError` for a row that cannot work, whatever the document says."""
    names: set[str] = set()
    places: dict[str, str] = {}
    for row in provider.rows:
        where = _named(provider, row)
        method, _, path = row.place.partition(" ")
        if method not in _METHODS or not path.startswith("/"):
            raise ValueError(
                f"{where}: its place is {row.place!r}. Write a method and a path, such as "
                "'POST /v1/charges'."
            )
        if row.name in names:
            raise ValueError(f"{where}: another row has this name. Give one of them another name.")
        other = places.setdefault(shape_of(row.place), row.name)
        if other != row.name:
            raise ValueError(
                f"{where}: the row '{other}' has the same method and path. Leave one of them out."
            )
        if row.is_keyed and provider.key is None:
            raise ValueError(
                f"{where}: it has is_keyed=True, and the provider has no key. Write "
                'key = HeaderKey("Idempotency-Key") or key = BodyKey("requestId") in the class, or '
                "leave is_keyed out."
            )
        names.add(row.name)


def check_document(provider: Table) -> None:
    """Raise `ValueError` for a document that cannot be read, and for a row that is not as it
    says.
    """
    if provider.document is None:
        return
    document = _document_of(provider, provider.document)
    for row in provider.rows:
        method, path = row.place.split(" ", 1)
        path = path.removeprefix(provider.base_path)
        is_there = document.has(method, path)
        if is_there != row.is_documented:
            raise ValueError(
                f"{_named(provider, row)}: {_how_to_correct_place(row, path, document)}"
            )
        if is_there:
            rules = document.operation(method, path)
            _check_status(provider, row, rules)
            _check_key(provider, row, rules)
            _check_listing(provider, row, rules)


def _named(provider: Table, row: Row) -> str:
    return f"The row '{row.name}' of {provider.__name__}"


def _document_of(provider: Table, name: str) -> Document:
    where = f"The document of {provider.__name__}, {name!r},"
    try:
        return load_document(name)
    except OSError as error:
        raise ValueError(
            f"{where} cannot be read ({error.strerror or error}). Write the whole path of the "
            'file, such as str(Path(__file__).parent / "charges.yaml"), or None without a document.'
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(
            f"{where} is no OpenAPI document: it must be YAML or JSON with 'paths'."
        ) from error


def _how_to_correct_place(row: Row, path: str, document: Document) -> str:
    """What to write instead, for a row whose `is_documented` is not what the document says."""
    method = row.place.partition(" ")[0]
    if not row.is_documented:
        return f"the document has {method} {path}. Leave is_documented=False out."
    return (
        f"the document has no {method} {path}. Write {_one_of(document.places)}; or "
        "is_documented=False, if the sandbox has it beside the document."
    )


def _check_status(provider: Table, row: Row, rules: DocumentedOperation) -> None:
    if row.status is not None and not rules.has_status(row.status):
        known = ", ".join(rules.statuses)
        raise ValueError(
            f"{_named(provider, row)}: its status is {row.status}, and the document has {known}. "
            "Write status=... of a success that the document has."
        )


def _check_key(provider: Table, row: Row, rules: DocumentedOperation) -> None:
    """A key in a body must be a member that the document declares; of a header, a document may say
    nothing.
    """
    members = rules.body.members
    if not row.is_keyed or not isinstance(provider.key, BodyKey) or not members:
        return
    member = provider.key.member
    if member not in members:
        raise ValueError(
            f"{_named(provider, row)}: the key is in the member '{member}' of the body, which the "
            f"document does not have. Write BodyKey with {_one_of(members)}, or leave "
            "is_keyed out."
        )


_OF_PAGES = {
    "after",
    "before",
    "continuationtoken",
    "cursor",
    "endingbefore",
    "limit",
    "nextcursor",
    "nextpagetoken",
    "nexttoken",
    "offset",
    "page",
    "pagecursor",
    "pagenumber",
    "pagesize",
    "pagetoken",
    "perpage",
    "skip",
    "startingafter",
}
"""The names of parameters that choose a page, in lower case and without marks."""


def _check_listing(provider: Table, row: Row, rules: DocumentedOperation) -> None:
    """A parameter for pages must not be a filter: no item has it as a member, so that each page
    would be empty.
    """
    listing = row.listing
    if listing is None:
        return
    for name in rules.query.members:
        word = "".join(filter(str.isalpha, name)).lower()
        if word in _OF_PAGES and listing.is_filter(name) and listing.test_of(name) is None:
            raise ValueError(
                f"{_named(provider, row)}: the document's parameter '{name}' would be a filter, "
                f"which no item passes. Write Listing(number='{name}') if it names a page, as a "
                f"cursor does (see Page.next), Listing(asked_size='{name}') if it is a size, or "
                f"Listing(controls=['{name}']) if the row itself looks at it."
            )


def _one_of(known: Iterable[str]) -> str:
    return " or ".join(map(repr, sorted(known)))
