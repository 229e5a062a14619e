"""What a build adds: the README as a package index shows it, without comments for the tests, and
without links into the repository.
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
        text = re.sub(r"<!--.*?-->\n*", "", text, flags=re.DOTALL)
        text = re.sub(r"\[([^\]]+)\]\((?!https?:|#)[^)]*\)", r"\1", text)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
