"""What a change does to the code that uses the generated package: which functions, models and enums
it breaks.

A name of the new package stands for the one of the old package that comes from the same place.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from victor_spec.generate import package_name
from victor_spec.tree import Tree, around

from .changes import Level, PythonChange, worst
from .compare import Sides
from .facts import SCHEMAS
from .packages import Package
from .surface import UNSET, Member, Owner, Part, Type, fits, is_untyped, renamed, text_of


def python_changes(
    sides: Sides, old: Path, new: Path, *, trees: tuple[Tree, Tree], name: str | None = None
) -> Mapping[str, PythonChange]:
    """Generate both packages into a temporary folder and compare them.

    `trees` is what `load` made of the documents, and `sides` what `compare` made of these. `name`
    is the name of the package; None takes it from the old document. The places are those of the
    old document where it has them. Raises the errors of `generate`.
    """
    package = package_name(old) if name is None else name
    before, after = trees
    with tempfile.TemporaryDirectory() as folder:
        earlier = Package(old, before, sides.old, Path(folder, "old"), package)
        newer = Package(new, after, sides.new, Path(folder, "new"), package)
    return package_changes(sides, earlier, newer, package)


def package_changes(
    sides: Sides, old: Package, new: Package, package: str
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

    def __init__(self, sides: Sides, old: Package, new: Package) -> None:
        self._sides = sides
        self._moved = sides.moves.now
        self._old = old
        self._new = new
        self._owners = old.surface.owners
        self._later = new.surface.owners
        self._now: dict[str, str] = {}
        """The new module of each old one, and the new class."""
        for name in self._owners:
            successor = self._successor(name)
            if successor is not None:
                self._now[name] = successor
        owners = self._owners | self._later
        self._bases = {name: owner.base for name, owner in owners.items() if owner.kind == "enum"}
        self._earlier = {self._moved(place) for place in sides.old.by_place}
        """The places in the new document of all that the old one has."""
        self._kept_classes: set[str] = set()
        """The places whose class has the same name before and after: a type that names it does not
        change.
        """
        for name, places in old.places.items():
            if self._now.get(name) == name:
                self._kept_classes.update(places)

    def _successor(self, name: str) -> str | None:
        """The new name of a function or a class, which comes from the same place."""
        places = {self._moved(place) for place in self._old.places.get(name, ())}
        kind = self._owners[name].kind
        same: list[str] = []
        for other, owner in self._later.items():
            if owner.kind == kind and not places.isdisjoint(self._new.places.get(other, ())):
                same.append(other)
        # Its own name first; but that may be the name of another class now.
        is_there = name in self._later and self._later[name].kind == kind
        if name in same or (is_there and not same):
            return name
        return same[0] if same else None

    def findings(self) -> Iterator[Finding]:
        """What happened to functions, classes, and the results of `read_webhook`."""
        for name, owner in self._owners.items():
            yield from self._findings_of(name, owner)
        known = {*self._now.values()}
        earlier: set[str] = set()
        for places in self._old.places.values():
            earlier.update(map(self._moved, places))
        for name, owner in self._later.items():
            places = self._new.places.get(name, [])
            if name not in known and earlier.isdisjoint(places):
                place = self._addition(places[:1], f"{SCHEMAS}{name}")
                yield Finding(place, "fine", _shown(name, owner), f"{_title(name, owner)} is new")
        yield from self._webhooks()

    # ---- Functions, models and enums ----

    def _findings_of(self, name: str, owner: Owner) -> Iterator[Finding]:
        """What happened to one function or class, and to what is in it."""
        places = self._old.places.get(name, [])
        default = places[0] if places else f"{SCHEMAS}{name}"
        now = self._now.get(name)
        title = _title(name, owner)
        if now is None:
            cause = self._cause(places, default)
            yield Finding(cause, "breaks", _shown(name, owner), f"{title} is gone")
            return
        later = self._later[now]
        if _leaf(now) != _leaf(name):
            place = self._named_after(places) or self._cause(places, default)
            yield Finding(place, "breaks", _shown(name, owner), f"{title} is now {_leaf(now)}")
        if owner.kind == "function":
            if now.rpartition(".")[0] != name.rpartition(".")[0]:
                what = f"the module {name} is now {now}"
                yield Finding(f"{default}.tags", "breaks", name, what)
            yield from self._returns(name, now)
        successors = self._parts(name, now)
        for part in owner.parts:
            yield from self._findings_of_part(name, now, part, successors.get(part))
        if owner.kind == "function":
            yield from self._order(name, owner, later, successors)
        for part in later.parts:
            if part not in successors.values():
                yield self._new_part(name, now, part)

    def _returns(self, module: str, now: str) -> Iterator[Finding]:
        """What happened to the type that a function returns."""
        before = self._owners[module]
        after = self._later[now]
        [operation] = self._old.places[module]
        place = f"{operation}.responses"
        gone = [mode for mode in before.modes if mode not in after.modes]
        level = self._is_read(before.returns, after.returns)
        if gone or level != "none":
            later = f"{self._moved(operation)}.responses"
            added = [part for part in self._sides.new.by_place if part.startswith(f"{later}.")]
            new = self._addition([*filter(self._is_new, added)], later)
            place = self._cause(self._below(place), new)
        if gone:
            lost = " and no ".join(gone)
            what = f"{_leaf(now)} has no {lost} now, because no answer has a content"
            yield Finding(place, "breaks", module, what)
        if level != "none":
            what = f"{_leaf(now)} returns {text_of(after.returns)}, not {text_of(before.returns)}"
            yield Finding(place, level, module, what)

    def _below(self, place: str) -> list[str]:
        """The places of the old document inside a place."""
        return [part for part in self._sides.old.by_place if part.startswith(f"{place}.")]

    # ---- Arguments, attributes and members ----

    def _parts(self, name: str, now: str) -> dict[str, str]:
        """The new name of each argument or attribute: its own, or that of its place."""
        before = self._owners[name].parts
        after = self._later[now].parts
        successors = {part: part for part in before if part in after}
        if self._owners[name].kind == "enum":
            return successors
        for part in before:
            if part not in successors:
                places = {self._moved(each) for each in self._old.places_of_part(name, part)}
                for other in after:
                    later = self._new.places_of_part(now, other)
                    if other not in successors.values() and not places.isdisjoint(later):
                        successors[part] = other
                        break
        return successors

    def _findings_of_part(
        self, name: str, now: str, part: str, successor: str | None
    ) -> Iterator[Finding]:
        """What happened to one argument, attribute or member of the old package."""
        owner = self._owners[name]
        is_function = owner.kind == "function"
        around_it = self._old.places.get(name, [])
        places = self._old.places_of_part(name, part)
        known = [place for place in places if place in self._sides.old.by_place]
        place = next(iter([*known, *around_it]), f"{SCHEMAS}{name}")
        shown = _shown_part(name, owner, part)
        before = _title_of_part(now if is_function else name, owner, part)
        if successor is None:
            cause = self._cause(known if is_function else [*known, *around_it], place)
            yield Finding(cause, "breaks", shown, f"{before} is gone")
            return
        cause = self._cause(known or around_it, place)
        old = owner.parts[part]
        new = self._later[now].parts[successor]
        title = _title_of_part(now, owner, successor)
        if successor != part:
            new_name = successor if is_function else title
            yield Finding(cause, "breaks", shown, f"{before} is now {new_name}")
        level = self._level(name, now, old, new)
        if level != "none":
            hidden = {UNSET} if is_function else set[Member]()
            types = f"{text_of(new.type - hidden)}, not {text_of(old.type - hidden)}"
            yield Finding(cause, level, shown, f"{title} is {types}")
        if name in self._old.surface.sent and old.required != new.required:
            level = "breaks" if new.required else "fine"
            what = f"{title} {'is required' if new.required else 'may be left out'} now"
            yield Finding(cause if is_function else place, level, shown, what)

    def _level(self, name: str, now: str, old: Part, new: Part) -> Level:
        """What another type does to those who read it, and to those who pass it."""
        if self._owners[name].kind == "enum":
            return "none" if old == new else "look"
        levels: list[Level] = []
        # What answers no longer have cannot be read in the wrong way.
        if name in self._old.surface.received and now in self._new.surface.received:
            levels.append(self._is_read(old.type, new.type))
        if name in self._old.surface.sent:
            levels.append(self._is_passed(old.type, new.type))
        return worst(levels)

    def _new_part(self, name: str, now: str, part: str) -> Finding:
        """An argument, attribute or member that only the new package has."""
        owner = self._later[now]
        places = [*self._new.places_of_part(now, part), *self._new.places.get(now, ())]
        known = [place for place in places if place in self._sides.new.by_place]
        place = self._addition(known, f"{SCHEMAS}{now}")
        shown = _shown_part(now, owner, part)
        title = _title_of_part(now, owner, part)
        if owner.kind == "enum":
            place = self._cause(self._old.places.get(name, []), place)
        elif name in self._old.surface.sent and owner.parts[part].required:
            return Finding(place, "breaks", shown, f"{title} is new and required")
        return Finding(place, "fine", shown, f"{title} is new")

    def _order(
        self, name: str, owner: Owner, later: Owner, successors: Mapping[str, str]
    ) -> Iterator[Finding]:
        """Whether the arguments by position have another order."""
        old = [part for part in owner.parts if owner.parts[part].positional]
        new = [part for part in later.parts if later.parts[part].positional]
        before = [successors[part] for part in old if part in successors]
        after = [part for part in new if part in before]
        if before != after:
            names = f"{', '.join(new)}, not {', '.join(old)}"
            what = f"the arguments of {_leaf(self._now[name])} by position are {names}"
            yield Finding(self._old.places[name][0], "breaks", name, what)

    # ---- Webhooks ----

    def _webhooks(self) -> Iterator[Finding]:
        """What happened to the results of `read_webhook`, with a name and without one."""
        known = self._old.hooks
        added = [place for place in self._new.hooks.values() if self._is_new(place)]
        for name, before in self._old.surface.webhooks.items():
            places = [known.get(name, f"webhooks.{name}")] if name else [*known.values()]
            shown = f"webhooks.read_webhook({name})"
            title = f"for {name}" if name else "without a name"
            after = self._new.surface.webhooks.get(name)
            if after is None:
                yield Finding(places[0], "breaks", shown, f"read_webhook has no result {title}")
                continue
            level = self._is_read(before, after)
            if level != "none":
                what = f"read_webhook returns {text_of(after)} {title}, not {text_of(before)}"
                cause = self._cause(places, places[0])
                yield Finding(added[0] if added and not name else cause, level, shown, what)

    # ---- Types ----

    def _is_read(self, before: Type, after: Type) -> Level:
        """What it does to a reader that `after` is declared, and not `before`, which has the old
        names of classes.
        """
        before = renamed(before, self._now)
        if before == after:
            return "none"
        is_look = fits(after, before, self._bases) and not is_untyped(after, before)
        return "look" if is_look else "breaks"

    def _is_passed(self, before: Type, after: Type) -> Level:
        """What it does to a caller that `after` is accepted, and not `before`.

        Whether it may be absent is left out.
        """
        before = renamed(before - {UNSET}, self._now)
        after = after - {UNSET}
        if before == after:
            return "none"
        is_fine = fits(before, after, self._bases) and not is_untyped(after, before)
        return "fine" if is_fine else "breaks"

    # ---- Causes ----

    def _cause(self, places: Collection[str], default: str) -> str:
        """The component whose change changed a name that comes from some places of the old
        document.
        """
        known = [place for place in places if place in self._sides.old.by_place]
        for place in known:
            if self._is_gone(place):
                # The largest part around it that the new document lacks.
                return next(filter(self._is_gone, around(place)))
        for place in known:
            cause = self._sides.cause_below(place, self._kept_classes)
            if cause is not None:
                return cause
        return default

    def _is_gone(self, place: str) -> bool:
        """Whether the old document has a place, and the new one lacks it."""
        is_there = self._moved(place) in self._sides.new.by_place
        return place in self._sides.old.by_place and not is_there

    def _is_new(self, place: str) -> bool:
        """Whether the new document has a place, and the old one lacks it."""
        return place in self._sides.new.by_place and place not in self._earlier

    def _addition(self, places: Collection[str], default: str) -> str:
        """The largest new part around the first of some places of the new document that is new;
        without one, the first place, or else `default`. In the names of the old document.
        """
        for place in places:
            if self._is_new(place):
                return self._sides.moves.before(next(filter(self._is_new, around(place))))
        return self._sides.moves.before(next(iter(places), default))

    def _named_after(self, places: Collection[str]) -> str | None:
        """What a function or a class is named after, if that has another name now: a schema, or an
        operation.
        """
        for place in places:
            part = self._sides.moves.part(place)
            if part is not None and part.startswith(SCHEMAS):
                return part
            for name, new in self._sides.same_operations.items():
                old = self._sides.old.operations[name]
                if not f"{place}.".startswith(f"{old.place}."):
                    continue
                before = old.tree.get("operationId")
                if before != new.tree.get("operationId"):
                    return f"{old.place}.operationId"
                if before is None and new.place != old.place:
                    return old.place
        return None


def _leaf(module: str) -> str:
    """The last name of a dotted one."""
    return module.rpartition(".")[2]


def _title(name: str, owner: Owner) -> str:
    """What a sentence calls a function or a class."""
    return f"the {'function' if owner.kind == 'function' else 'class'} {_leaf(name)}"


def _shown(name: str, owner: Owner) -> str:
    """How a function or a class is reported."""
    return name if owner.kind == "function" else f"models.{name}"


def _title_of_part(name: str, owner: Owner, part: str) -> str:
    """What a sentence calls an argument, an attribute or a member."""
    if owner.kind == "function":
        return f"the argument {part} of {_leaf(name)}"
    return f"{name}.{part}"


def _shown_part(name: str, owner: Owner, part: str) -> str:
    """How an argument, an attribute or a member is reported."""
    return f"{name}({part})" if owner.kind == "function" else f"models.{name}.{part}"
