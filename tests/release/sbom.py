"""Complete an SBOM of the requirements: the release that it is of, and what that depends on
directly.

    python -m tests.release.sbom build/sbom.cdx.json

cyclonedx-py reads neither a dynamic version nor the extras.
"""

import json
import re
import sys
from pathlib import Path

from tests.release.contents import PROJECT
from victor_ext import __version__


def direct():
    """Names of what the project and its extras require."""
    groups = (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    return {re.split(r"[^\w-]", line)[0] for group in groups for line in group} - {PROJECT["name"]}


def completed(bom, names):
    """The document with the version of the package, and its direct dependencies."""
    root = bom["metadata"]["component"]
    root |= {
        "type": "library",
        "version": __version__,
        "purl": f"pkg:pypi/{root['name']}@{__version__}",
    }
    references = {component["name"]: component["bom-ref"] for component in bom["components"]}
    edges = {entry["ref"]: entry for entry in bom["dependencies"]}
    edges[root["bom-ref"]] = {
        "ref": root["bom-ref"],
        "dependsOn": sorted(references[name] for name in names),
    }
    return {**bom, "dependencies": list(edges.values())}


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(
        json.dumps(completed(json.loads(path.read_bytes()), direct()), indent=2) + "\n", "utf-8"
    )
    print(path)
