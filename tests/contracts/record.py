"""Record which members of an answer each call reads: `python -m tests.contracts.record`."""

import importlib
import json
from importlib.util import find_spec

from victor_ext.systems import entry_points_of

from .contract import Contract, snake_case
from .document import Document

SYSTEMS = tuple(entry_points_of())


def contract_of(system: str) -> Contract:
    """The contract of a system.

    Raises:
        LookupError: It is not there; the message names the file and the part.
    """
    module = f"tests.contracts.{system}"
    file = f"{module.replace('.', '/')}.py"
    if find_spec(module) is None:
        raise LookupError(f"{system} has no contract: write {file}, as the other systems have one.")
    contract: Contract | None = getattr(importlib.import_module(module), "CONTRACT", None)
    if contract is None:
        raise LookupError(f"{file} lacks CONTRACT, the `Contract` of {system}.")
    return contract


def record_of(contract: Contract) -> str:
    """Which members of an answer each call reads now; a call that reads the same as another names
    that one.

    A line has the members of one schema, and of one attribute's record: `id` is read by the
    attribute `id`.
    """
    record: dict[str, object] = {}
    for call, places in sorted(contract.reading(Document.of(contract.name)).items()):
        lines: dict[str, list[str]] = {}
        for place, readers in sorted(places.items()):
            schema, _, member = place.rpartition(".")
            if readers:
                kind, _, attribute = ", ".join(readers).partition(".")
                said = member if attribute in ("", snake_case(member)) else f"{member}: {attribute}"
                lines.setdefault(f"{schema} in {kind}", []).append(said)
        read = {line: "; ".join(members) for line, members in lines.items()}
        record[call] = next(
            (other for other, known in record.items() if known == read and read), read
        )
    return json.dumps(record, indent=1, sort_keys=True) + "\n"


def main() -> None:
    """Write the record of each system, and say which ones are other than before. Their diff is what
    has changed for callers.
    """
    written: list[str] = []
    for system in SYSTEMS:
        contract = contract_of(system)
        record = record_of(contract)
        if not contract.record.exists() or contract.record.read_text(encoding="utf-8") != record:
            contract.record.write_text(record, encoding="utf-8")
            written.append(f"{contract.record} is written. Its diff is what callers read now.")
    print("\n".join(written) or "Nothing has changed: each call reads what its record says.")


if __name__ == "__main__":
    main()
