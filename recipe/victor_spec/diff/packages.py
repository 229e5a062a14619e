"""Compare two generated packages: what of the code that uses the old one fails with the new one
(recipe/docs/changes.md).

Names come from places in the documents (`Origins`). The cause of another name is the place,
something around it that is gone, or something it refers to.
"""

import os
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from victor_spec.components import Components
from victor_spec.generate import generate
from victor_spec.tree import Tree, around, hooks, place_of, trees_at

from .changes import Level
from .moves import Moves
from .surface import UNSET, Surface, Type, fits, renamed

_SHAPE = (
    "type",
    "format",
    "nullable",
    "enum",
    "const",
    "required",
    "readOnly",
    "writeOnly",
    "in",
    "name",
    "style",
    "explode",
    "contentEncoding",
    "contentMediaType",
    "x-enum-varnames",
)
"""The keys that decide types and names, where a part does not contain others."""
KINDS = ("functions", "models", "enums")
"""What a package has, as `Surface` calls it."""


NO_SETTINGS = Path(os.devnull) / "none"
"""A file that does not exist: a comparison needs no typed records."""


class Side:
    """One of the two documents: its components, its package, and the places of the names in
    that.
    """

    def __init__(
        self,
        path: Path,
        document: Tree,
        components: Components,
        folder: Path,
        name: str,
        decimals: Collection[str] = (),
        settings: Path = NO_SETTINGS,
        *,
        typed: bool = False,
    ) -> None:
        """Generate the package `name` of a loaded document into a folder.

        `components` are those that `compare` made of the document, and `settings` is the file for
        its typed modules, which are wanted without it, too, if `typed`. Raises the errors of
        `generate`.
        """
        self.made = generate(
            path,
            folder,
            name=name,
            trace=True,
            tree=document,
            decimals=decimals,
            settings=settings,
            typed=typed,
        )
        self.surface = Surface(self.made.package)
        self.components = components
        self._sorted = sorted(self.components.by_place)
        self._exact: dict[str, str] = {}
        """By the place that `Origins` has for a part, the place of its component."""
        for part in self.components.by_id.values():
            for place in place_of(part.tree):
                self._exact[place] = part.place
        origins = self.made.origins
        self.owners: dict[str, tuple[str, ...]] = {}
        """By the module of a function, which has one place, or the name of a class."""
        for module, place in origins.functions.items():
            self.owners[module] = self._places([place])
        for class_, places in origins.classes.items():
            self.owners[class_] = self._places(places)
        self.places: dict[tuple[str, str], tuple[str, ...]] = {}
        """By the function, or the model, and the name of its argument, or attribute."""
        for member, places in (origins.arguments | origins.attributes).items():
            self.places[member] = self._places(places)
        self.hooks = {hook.name: hook.place for hook in hooks(document)}

    def __contains__(self, place: str) -> bool:
        return place in self.components.by_place

    def tree(self, place: str) -> Tree:
        """What the document has at a place; {} when there is nothing."""
        component = self.components.by_place.get(place)
        return component.tree if component is not None else {}

    def below(self, place: str) -> Iterator[str]:
        """A place, and the places inside it."""
        if place in self:
            yield place
        for mark in (".", "["):
            start = place + mark
            for number in range(bisect_left(self._sorted, start), len(self._sorted)):
                if not self._sorted[number].startswith(start):
                    break
                yield self._sorted[number]

    def member(self, owner: str, name: str) -> list[str]:
        """The places of an attribute; or of an argument, with what the operation, or its path, has
        for it.
        """
        places = [*self.places.get((owner, name), ())]
        if owner in self.surface.functions:
            places.extend(self._uses(owner, places.copy()))
        return [place for place in dict.fromkeys(places) if place in self]

    def _uses(self, function: str, places: Sequence[str]) -> Iterator[str]:
        """The places where an operation, and its path, list parameters."""
        (operation,) = self.owners[function]
        path = operation.rpartition(".")[0]
        for tree in map(self.tree, places):
            if "in" in tree and "name" in tree:
                for user in (operation, path):
                    yield f"{user}.parameters.{tree['in']}:{tree['name']}"

    def _places(self, places: Iterable[str]) -> tuple[str, ...]:
        """Places of `Origins` as `components` writes them: a member of `allOf` has the place of its
        schema.
        """
        return tuple(dict.fromkeys(self._exact.get(place, place) for place in places))


def _targets(side: Side, tree: Tree) -> list[str]:
    """The places that a part refers to directly, or by way of `allOf`."""
    targets: list[str] = []
    for part in (tree, *trees_at(tree, "allOf")):
        whole = side.components.of(side.components.resolve(part)) if "$ref" in part else None
        if whole is not None:
            targets.append(whole.place)
    return targets


class Finding(NamedTuple):
    """One changed name."""

    place: str
    level: Level
    name: str
    """Without the name of the package: `models.Card.price`."""
    what: str


