"""What the bulk sender says of its arguments, as options of `victor bulk`."""

from __future__ import annotations

import ast
import re
import shlex

_VALUE = r"('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^\s:,;'\"]*[^\s:,;'\".])"
_NAMED = re.compile(
    rf"\b(key_column|batch|rate|workers|patience|key_retention|due_date|encoding|state|ask_again)={_VALUE}"
)
_QUOTES = ("'", '"')
_FIRST = re.compile(r"\Akey_column\b")


def as_options(message: str) -> str:
    """A message with the options of the command in place of the arguments of `BulkSender`."""
    return _FIRST.sub("--key-column", _NAMED.sub(_option, message))


def _option(match: re.Match[str]) -> str:
    name, value = f"--{match[1].replace('_', '-')}", match[2]
    if value == "True":
        return name
    return f"{name} {shlex.quote(str(ast.literal_eval(value))) if value.startswith(_QUOTES) else value}"
