"""Record which members of an answer each call reads: `python -m tests.contracts.record`.

With `--added`, a record is written only if it has more than before: that a member is read no more,
or by another attribute, is a decision.
"""

import importlib
import json
import sys
from difflib import unified_diff

from victor_ext._systems import entry_points_of

from .contract import Contract
from .document import Document

SYSTEMS = tuple(entry_points_of())


def contract_of(system) -> Contract:
    """The contract of a system, which its module in this folder has."""
    return importlib.import_module(f"tests.contracts.{system}").CONTRACT


def record_of(contract: Contract):
    """By method, what reads each member of its answer now, such as `Payee.remote_id`."""
    reading = contract.reading(Document.of(contract.name))
    record = {
        call: {place: ", ".join(readers) for place, readers in places.items() if readers}
        for call, places in reading.items()
    }
    return json.dumps(record, indent=1, sort_keys=True) + "\n"


def only_adds(before, after):
    """Whether a record has all of an earlier one: each member with the same readers."""
    known = json.loads(after)
    return all(
        places.items() <= known.get(call, {}).items() for call, places in json.loads(before).items()
    )


def main(options=()):
    """Write the record of each system, and show which ones are other than before. Their diff is
    what has changed for callers.
    """
    lines, is_stale = [], False
    for system in SYSTEMS:
        contract = contract_of(system)
        record = record_of(contract)
        exists = contract.record.exists()
        before = contract.record.read_text(encoding="utf-8") if exists else "{}"
        if exists and before == record:
            continue
        if "--added" in options and not only_adds(before, record):
            is_stale = True  # the contract tests say so
            continue
        contract.record.write_text(record, encoding="utf-8")
        lines.append(f"{contract.record} is written. Its diff is what callers read now.")
        lines += unified_diff(before.splitlines(), record.splitlines(), n=0, lineterm="")
    if not (lines or is_stale):
        lines = ["Each call reads what its record says."]
    print("\n".join(lines))


if __name__ == "__main__":
    main(sys.argv[1:])
