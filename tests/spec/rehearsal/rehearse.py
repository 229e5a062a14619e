"""Compare each changed document with the old one, and prove what the comparison says.

Run as `python -m tests.spec.rehearsal.rehearse [word in the title ...]`.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from victor_ext.spec.diff.changes import worst
from victor_ext.spec.diff.compare import compare
from victor_ext.spec.diff.packages import Side
from victor_ext.spec.diff.python import package_changes
from victor_ext.spec.document import load

from .cases import CASES
from .exchange import OldClient, Proof
from .provider import Provider
from .user_code import UserCode, run, type_check

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
    return made, OldClient(f"{document}_api", Provider(load(path))), UserCode(base / f"{document}_api")


def _rehearse(number: int, folder: Path) -> Found:
    case, name = CASES[number], f"case_{number}"
    old, client, user = _old(case.document, folder)
    path, changed = OPENAPI / f"{case.document}.yaml", folder / f"{name}.json"
    document = case.new(load(path))
    changed.write_text(json.dumps(document), encoding="utf-8")
    new = Side(changed, load(changed), folder, f"{name}_pkg")
    for kind in ("user", "strict"):
        (folder / f"{name}_{kind}.py").write_text(user.text(f"{name}_pkg", strict=kind == "strict"), encoding="utf-8")
    same_surface = UserCode(folder / f"{name}_pkg").text(f"{name}_pkg") == user.text(f"{name}_pkg")
    comparison = compare(load(path), load(changed), package_changes(old, new, f"{case.document}_api"))
    entries = comparison.entries
    others = [each for each in entries if not (case.moved and each.what.startswith("moved to "))]
    told = worst(each.wire for each in others), worst(each.python for each in entries)
    shown = "; ".join(f"{each.place}: {each.wire}/{each.python} {each.what}" for each in entries)
    proof = client.talk_to(Provider(document))
    if case.moved and proof.level == worst(each.wire for each in entries) == "breaks":
        stayed = Provider(case.new(load(path), stays=True))
        proof = client.talk_to(stayed, Provider(document), comparison.moved)
    return Found(told, proof, same_surface, shown)


def _python_proof(name: str, failed: dict[str, str], refused: dict[str, str], *, same_surface: bool) -> Proof:
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
            found = dict(zip(numbers, pool.map(partial(_rehearse, folder=folder), numbers), strict=True))
        names = [f"case_{number}" for number in numbers]
        failed = run(folder, names, "{}_pkg")
        refused = type_check(folder, [f"{name}_{kind}" for name in names for kind in ("user", "strict")])
    wrong = 0
    for number, each in found.items():
        case = CASES[number]
        python = _python_proof(f"case_{number}", failed, refused, same_surface=each.same_surface)
        said, proven = (case.wire, case.python), (each.wire.level, python.level)
        holds = said == each.told == proven
        wrong += not holds
        print(f"{'ok ' if holds else 'NOT'} {case.document:10} {case.title:55} {said[0]:6}  {said[1]}")
        if not holds or words:
            print(f"      told {each.told} proven {proven}", each.wire, python, each.entries, sep="\n      ")
    print(f"{len(found) - wrong} of {len(found)} hold, in {time.monotonic() - began:.0f} s")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
