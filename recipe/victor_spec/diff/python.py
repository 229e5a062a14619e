"""What a change does to the code that uses the generated package: which functions, models and enums
it breaks.

A name of the new package stands for the one of the old package that comes from the same place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from victor_spec.generate import package_name, parsed
from victor_spec.tree import Tree, around

from .changes import Level, PythonChange, worst
from .compare import Sides
from .facts import SCHEMAS
from .surface import UNSET, Name, Surface, Type, fits, is_untyped, renamed, text_of


def python_changes(
    sides: Sides, old: Path, new: Path, *, trees: tuple[Tree, Tree], name: str | None = None
) -> Mapping[str, PythonChange]:
    """Compare the packages of both documents.

    `trees` is what `load` made of the documents, and `sides` what `compare` made of these. `name`
    is the name of the package; None takes it from the old document. The places are those of the
    old document where it has them. Raises the errors of `parsed`.
    """
    before, after = trees
    earlier = Surface(parsed(old, before, trace=True), before, sides.old)
    newer = Surface(parsed(new, after, trace=True), after, sides.new)
    return package_changes(sides, earlier, newer, package_name(old) if name is None else name)


def package_changes(
    sides: Sides, old: Surface, new: Surface, package: str
) -> Mapping[str, PythonChange]:
    """Compare two packages; `package` is the name that is reported."""
    by_place: dict[str, list[Finding]] = {}
    for finding in _Packages(sides, old, new).findings():
        by_place.setdefault(finding.place, []).append(finding)
    stays = set(filter(sides.stays, by_place))
    by_cause: dict[str, list[PythonChange]] = {}
    for place, findings in sorted(by_place.items()):
        changes = by_cause.setdefault(sides.cause_around(place, stays), [])
        level = worst(finding.level for finding in findings)
        for finding in findings:
            if finding.level == level:
                changes.append(PythonChange(level, (f"{package}.{finding.name}",), finding.what))
    return {place: PythonChange.joined(changes) for place, changes in by_cause.items()}


class Finding(NamedTuple):
    """One changed name."""

    place: str
    level: Level
    name: str
    """Without the name of the package: `models.Card.price`."""
    what: str


class _Packages:
    """Two packages: which names of the new one stand for which names of the old one."""

    def __init__(self, sides: Sides, old: Surface, new: Surface) -> None:
        self._sides = sides
        self._moved = sides.moves.now
        self._old = old
        self._new = new
        self._by_place: dict[tuple[str, str, str], list[str]] = {}
        """The new names by kind, what they are a part of, and place."""
        for name, after in new.names.items():
            for place in after.places:
                self._by_place.setdefault((after.kind, after.owner, place), []).append(name)
        self._new_name_of: dict[str, str] = {}
        """The new name of each old one that is still there."""
        self._classes: dict[str, str] = {}
        """Those of classes, as types have them."""
        self._bases: dict[str, str] = {}
        """The plain type of each enum."""
        self._kept: set[str] = set()
        """The places whose class has the same name before and after: a type that names it does not
        change.
        """
        for name, before in old.names.items():
            successor = self._successor(name, before)
            if successor is not None:
                self._new_name_of[name] = successor
                self._classes[before.name] = new.names[successor].name
                if name == successor:
                    self._kept.update(before.places)
        for each in [*old.names.values(), *new.names.values()]:
            if each.kind == "enum":
                self._bases[each.name] = text_of(each.type)
        self._earlier = {self._moved(place) for place in sides.old.by_place}
        """The places in the new document of all that the old one has."""

    def _successor(self, name: str, before: Name) -> str | None:
        """What stands for a name: what comes from the same place, or has the same name. Its own
        name first; but that may be the name of something else now.
        """
        if before.owner and before.owner not in self._new_name_of:
            return None
        owner = self._new_name_of.get(before.owner, "")
        own = owner + name[len(before.owner) :]
        same: list[str] = []
        for place in before.places:
            same += self._by_place.get((before.kind, owner, self._moved(place)), [])
        is_there = own in self._new.names and self._new.names[own].kind == before.kind
        if is_there and (owner or own in same or not same):
            return own
        for other in same:
            # Parts stay apart; classes may be joined, since equal enums share one.
            if not owner or before.owner + other[len(owner) :] not in self._old.names:
                return other
        return None

    def findings(self) -> Iterator[Finding]:
        """What happened to all names."""
        earlier: set[str] = set()
        for name, before in self._old.names.items():
            earlier.update(map(self._moved, before.places))
            if name in self._new_name_of:
                yield from self._changes_of(name, before)
            elif not before.owner or before.owner in self._new_name_of:
                places = [*before.places, *self._around(before)]
                yield Finding(self._cause(places), "breaks", name, f"{before.title} is gone")
        origins = {now: name for name, now in self._new_name_of.items()}
        for name, after in self._new.names.items():
            is_new = after.owner in origins or (
                not after.owner and earlier.isdisjoint(after.places)
            )
            if name not in origins and is_new:
                yield self._addition_of(name, after, origins.get(after.owner, ""))

    def _around(self, before: Name) -> Sequence[str]:
        """The places of what an old name is a part of."""
        return self._old.names[before.owner].places if before.owner else ()

    def _changes_of(self, name: str, before: Name) -> Iterator[Finding]:
        """What is different about a name that has a successor: its last part, its module, its type,
        and the order of a function's arguments.
        """
        after = self._new.names[self._new_name_of[name]]
        shown = name.removesuffix("()")
        yield from self._renamed(shown, before, after)
        for level, what in self._retyped(name, before, after):
            if level != "none":
                places = self._sides.old.known(before.places) or self._around(before)
                yield Finding(self._cause(places, after.places), level, shown, what)
        if before.kind == "function":
            yield from self._reordered(name, before)

    def _renamed(self, shown: str, before: Name, after: Name) -> Iterator[Finding]:
        """Whether a name has another last part now, and whether it is in another module."""
        old_module, _, old_leaf = before.name.rpartition(".")
        new_module, _, new_leaf = after.name.rpartition(".")
        if old_leaf != new_leaf:
            place = "" if before.owner else self._named_after(before.places)
            place = place or self._cause(before.places)
            now = after.title if after.kind == "attribute" else new_leaf
            yield Finding(place, "breaks", shown, f"{before.title} is now {now}")
        if old_module != new_module:
            what = f"the module {before.name} is now {after.name}"
            yield Finding(f"{before.places[0]}.tags", "breaks", shown, what)

    def _reordered(self, name: str, before: Name) -> Iterator[Finding]:
        """Whether the arguments by position of a function have another order."""
        old = self._old.by_position.get(name, [])
        new = self._new.by_position.get(self._new_name_of[name], [])
        kept = [self._new_name_of[each] for each in old if each in self._new_name_of]
        if kept != [each for each in new if each in kept]:
            order = ", ".join(self._new.names[each].name for each in new)
            former = ", ".join(self._old.names[each].name for each in old)
            leaf = self._new_name_of[name].rpartition(".")[2]
            what = f"the arguments of {leaf} by position are {order}, not {former}"
            yield Finding(before.places[0], "breaks", name, what)

    def _retyped(self, name: str, before: Name, after: Name) -> Iterator[tuple[Level, str]]:
        """What another type does to those who read it, and to those who pass it; and that something
        has to be there now.
        """
        is_result = before.kind == "result"
        is_passed = name in self._old.passed
        levels: list[Level] = []
        if before.kind == "member":
            levels.append("none" if before.type == after.type else "look")
        else:
            # What answers no longer have cannot be read in the wrong way.
            if name in self._old.read and self._new_name_of[name] in self._new.read:
                levels.append(self._level_of_type(before.type, after.type))
            if is_passed:
                levels.append(self._level_of_type(before.type, after.type, is_passed=True))
        if is_result and before.is_required and not after.is_required:
            lost = "no sync and no asyncio"
            yield "breaks", f"{after.title} has {lost} now, because no answer has a content"
        verb = "returns" if is_result else "is"
        types = f"{text_of(after.type)}, not {text_of(before.type)}"
        yield worst(levels), f"{after.title} {verb} {types}"
        if is_passed and after.is_required and not before.is_required:
            yield "breaks", f"{after.title} is required now"
        elif is_passed and before.is_required and not after.is_required:
            yield "fine", f"{after.title} may be left out now"

    def _addition_of(self, name: str, after: Name, owner: str) -> Finding:
        """A name that only the new package has. `owner` is the old name of what it is a part of."""
        around_it = self._new.names[after.owner].places if owner else ()
        place = self._cause((), [*after.places, *around_it])
        if after.kind == "member":
            place = self._cause(self._old.names[owner].places)
        is_passed = after.kind == "argument" or owner in self._old.passed
        if after.is_required and is_passed:
            return Finding(place, "breaks", name, f"{after.title} is new and required")
        return Finding(place, "fine", name, f"{after.title} is new")

    def _level_of_type(self, before: Type, after: Type, *, is_passed: bool = False) -> Level:
        """What it does to a reader that `after` is declared, and not `before`, which has the old
        names of classes; or to a caller, who may leave out what may be absent.
        """
        before = renamed(before, self._classes)
        if is_passed:
            before -= {UNSET}
            after -= {UNSET}
        if before == after:
            return "none"
        value, declared = (before, after) if is_passed else (after, before)
        if is_untyped(after, before) or not fits(value, declared, self._bases):
            return "breaks"
        return "fine" if is_passed else "look"

    # ---- Causes ----

    def _cause(self, places: Sequence[str], later: Sequence[str] = ()) -> str:
        """The component whose change changed a name that comes from some places of the old
        document, or from the `later` ones of the new document: the largest that is gone around one
        of these, one that differs, or the largest that is new. Without one, the first place.
        """
        known = self._sides.old.known(places)
        for place in known:
            if self._is_gone(place):
                return next(filter(self._is_gone, around(place)))
        for place in known:
            cause = self._sides.cause_below(place, self._kept)
            if cause is not None:
                return cause
        added = self._sides.new.known(later)
        new = [part for place in added for part in around(place) if self._is_new(part)]
        before = map(self._sides.moves.before, [*new, *added, *later])
        return next(iter([*known, *places, *before] if not new else before))

    def _is_gone(self, place: str) -> bool:
        """Whether the old document has a place, and the new one lacks it."""
        is_there = self._moved(place) in self._sides.new.by_place
        return place in self._sides.old.by_place and not is_there

    def _is_new(self, place: str) -> bool:
        """Whether the new document has a place, and the old one lacks it."""
        return place in self._sides.new.by_place and place not in self._earlier

    def _named_after(self, places: Sequence[str]) -> str:
        """What a function or a class is named after, if that has another name now: a schema, or an
        operation.
        """
        for place in places:
            moved = [part for part in around(place) if self._moved(part) != part]
            if moved and moved[0].startswith(SCHEMAS):
                return moved[0]
            for name, new in self._sides.same_operations.items():
                old = self._sides.old.operations[name]
                if not f"{place}.".startswith(f"{old.place}."):
                    continue
                before = old.tree.get("operationId")
                if before != new.tree.get("operationId"):
                    return f"{old.place}.operationId"
                if before is None and new.place != old.place:
                    return old.place
        return ""