class Packages:
    """Two packages: which names of the new one stand for which names of the old one, and what
    caused a change.
    """

    def __init__(self, old: Side, new: Side, moves: Moves) -> None:
        self.old = old
        self.new = new
        self.moves = moves
        self.moved = self.moves.now
        self.now: dict[str, str | None] = {}
        """The new module of each old one, and the new class; None for what is gone."""
        for kind in KINDS:
            after = vars(new.surface)[kind].keys()
            for name in vars(old.surface)[kind]:
                self.now[name] = self._now(name, after)
        self._names = {name: now for name, now in self.now.items() if now is not None}
        enums = old.surface.enums | new.surface.enums
        self._bases = {name: words.base for name, words in enums.items()}
        self._earlier = set(map(self.moved, old.components.by_place))
        """The places in the new document of all that the old one has."""
        self._same: set[str] = set()
        """The places whose class has the same name before and after: a type that names it does not
        change.
        """
        for name, places in old.owners.items():
            later = new.owners.get(name, ())
            self._same |= {place for place in places if self.moved(place) in later}

    def _now(self, name: str, kind: Collection[str]) -> str | None:
        """The new name of a function or a class, which comes from the same place."""
        earlier = self.old.owners.get(name, ())
        places = set(map(self.moved, earlier))
        same: list[str] = []
        for other in kind:
            later = self.new.owners.get(other, ())
            if not places.isdisjoint(later):
                same.append(other)
        # Its own name first; but that may be the name of another class now.
        if name in same or (name in kind and not same):
            return name
        return same[0] if same else None

    def is_read(self, before: Type, after: Type) -> Level:
        """What it does to a reader that `after` is declared, and not `before`, which has the old
        names of classes.
        """
        before = renamed(before, self._names)
        if before == after:
            return "none"
        return "look" if fits(after, before, self._bases) else "breaks"

    def is_passed(self, before: Type, after: Type) -> Level:
        """What it does to a caller that `after` is accepted, and not `before`.

        Whether it may be absent is left out.
        """
        before = renamed(before - {UNSET}, self._names)
        after = after - {UNSET}
        if before == after:
            return "none"
        return "fine" if fits(before, after, self._bases) else "breaks"

    def renamed_by(self, place: str) -> str | None:
        """What gave the function of an operation another name: its id, or its path; None when both
        are the same.
        """
        now = self.moved(place)
        before = self.old.tree(place).get("operationId")
        after = self.new.tree(now).get("operationId")
        if before != after:
            return f"{place}.operationId"
        return place if before is None and now != place else None

    def cause(self, places: Iterable[str], default: str) -> str:
        """The component whose change changed a name that comes from some places of the old
        document.
        """
        known = [place for place in places if place in self.old]
        for place in known:
            if self._is_gone(place):
                # The largest part around it that the new document lacks.
                return next(filter(self._is_gone, around(place)))
        for place in known:
            cause = self._first_difference(place, set())
            if cause is not None:
                return cause
        return default

    def _is_gone(self, place: str) -> bool:
        """Whether the old document has a place, and the new one lacks it."""
        return place in self.old and self.moved(place) not in self.new

    def is_new(self, place: str) -> bool:
        """Whether the new document has a place, and the old one lacks it."""
        return place in self.new and place not in self._earlier

    def addition(self, places: Sequence[str], default: str) -> str:
        """Which addition to report for some places of the new document: the largest new part around
        the first place that is new. If no place is new: the first place, or else `default`.

        The result is in the names of the old document.
        """
        for place in places:
            if self.is_new(place):
                # `around` goes from the outside in, and ends with the place itself, which is new.
                largest = next(filter(self.is_new, around(place)))
                return self.moves.before(largest)
        return self.moves.before(places[0] if places else default)

    def _first_difference(self, place: str, seen: set[str]) -> str | None:
        """The first part at or inside a place that decides types and differs; then what those parts
        refer to.
        """
        if place in seen:
            return None
        seen.add(place)
        inside = [*self.old.below(place)]
        for part in inside:
            if self._is_gone(part) or self._differs(part):
                return part
        known = set(map(self.moved, inside))
        for part in self.new.below(self.moved(place)):
            if part not in known:
                return part
        for part in inside:
            for target in _targets(self.old, self.old.tree(part)):
                cause = None if target in self._same else self._first_difference(target, seen)
                if cause is not None:
                    return cause
        return None

    def _differs(self, place: str) -> bool:
        """Whether a part that stays says something else of types and names, or refers to another
        one.
        """
        old = self.old.tree(place)
        new = self.new.tree(self.moved(place))
        old_targets = map(self.moved, _targets(self.old, old))
        new_targets = _targets(self.new, new)
        if set(old_targets) != set(new_targets):
            return True
        return any(old.get(key) != new.get(key) for key in _SHAPE)
