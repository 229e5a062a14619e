"""What commands know from Victor's document, by the generated package. Only data is imported: a
help needs neither the client nor what the client stands on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

_ROWS: Any = import_module("victor_api.typed.rows")
Rows = Mapping[str, Mapping[str, Any]]
"""What is known of arguments, by their names; `victor_ext.typed._rows` has the columns."""


def rows_of(operation: str) -> Rows:
    """Return the rows of the arguments of an operation."""
    call = _ROWS.CALLS[operation]
    return {**call.get("query", {}), **call.get("body", {})}


def words_of(operation: str, argument: str) -> tuple[str, ...]:
    """Return the words that the document has for an argument."""
    words: tuple[str, ...] = rows_of(operation)[argument]["words"]
    return words


def texts_of(operation: str) -> dict[str, str]:
    """Return what the docstring of the method of an operation says of its arguments.

    Empty where Python has no sources.
    """
    source = _source_of("victor_api.typed.methods")
    call = source.find(f"_{operation},", source.find("\nclass "))
    _, _, docstring = source[:call].rpartition('"""')[0].rpartition('"""')
    described = docstring.partition("Args:\n")[2]
    in_lines = re.sub(r"\n {16}", " ", described)
    return dict(re.findall(r"^ {12}(\w+): (.*)$", in_lines, re.MULTILINE))


@cache
def _source_of(module: str) -> str:
    """Return the source of a module, which is not imported."""
    spec = find_spec(module)
    loader: Any = None if spec is None else spec.loader
    return "" if loader is None else loader.get_source(module) or ""


ARGUMENTS_BY_PLACE = {
    row.get("place", name): name
    for operation in _ROWS.CALLS
    for name, row in rows_of(operation).items()
}
"""The name of each argument, by the place where it is sent."""
