"""What texts take over from elsewhere: the limits of arguments from the rows of a generated
package, and the options of a constructor from the class that describes them.
"""

import inspect
from importlib import import_module
from typing import Any

_ARGUMENTS = "Args:"


def limits_of(package: str, operation: str) -> dict[str, str]:
    """The sentences that say the limits of the arguments of a body, and the server's defaults, by
    the names of the arguments. Only data is imported.
    """
    rows: Any = import_module(f"{package}.typed.rows")
    limits: dict[str, str] = {}
    for argument, row in rows.CALLS[operation]["body"].items():
        sentences: list[str] = []
        if "said_limits" in row:
            sentences.append(row["said_limits"])
        if "server_default" in row:
            sentences.append(f"(The server's default: {row['server_default']}).")
        limits[argument] = " ".join(sentences)
    return limits


def with_options_described(text: str | None, options: str | None) -> str | None:
    """A constructor's docstring, with the arguments that the docstring of its `options` describes
    after its own.

    None: Python runs without docstrings.
    """
    if text is None or options is None:
        return text
    described = inspect.cleandoc(options).partition(f"{_ARGUMENTS}\n")[2]
    return inspect.cleandoc(text).replace("\n\nRaises:", f"\n{described}\n\nRaises:")
