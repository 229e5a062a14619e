"""Compare each changed document with the old one, and prove what the comparison says.

Run as `python -m tests.spec.rehearsal.rehearse [word in the title ...]`.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from victor_ext.spec.diff.compare import compare
from victor_ext.spec.diff.entry import worst
from victor_ext.spec.diff.python import Generated, package_changes
from victor_ext.spec.document import load

from .cases import CASES, Case
from .exchange import OldClient, Proof
from .provider import Provider
from .user_code import UserCode, run, type_check

OPENAPI = Path(__file__).resolve().parents[3] / "openapi"
PROCESSES = 2


class Pair(NamedTuple):
    """Something for each of the two columns."""

    wire: Proof | str
    python: Proof | str


@dataclass
class Result:
    """What the case says, what the comparison tells, and what was seen."""

    case: Case
    told: Pair
    proven: Pair
    entries: str

    @property
    def holds(self) -> bool:
        said = (self.case.wire, self.case.python)
        return said == tuple(self.told) == tuple(each.level for each in self.proven if isinstance(each, Proof))

    def line(self) -> str:
        wire, python = (
            f"{said:6}" if said == told == proven.level else f"{said} told {told} proven {proven.level}"
            for said, told, proven in zip((self.case.wire, self.case.python), self.told, self.proven, strict=True)
            if isinstance(proven, Proof)
        )
        return f"{'ok ' if self.holds else 'NOT'} {self.case.document:10} {self.case.title:55} {wire}  {python}"

    def reasons(self) -> str:
        return f"      {self.proven.wire}\n      {self.proven.python}\n      {self.entries}"


def rehearse(cases: Sequence[Case], processes: int = PROCESSES) -> list[Result]:
    """Run cases: the documents in some processes (1: in this one), and then one type check of all user code."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        numbers = [CASES.index(case) for case in cases]
        if processes == 1:
            found = dict(_share(numbers, folder))
        else:
            shares = [[number for number in numbers if number % processes == share] for share in range(processes)]
            with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
                found = dict(pair for part in pool.map(_share, shares, [folder] * processes) for pair in part)
        proven = _python_proofs(folder, numbers, {number: each.same_surface for number, each in found.items()})
        return [
            Result(CASES[number], found[number].told, Pair(found[number].wire, proven[number]), found[number].entries)
            for number in numbers
        ]


class _Found(NamedTuple):
    told: Pair
    wire: Proof
    same_surface: bool
    entries: str


def _share(numbers: list[int], folder: Path) -> list[tuple[int, _Found]]:
    """What can be found out of each case without the others."""
    old: dict[str, tuple[Generated, OldClient, UserCode]] = {}
    found: list[tuple[int, _Found]] = []
    for number in numbers:
        case = CASES[number]
        path = OPENAPI / f"{case.document}.yaml"
        if case.document not in old:
            base = folder / f"old_{case.document}_{number}"
            made = Generated.of(path, load(path), base, f"{case.document}_api")
            client = OldClient(f"{case.document}_api", Provider(load(path)))
            old[case.document] = (made, client, UserCode(base / f"{case.document}_api"))
        found.append((number, _one(number, folder, *old[case.document])))
    return found


def _one(number: int, folder: Path, old: Generated, client: OldClient, user: UserCode) -> _Found:
    case, name = CASES[number], f"case_{number}"
    path = OPENAPI / f"{case.document}.yaml"
    document = case.new(load(path))
    changed = folder / f"{name}.json"
    changed.write_text(json.dumps(document), encoding="utf-8")
    new = Generated.of(changed, load(changed), folder, f"{name}_pkg")
    for kind in ("user", "strict"):
        (folder / f"{name}_{kind}.py").write_text(user.text(f"{name}_pkg", strict=kind == "strict"), encoding="utf-8")
    same_surface = UserCode(folder / f"{name}_pkg").text(f"{name}_pkg") == user.text(f"{name}_pkg")
    changes = package_changes(old, new, f"{case.document}_api")
    comparison = compare(load(path), load(changed), changes)
    else_ = [each for each in comparison.entries if not (case.moved and each.what.startswith("moved to "))]
    told = Pair(worst(each.wire for each in else_), worst(each.python for each in comparison.entries))
    shown = "; ".join(f"{each.place}: {each.wire}/{each.python} {each.what}" for each in comparison.entries)
    provider = Provider(document)
    if not case.moved:
        return _Found(told, client.talk_to(provider), same_surface, shown)
    where_it_was = client.talk_to(provider)
    if where_it_was.level != "breaks" or worst(each.wire for each in comparison.entries) != "breaks":
        return _Found(told, where_it_was, same_surface, shown)
    stayed = Provider(case.new(load(path), stays=True))
    return _Found(told, client.talk_to(stayed, provider, comparison.moved), same_surface, shown)


def _python_proofs(folder: Path, numbers: list[int], same_surface: dict[int, bool]) -> dict[int, Proof]:
    """Run the user code of every case, and type-check all of it at once."""
    names = [f"case_{number}" for number in numbers]
    failed = run(folder, names, "{}_pkg")
    refused = type_check(folder, [f"{name}_{kind}" for name in names for kind in ("user", "strict")])
    found: dict[int, Proof] = {}
    for number, name in zip(numbers, names, strict=True):
        problem = failed.get(name) or refused.get(f"{name}_user")
        if problem is not None:
            found[number] = Proof("breaks", problem)
        elif f"{name}_strict" in refused:
            found[number] = Proof("look", refused[f"{name}_strict"])
        else:
            found[number] = Proof("none" if same_surface[number] else "fine", "the user code type-checks and runs")
    return found


def main(words: list[str]) -> int:
    """Returns 0 when every class is told, and proven, as the case says."""
    began = time.monotonic()
    cases = [case for case in CASES if not words or any(word in f"{case.document} {case.title}" for word in words)]
    results = rehearse(cases)
    for result in results:
        print(result.line())
        if not result.holds or words:
            print(result.reasons())
    print()
    for column in ("wire", "python"):
        levels = [getattr(result.case, column) for result in results]
        counts = ", ".join(f"{levels.count(level)} {level}" for level in ("breaks", "look", "fine", "none"))
        told = sum(getattr(result.told, column) == getattr(result.case, column) for result in results)
        proven = sum(getattr(result.proven, column).level == getattr(result.case, column) for result in results)
        print(f"{column:7} {counts}; told right: {told} of {len(results)}, proven: {proven} of {len(results)}")
    print(f"{sum(result.holds for result in results)} of {len(results)} hold, in {time.monotonic() - began:.0f} s")
    return int(not all(result.holds for result in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
