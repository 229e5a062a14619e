"""Record which members of an answer each call reads: `python -m tests.contracts.record`."""

from __future__ import annotations

import importlib
import json

from .document import Document

SYSTEMS = ("eastpay", "flexfactor", "velo", "victor")


def main() -> None:
    """Write the record of each system. Its diff is what has changed for callers."""
    for system in SYSTEMS:
        contract = importlib.import_module(f"tests.contracts.{system}").CONTRACT
        found = contract.reading(Document.of(system))
        read = {
            call: {place: members for place, members in places.items() if members} for call, places in found.items()
        }
        contract.record.write_text(json.dumps(read, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
