"""What a build adds: the README as a package index shows it.

The README is without the comments for the tests, and without links into the repository. Where
`[project.urls]` in pyproject.toml has a `Documentation`, links to pages of `docs/` lead there.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class Readme(MetadataHookInterface):
    """Sets the dynamic field `readme`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Put the text of README.md into the metadata."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        site = metadata.get("urls", {}).get("Documentation", "").rstrip("/")
        metadata["readme"] = {"content-type": "text/markdown", "text": for_an_index(text, site)}


def for_an_index(text: str, site: str = "") -> str:
    """The text with absolute links, and with plain words where there is nowhere to lead."""
    text = re.sub(r"<!--.*?-->\n*", "", text, flags=re.DOTALL)
    if site:
        text = re.sub(r"\]\(docs/([\w-]+)\.md(#[\w-]+)?\)", rf"]({site}/\1/\2)", text)
    return re.sub(r"\[([^\]]+)\]\((?!https?:|#)[^)]*\)", r"\1", text)
