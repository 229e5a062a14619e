"""Models that an operation loads when it reads an answer: to import it, and to send its request, costs none of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

from openapi_python_client import strings


def late_models(imports: Iterable[str], arguments: str, answer: Any) -> list[str]:
    """The classes of an operation's imports that its answers have, and its arguments do not.

    Args:
        imports: Its imports, such as `from ...models.card import Card`.
        arguments: Its arguments with their types, as code.
        answer: The type of its answers, as code.
    """
    code = _code(answer)
    if '"' in code or "'" in code:  # text in a `Literal` may have a class's name
        return []
    used, returned = set(_names(arguments)), set(_names(code))
    models = [each.split()[-1] for each in imports if each.startswith("from ...models.")]
    return [name for name in models if name in returned and name not in used]


def of_models(code: Any, late: Collection[str]) -> str:
    """Code that takes these classes from the package `models`, which loads each when it is asked for."""
    return re.sub(r"\w+", lambda name: f"models.{name[0]}" if name[0] in late else name[0], _code(code))


def _names(code: str) -> list[str]:
    return re.findall(r"\w+", code)


def _code(code: Any) -> str:
    return code.as_unembedded_code() if isinstance(code, strings.PythonCode) else str(code)
