"""The sentences that say the limits of generated arguments, by the rows of a package.

They come last: `Notes for the payer. Up to 150 characters. (The server's default: none).`
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

_ARGUMENTS = ".typed.arguments"
_MOST = 2**31 - 1
"""What a number may be by its format alone: no limit to name."""


def limits_of(function: str) -> dict[str, list[str]]:
    """The limits of the arguments of a function such as `shop_api.typed.arguments.take_order`, by
    their names; none of a function that is not generated. Only data is imported.
    """
    module, _, name = function.rpartition(".")
    if not module.endswith(_ARGUMENTS):
        return {}
    rows: Any = import_module(f"{module.removesuffix(_ARGUMENTS)}.typed.rows")
    call = rows.CALLS[name]
    # Of what is no body, the description is to say the limits.
    limits = {argument: list(_limits_in(row)) for argument, row in call.get("body", {}).items()}
    for argument, row in (*call.get("query", {}).items(), *call.get("body", {}).items()):
        if "server_default" in row:
            default = f"(The server's default: {row['server_default']})."
            limits.setdefault(argument, []).append(default)
    return limits


def _limits_in(row: Mapping[str, Any]) -> Iterator[str]:
    kind = row.get("kind", "text")
    most = row.get("most", _MOST)
    if "longest" in row and kind in ("text", "reference"):
        shortest = row.get("shortest", 1)
        first = "Up to" if shortest <= 1 else f"{shortest} to"
        yield f"{first} {row['longest']} characters."
    elif (kind == "integer" and "least" in row and most < _MOST) or (
        kind == "parts" and "most" in row
    ):
        yield f"{row.get('least', row.get('fewest', 0))} to {most}."


def is_default(sentence: str) -> bool:
    """Whether a sentence is the server's default."""
    return sentence.startswith("(")
