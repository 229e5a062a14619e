"""What a build adds: the README as a package index shows it, and the SBOM that `make build` has
made (PEP 770).

The README is without the comments for the tests, and without links into the repository. Where
`[project.urls]` in pyproject.toml has a `Documentation`, links to pages of `docs/` lead there.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

SBOM = "build/sbom.cdx.json"


class Readme(MetadataHookInterface):
    """Sets the dynamic field `readme`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Put the text of README.md into the metadata."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        site = metadata.get("urls", {}).get("Documentation", "").rstrip("/")
        metadata["readme"] = {"content-type": "text/markdown", "text": for_an_index(text, site)}


class Sbom(BuildHookInterface[Any]):
    """Puts the SBOM into the wheel, and into the source distribution, so that this builds the same
    wheel.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Without an SBOM, as in an editable install, there is nothing to add."""
        if (Path(self.root) / SBOM).is_file():
            if self.target_name == "wheel":
                build_data["sbom_files"].append(SBOM)
            else:
                build_data["force_include"][SBOM] = SBOM


def for_an_index(text: str, site: str = "") -> str:
    """The text with absolute links, and with plain words where there is nowhere to lead."""
    text = re.sub(r"<!--.*?-->\n*", "", text, flags=re.DOTALL)
    if site:
        text = re.sub(r"\]\(docs/([\w-]+)\.md(#[\w-]+)?\)", rf"]({site}/\1/\2)", text)
    return re.sub(r"\[([^\]]+)\]\((?!https?:|#)[^)]*\)", r"\1", text)
