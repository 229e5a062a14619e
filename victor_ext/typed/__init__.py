"""What the generated records and arguments of a system stand on: `<system>_api.typed`.

This is the one module that generated ones import. `reading` has the records and their readers,
`checks` what arguments are checked with.
"""

from victor_ext._privacy import concealed, concealed_number, concealed_within
from victor_ext._runtime.client.paging import AsyncPages, Pages
from victor_ext._runtime.client.records import Record
from victor_ext._runtime.client.requests import (
    Body,
    CheckedCall,
    ExtraBody,
    ExtraQuery,
    Part,
    Request,
)
from victor_ext._runtime.client.resources import AwaitedMethods, BlockingMethods
from victor_ext._runtime.core.validation import Form
from victor_ext._values.words import Word
from victor_ext.money import Amount, Money

from ._checks import ListQuery, Query, Sent
from ._reading import (
    AnyCaseRecord,
    day,
    decimal,
    flag,
    identifier,
    members,
    model,
    moment,
    money,
    record,
    records,
    text,
    texts,
    value,
    whole,
)
from ._rows import Package

__all__ = (
    "Amount",
    "AnyCaseRecord",
    "AsyncPages",
    "AwaitedMethods",
    "BlockingMethods",
    "Body",
    "CheckedCall",
    "ExtraBody",
    "ExtraQuery",
    "Form",
    "ListQuery",
    "Money",
    "Package",
    "Pages",
    "Part",
    "Query",
    "Record",
    "Request",
    "Sent",
    "Word",
    "concealed",
    "concealed_number",
    "concealed_within",
    "day",
    "decimal",
    "flag",
    "identifier",
    "members",
    "model",
    "moment",
    "money",
    "record",
    "records",
    "require_runtime",
    "text",
    "texts",
    "value",
    "whole",
)

RUNTIME = 4
"""The version of this module, which the generated modules compare when they are imported."""


def require_runtime(version: int) -> None:
    """Raise `ImportError` for a package that was generated for another version of this module."""
    if version != RUNTIME:
        what_to_do = "generate it again" if version < RUNTIME else "install a newer victor-ext"
        raise ImportError(
            f"This package was generated for version {version} of victor_ext.typed, and version "
            f"{RUNTIME} is installed: {what_to_do}."
        )
