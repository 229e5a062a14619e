"""The limits of arguments, for the help of options, as the generated package describes them.

Its text is read, and not imported: the help of a command would load all that a call needs.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from victor_ext.limit_sentences import limits_in

_ARGUMENT = re.compile(r"^ {8}(\w+): (.*(?:\n {12}.*)*)$", re.MULTILINE)
"""An argument in the docstring of a generated function, and what is said of it."""


@cache
def limits_of(package: str, function: str) -> dict[str, str]:
    """The limits of the arguments of a generated function, by their names; without its text,
    none.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return {}
    try:
        text = Path(spec.origin).with_name("typed").joinpath("arguments.py").read_text("utf-8")
    except OSError:
        return {}
    _, _, of_function = text.partition(f"\ndef {function}(")
    docstring = of_function.partition('"""')[2].partition('"""')[0]
    return {
        name: " ".join(limits_in(" ".join(described.split())))
        for name, described in _ARGUMENT.findall(docstring)
    }
