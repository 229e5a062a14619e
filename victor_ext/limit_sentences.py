"""The sentences that say the limits of generated arguments, by the rows of a package.

They come last: `Notes for the payer. Up to 150 characters. (The server's default: none).`
"""

from importlib import import_module
from typing import Any

_ARGUMENTS = ".typed.arguments"


def limits_of(function: str) -> dict[str, list[str]]:
    """The limits of the arguments of a function such as `shop_api.typed.arguments.take_order`, by
    their names; none of a function that is not generated. Only data is imported.
    """
    module, _, name = function.rpartition(".")
    if not module.endswith(_ARGUMENTS):
        return {}
    rows: Any = import_module(f"{module.removesuffix(_ARGUMENTS)}.typed.rows")
    call = rows.CALLS[name]
    limits: dict[str, list[str]] = {}
    for argument, row in (*call.get("query", {}).items(), *call.get("body", {}).items()):
        said = [row["said_limits"]] if "said_limits" in row else []
        if "server_default" in row:
            said.append(f"(The server's default: {row['server_default']}).")
        limits[argument] = said
    return limits


def is_default(sentence: str) -> bool:
    """Whether a sentence is the server's default."""
    return sentence.startswith("(")
