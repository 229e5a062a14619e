"""Record which members of an answer each call reads: `python -m tests.contracts.record`."""

from __future__ import annotations

import importlib
import json

from .contract import Contract
from .document import Document

SYSTEMS = ("eastpay", "flexfactor", "velo", "victor")


def record_of(contract: Contract) -> str:
    """Which members of an answer each call reads now; a call that reads the same as another names that one."""
    record: dict[str, object] = {}
    for call, places in sorted(contract.reading(Document.of(contract.name)).items()):
        read = {place: ", ".join(members) for place, members in places.items() if members}
        record[call] = next((other for other, known in record.items() if known == read and read), read)
    return json.dumps(record, indent=1, sort_keys=True) + "\n"


def main() -> None:
    """Write the record of each system. Its diff is what has changed for callers."""
    for system in SYSTEMS:
        contract = importlib.import_module(f"tests.contracts.{system}").CONTRACT
        contract.record.write_text(record_of(contract), encoding="utf-8")


if __name__ == "__main__":
    main()
