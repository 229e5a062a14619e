"""Change the real documents of this project, compare each with the old one, and prove what the
comparison says.

Run as `python -m tests.rehearsal.rehearse [word in the title ...]`. `cases.yaml` has the
changes, each with its class on the wire and in Python.
"""

import json
import os
import re
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from tests.cases import cases_beside
from victor_spec.diff.changes import worst
from victor_spec.diff.compare import compare
from victor_spec.diff.packages import Side
from victor_spec.diff.python import package_changes
from victor_spec.document import load

from .exchange import OldClient, Proof
from .provider import Provider
from .user_code import UserCode, run, type_check

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
            document["paths"] = {
                re.sub("^/v", "/v1", path): item for path, item in document["paths"].items()
            }
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
    return [
        Case(*(row.pop(key) for key in ("title", "document", "wire", "python")), row)
        for row in rows
    ]


STAYED = _cases()
CASES = [
    *STAYED,
    *(
        replace(case, title=f"{case.title}, moved", moved=True)
        for case in STAYED
        if case.title != "path changed"
    ),
]
"""Each case twice, but for the one whose paths move anyway."""


OPENAPI = Path(__file__).resolve().parents[3] / "openapi"


class Found(NamedTuple):
    """What can be found out of a case without the others."""

    told: tuple[str, str]
    """The levels of the comparison, on the wire and in Python."""
    wire: Proof
    same_surface: bool
    entries: str


@cache
def _old(document: str, folder: Path) -> tuple[Side, OldClient, UserCode]:
    path, base = OPENAPI / f"{document}.yaml", folder / f"old_{document}_{os.getpid()}"
    made = Side(path, load(path), base, f"{document}_api")
    return (
        made,
        OldClient(f"{document}_api", Provider(load(path))),
        UserCode(base / f"{document}_api"),
    )


def _rehearse(number: int, folder: Path) -> Found:
    case, name = CASES[number], f"case_{number}"
    old, client, user = _old(case.document, folder)
    path, changed = OPENAPI / f"{case.document}.yaml", folder / f"{name}.json"
    document = case.new(load(path))
    changed.write_text(json.dumps(document), encoding="utf-8")
    new = Side(changed, load(changed), folder, f"{name}_pkg")
    for kind in ("user", "strict"):
        (folder / f"{name}_{kind}.py").write_text(
            user.text(f"{name}_pkg", strict=kind == "strict"), encoding="utf-8"
        )
    same_surface = UserCode(folder / f"{name}_pkg").text(f"{name}_pkg") == user.text(f"{name}_pkg")
    comparison = compare(
        load(path), load(changed), package_changes(old, new, f"{case.document}_api")
    )
    entries = comparison.entries
    others = [each for each in entries if not (case.moved and each.what.startswith("moved to "))]
    told = worst(each.wire for each in others), worst(each.python for each in entries)
    shown = "; ".join(f"{each.place}: {each.wire}/{each.python} {each.what}" for each in entries)
    proof = client.talk_to(Provider(document))
    if case.moved and proof.level == worst(each.wire for each in entries) == "breaks":
        stayed = Provider(case.new(load(path), stays=True))
        proof = client.talk_to(stayed, Provider(document), comparison.moved)
    return Found(told, proof, same_surface, shown)


def _python_proof(
    name: str, failed: dict[str, str], refused: dict[str, str], *, same_surface: bool
) -> Proof:
    """What became of the user code of a case, in a run and in a type check."""
    problem = failed.get(name) or refused.get(f"{name}_user")
    if problem is not None:
        return Proof("breaks", problem)
    if f"{name}_strict" in refused:
        return Proof("look", refused[f"{name}_strict"])
    return Proof("none" if same_surface else "fine", "the user code type-checks and runs")


def main(words: list[str]) -> int:
    """Returns 0 when every class is told, and proven, as the case says."""
    began = time.monotonic()
    numbers = [
        number
        for number, case in enumerate(CASES)
        if not words or any(word in f"{case.document} {case.title}" for word in words)
    ]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            found = dict(
                zip(numbers, pool.map(partial(_rehearse, folder=folder), numbers), strict=True)
            )
        names = [f"case_{number}" for number in numbers]
        failed = run(folder, names, "{}_pkg")
        refused = type_check(
            folder, [f"{name}_{kind}" for name in names for kind in ("user", "strict")]
        )
    wrong = 0
    for number, each in found.items():
        case = CASES[number]
        python = _python_proof(f"case_{number}", failed, refused, same_surface=each.same_surface)
        said, proven = (case.wire, case.python), (each.wire.level, python.level)
        holds = said == each.told == proven
        wrong += not holds
        print(
            f"{'ok ' if holds else 'NOT'} {case.document:10} {case.title:55} {said[0]:6}  {said[1]}"
        )
        if not holds or words:
            print(
                f"      told {each.told} proven {proven}",
                each.wire,
                python,
                each.entries,
                sep="\n      ",
            )
    print(f"{len(found) - wrong} of {len(found)} hold, in {time.monotonic() - began:.0f} s")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
