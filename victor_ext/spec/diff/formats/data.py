"""The report as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict

from victor_ext.spec.diff.report import Report


def as_json_text(report: Report) -> str:
    """`{"entries": [...], "counts": {...}}`; the members of an entry are those of `Entry`."""
    keys = ("place", "operations", "direction", "what", "wire", "python", "names", "fingerprint")
    entries = [{key: each[key] for key in keys} for each in map(asdict, report.entries)]
    return json.dumps({"entries": entries, "counts": report.counts()}, indent=2)
