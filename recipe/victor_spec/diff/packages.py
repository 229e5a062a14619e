"""Compare two generated packages: what of the code that uses the old one fails with the new one
(docs/changes.md).

Names come from places in the documents (`Origins`). The cause of another name is the place,
something around it that is gone, or something it refers to.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from victor_spec.generate import generate
from victor_spec.tree import Tree, around, hooks, place_of, placed, trees_at

from .changes import Level
from .compare import compared
from .shape import Shapes
from .surface import UNSET, Surface, Type, fits, renamed

_SHAPE = (
    *(
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
    ),
    *("explode", "contentEncoding", "contentMediaType", "x-enum-varnames"),
)
"""The keys that decide types and names, where a part does not contain others."""
KINDS = ("functions", "models", "enums")
"""What a package has, as `Surface` calls it."""


class Side:
    """One of the two documents: its components, its package, and the places of the names in
    that.
    """

    def __init__(
        self, path: Path, document: Tree, folder: Path, name: str, decimals: Collection[str] = ()
    ) -> None:
        """Generate the package `name` of a loaded document into a folder.

        Raises the errors of `generate`.
        """
        self.made = generate(path, folder, name=name, trace=True, tree=document, decimals=decimals)
        self.surface = Surface(self.made.package)
        origins = self.made.origins
        self.components = Shapes(placed(document, document))
        self._exact = {
            place: each.place
            for each in self.components.by_id.values()
            for place in place_of(each.tree)
        }
        owners = {module: (place,) for module, place in origins.functions.items()} | origins.classes
        self.owners = {name: self._places(places) for name, places in owners.items()}
        """By the module of a function, which has one place, or the name of a class."""
        members = {**origins.arguments, **origins.attributes}
        self.places = {pair: self._places(places) for pair, places in members.items()}
        """By the function, or the model, and the name of its argument, or attribute."""
        self.hooks = {hook.name: hook.place for hook in hooks(document)}
        self._sorted = sorted(self.components.by_place)

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
            for number in range(bisect_left(self._sorted, place + mark), len(self._sorted)):
                if not self._sorted[number].startswith(place + mark):
                    break
                yield self._sorted[number]

    def member(self, owner: str, name: str) -> list[str]:
        """The places of an attribute; or of an argument, with what the operation, or its path, has
        for it.
        """
        places = [*self.places.get((owner, name), ())]
        if owner in self.surface.functions:
            (operation,) = self.owners[owner]
            trees = [tree for tree in map(self.tree, places) if "in" in tree and "name" in tree]
            users = operation, operation.rpartition(".")[0]
            places += [
                f"{user}.parameters.{tree['in']}:{tree['name']}" for tree in trees for user in users
            ]
        return [place for place in dict.fromkeys(places) if place in self]

    def _places(self, places: Iterable[str]) -> tuple[str, ...]:
        """Places of `Origins` as `components` writes them: a member of `allOf` has the place of its
        schema.
        """
        return tuple(dict.fromkeys(self._exact.get(place, place) for place in places))


def _targets(side: Side, tree: Tree) -> list[str]:
    """The places that a part refers to directly, or by way of `allOf`."""
    parts = [tree, *trees_at(tree, "allOf")]
    targets = [
        side.components.of(side.components.resolve(each)) for each in parts if "$ref" in each
    ]
    return [each.place for each in targets if each is not None]


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

    def __init__(self, old: Side, new: Side) -> None:
        self.old = old
        self.new = new
        self.moves = compared(old.components, new.components).moves
        self.moved = self.moves.now
        kinds = [vars(old.surface)[kind].keys() for kind in KINDS]
        later = [vars(new.surface)[kind].keys() for kind in KINDS]
        self.now = {
            name: self._now(name, after)
            for names, after in zip(kinds, later, strict=True)
            for name in names
        }
        """The new module of each old one, and the new class; None for what is gone."""
        self._names = {name: now for name, now in self.now.items() if now is not None}
        self._bases = {
            name: each.base for side in (old, new) for name, each in side.surface.enums.items()
        }
        self._earlier = set(map(self.moved, old.components.by_place))
        """The places in the new document of all that the old one has."""
        pairs = ((place, name) for name, places in old.owners.items() for place in places)
        self._same = {
            place for place, name in pairs if self.moved(place) in new.owners.get(name, ())
        }
        """The places whose class has the same name before and after: a type that names it does not
        change.
        """

    def _now(self, name: str, kind: Collection[str]) -> str | None:
        places = {self.moved(place) for place in self.old.owners.get(name, ())}
        same = [each for each in kind if not places.isdisjoint(self.new.owners.get(each, ()))]
        # Its own name first; but that may be the name of another class now.
        return name if name in same or (name in kind and not same) else next(iter(same), None)

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
        before, after = renamed(before - {UNSET}, self._names), after - {UNSET}
        if before == after:
            return "none"
        return "fine" if fits(before, after, self._bases) else "breaks"

    def renamed_by(self, place: str) -> str | None:
        """What gave the function of an operation another name: its id, or its path; None when both
        are the same.
        """
        now = self.moved(place)
        ids = [
            side.tree(at).get("operationId") for side, at in ((self.old, place), (self.new, now))
        ]
        if ids[0] != ids[1]:
            return f"{place}.operationId"
        return place if ids[0] is None and now != place else None

    def cause(self, places: Iterable[str], default: str) -> str:
        """The component whose change changed a name that comes from some places of the old
        document.
        """
        known = [place for place in places if place in self.old]
        for place in known:
            # the largest part around it that the new document lacks
            if self.moved(place) not in self.new:
                return next(
                    each
                    for each in around(place)
                    if each in self.old and self.moved(each) not in self.new
                )
        return next((cause for place in known if (cause := self._changed(place, set()))), default)

    def is_new(self, place: str) -> bool:
        """Whether the new document has a place, and the old one lacks it."""
        return place in self.new and place not in self._earlier

    def added(self, places: Sequence[str], default: str) -> str:
        """The largest new part around the first of some places that is new; else the first of them.

        The places are those of the new document, the result is in the names of the old one.
        """
        new = next(filter(self.is_new, places), None)
        return self.moves.before(
            next(filter(self.is_new, around(new))) if new else next(iter(places), default)
        )

    def _changed(self, place: str, seen: set[str]) -> str | None:
        """The first part at or inside a place that decides types and differs; then what those parts
        refer to.
        """
        if place in seen:
            return None
        seen.add(place)
        inside = {each: self.moved(each) for each in self.old.below(place)}
        for each, there in inside.items():
            if there not in self.new or self._differs(each, there):
                return each
        earlier = {*inside.values()}
        for each in self.new.below(self.moved(place)):
            if each not in earlier:
                return each
        for each in inside:
            for target in _targets(self.old, self.old.tree(each)):
                if target not in self._same and (cause := self._changed(target, seen)):
                    return cause
        return None

    def _differs(self, before: str, after: str) -> bool:
        old, new = self.old.tree(before), self.new.tree(after)
        if {self.moved(each) for each in _targets(self.old, old)} != set(_targets(self.new, new)):
            return True
        return any(old.get(key) != new.get(key) for key in _SHAPE)
