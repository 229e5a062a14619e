"""The report as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from victor_ext.spec.diff.entry import Entry
from victor_ext.spec.diff.report import Report


def as_json_text(report: Report) -> str:
    """`{"entries": [...], "counts": {...}}`; the members of an entry are those of `Entry`, and `what` is whole."""
    keys = ("place", "operations", "direction", "what", "wire", "python", "names", "fingerprint")
    entries = [{key: each[key] for key in keys} for each in map(_whole, report.entries)]
    return json.dumps({"entries": entries, "counts": report.counts()}, indent=2)


def _whole(entry: Entry) -> dict[str, Any]:
    return asdict(entry) | {"what": entry.whole or entry.what}
