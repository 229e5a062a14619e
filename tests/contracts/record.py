"""Record which members of an answer each call reads: `python -m tests.contracts.record`.

With `--added`, a record is written only if it has more than before: that a member is read no more,
or by another attribute, is a decision.
"""

import importlib
import json
import sys
from collections.abc import Sequence
from difflib import unified_diff
from importlib.util import find_spec

from victor_ext.systems import entry_points_of

from .contract import Contract, places_in, snake_case
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


def only_adds(before: str, after: str) -> bool:
    """Whether a record has all of an earlier one: each member with the same readers."""
    known = places_in(after)
    return all(
        places.items() <= known.get(call, {}).items() for call, places in places_in(before).items()
    )


def main(options: Sequence[str] = ()) -> None:
    """Write the record of each system, and show which ones are other than before. Their diff is
    what has changed for callers.
    """
    lines: list[str] = []
    for system in SYSTEMS:
        contract = contract_of(system)
        record = record_of(contract)
        exists = contract.record.exists()
        before = contract.record.read_text(encoding="utf-8") if exists else "{}"
        if (exists and before == record) or (
            "--added" in options and not only_adds(before, record)
        ):
            continue
        contract.record.write_text(record, encoding="utf-8")
        lines.append(f"{contract.record} is written. Its diff is what callers read now.")
        lines += unified_diff(before.splitlines(), record.splitlines(), n=0, lineterm="")
    print("\n".join(lines) or "Nothing has changed: each call reads what its record says.")


if __name__ == "__main__":
    main(sys.argv[1:])
