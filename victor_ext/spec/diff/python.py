"""What a change does to the code that uses the generated package."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from victor_ext.spec.document import load
from victor_ext.spec.generate import GenerationResult, generate, package_name
from victor_ext.spec.tree import Tree

from .entry import PythonChange, worst
from .names import class_findings, function_findings, webhook_findings
from .packages import Blame, Packages, Side
from .surface import Surface, surface_of


@dataclass(frozen=True)
class Generated:
    """A package, with the document that it was generated from."""

    side: Side
    surface: Surface
    made: GenerationResult

    @classmethod
    def of(cls, document: Path, tree: Tree, folder: Path, name: str, decimals: Collection[str] = ()) -> Generated:
        """Generate the package `name` of a loaded document into a folder. Raises the errors of `generate`."""
        made = generate(document, folder, name=name, trace=True, tree=tree, decimals=decimals)
        return cls(Side(tree, made.origins), surface_of(made.package) if made.written else Surface(), made)


def python_changes(
    old: Path, new: Path, *, name: str | None = None, trees: tuple[Tree, Tree] | None = None
) -> Mapping[str, PythonChange]:
    """Generate both packages into a temporary folder and compare them.

    `trees` is what `load` made of the documents; None loads them. `name` is the name of the package; None takes it from
    the old document. The places are those of the old document where it has them. Raises the errors of `generate`.
    """
    package = package_name(old) if name is None else name
    before, after = trees or (load(old), load(new))
    with tempfile.TemporaryDirectory() as folder:
        earlier = Generated.of(old, before, Path(folder, "old"), package)
        newer = Generated.of(new, after, Path(folder, "new"), package)
    return package_changes(earlier, newer, package)


def package_changes(old: Generated, new: Generated, package: str) -> Mapping[str, PythonChange]:
    """Compare two packages; `package` is the name that is reported."""
    packages = Packages(old.surface, new.surface, Blame(old.side, new.side))
    by_place: dict[str, list[PythonChange]] = {}
    for each in (*function_findings(packages), *webhook_findings(packages), *class_findings(packages)):
        change = PythonChange(each.level, (f"{package}.{each.name}",), each.what)
        by_place.setdefault(each.place, []).append(change)
    return {place: PythonChange.joined(_worst(found)) for place, found in sorted(by_place.items())}


def _worst(changes: list[PythonChange]) -> list[PythonChange]:
    level = worst(each.level for each in changes)
    return [each for each in changes if each.level == level]
