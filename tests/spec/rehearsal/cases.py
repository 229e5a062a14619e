"""Changes of the real documents of this project, each with its class on the wire and in Python.

`cases.yaml` has them, and says how they are written.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from tests.cases import cases_beside

Tree = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One changed document."""

    title: str
    document: str
    """`victor` for `openapi/victor.yaml`."""
    wire: str
    python: str
    edits: Tree
    moved: bool = False
    """Whether all paths have another version besides. `wire` is about what else changed."""

    def new(self, old: Tree, *, stays: bool = False) -> Tree:
        """The changed document; `stays` leaves the paths where they are."""
        text = json.dumps(old)
        for before, after in self.edits.get("words", {}).items():
            text = re.sub(rf'(?<=["/]){re.escape(before)}(?=["/])', after, text)
        if name := self.edits.get("inlined"):
            reference = json.dumps({"$ref": f"#/components/schemas/{name}"})
            text = text.replace(reference, json.dumps(old["components"]["schemas"][name]))
        components = ("schemas", "parameters", "securitySchemes")
        changes: Tree = {key: self.edits[key] for key in ("paths", "servers") if key in self.edits}
        changes["components"] = {key: self.edits[key] for key in components if key in self.edits}
        document: Tree = _merged(json.loads(text), changes)
        assert document != old, self.title
        if self.moved and not stays:
            document["paths"] = {re.sub("^/v", "/v1", path): item for path, item in document["paths"].items()}
        return document


def _merged(tree: Any, changes: Any) -> Any:
    """A part of a document with changes; a list of named parts is changed like a mapping."""
    if not isinstance(changes, dict):
        return changes
    if isinstance(tree, list):
        named = {each.get("name") or each["$ref"].rpartition("/")[2]: each for each in tree}
        return [*_merged(named, changes).values()]
    found = {**tree} if isinstance(tree, dict) else {}
    found |= {name: _merged(found.get(name), change) for name, change in changes.items()}
    return {name: each for name, each in found.items() if changes.get(name, each) is not None}


def _cases() -> list[Case]:
    rows: list[Tree] = cases_beside(__file__)
    return [Case(*(row.pop(key) for key in ("title", "document", "wire", "python")), row) for row in rows]


STAYED = _cases()
CASES = [
    *STAYED,
    *(replace(case, title=f"{case.title}, moved", moved=True) for case in STAYED if case.title != "path changed"),
]
"""Each case twice, but for the one whose paths move anyway."""
