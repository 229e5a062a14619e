"""Ask the advisory database about every dependency that is pinned: `make audit`. It needs the network.

Nothing is good that was not looked up: pip-audit itself ends well when the database knows none of the packages, and
with a traceback when it cannot be reached.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

NOT_ASKED = "The advisory database cannot be asked from here, so nothing is known: run it where there is a network."
PATIENCE = 900.0


def ask(lock: str) -> dict[str, Any] | None:
    """pip-audit's report; None when there is none."""
    words = f"-m pip_audit --requirement {lock} --require-hashes --disable-pip --format json --progress-spinner off"
    ended = subprocess.run(
        [sys.executable, *words.split()], capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    try:
        report: dict[str, Any] = json.loads(ended.stdout)
    except ValueError:
        last = ended.stderr.strip().splitlines()[-1:]
        print(*last, sep="\n", file=sys.stderr)
        return None
    return report


def verdict(report: dict[str, Any] | None) -> tuple[int, list[str]]:
    """The status to end with, and what to say. 0: all were looked up, and none has a known hole."""
    if report is None:
        return 2, [NOT_ASKED]
    packages = report["dependencies"]
    holes = [
        f"{package['name']} {package['version']}: {hole['id']}, {_mended(hole)}"
        for package in packages
        for hole in package.get("vulns", ())
    ]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if unknown and len(unknown) == len(packages):
        return 2, [NOT_ASKED]
    if unknown:
        holes.append(f"Not looked up, of {len(packages)}: {', '.join(unknown)}.")
    if not packages:
        return 2, ["No dependency was found in the file: nothing was looked up."]
    return (1, holes) if holes else (0, [f"{len(packages)} dependencies looked up: no known hole."])


def _mended(hole: dict[str, Any]) -> str:
    return f"mended in {', '.join(hole['fix_versions'])}" if hole["fix_versions"] else "not mended yet"


def main() -> int:
    """The command."""
    status, lines = verdict(ask(sys.argv[1]))
    print(*lines, sep="\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
