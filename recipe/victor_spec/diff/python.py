"""What a change does to the code that uses the generated package: which functions, models and enums
it breaks.

The rules are those of `packages`.
"""

import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from victor_spec.generate import package_name
from victor_spec.tree import Tree

from .changes import Level, PythonChange, worst
from .compare import Sides
from .facts import SCHEMAS
from .packages import KINDS, Finding, Packages, Side
from .surface import UNSET, Argument, Member, Words, text_of


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
        earlier = Side(old, before, sides.old, Path(folder, "old"), package)
        newer = Side(new, after, sides.new, Path(folder, "new"), package)
    return package_changes(Packages(earlier, newer, sides.moves), package)


def package_changes(packages: Packages, package: str) -> Mapping[str, PythonChange]:
    """Compare two packages; `package` is the name that is reported."""
    by_place: dict[str, list[PythonChange]] = {}
    for place, level, name, what in (*_findings(packages), *_webhook_findings(packages)):
        change = PythonChange(level, (f"{package}.{name}",), what)
        by_place.setdefault(place, []).append(change)
    joined: dict[str, PythonChange] = {}
    for place, changes in sorted(by_place.items()):
        level = worst(change.level for change in changes)
        worst_changes = [change for change in changes if change.level == level]
        joined[place] = PythonChange.joined(worst_changes)
    return joined


class _Kind(NamedTuple):
    """Functions, models or enums."""

    name: str
    """One of KINDS."""
    word: str
    start: str
    """What the names begin with that are reported."""

    def what(self, name: str, happened: str) -> str:
        """`the function list_cards is gone`."""
        return f"the {self.word} {_leaf(name)} {happened}"


def _findings(packages: Packages) -> Iterator[Finding]:
    """What happened to functions, models and enums."""
    for name in KINDS:
        kind = _Kind(name, "class", "models.")
        if name == "functions":
            kind = _Kind(name, "function", "")
        for owner in vars(packages.old.surface)[name]:
            yield from _findings_of(packages, kind, owner)
        yield from _new_findings(packages, kind)


def _findings_of(packages: Packages, kind: _Kind, name: str) -> Iterator[Finding]:
    """What happened to one function, model or enum, and to what is in it."""
    now = packages.now[name]
    places = packages.old.owners.get(name, ())
    default = places[0] if places else f"{SCHEMAS}{name}"
    if now is None:
        cause = packages.cause(places, default)
        yield Finding(cause, "breaks", kind.start + name, kind.what(name, "is gone"))
        return
    is_function = kind.name == "functions"
    cause = default if is_function else packages.cause(places, default)
    if _leaf(now) != _leaf(name):
        place = _named_after(packages, places) or cause
        what = kind.what(name, f"is now {_leaf(now)}")
        yield Finding(place, "breaks", kind.start + name, what)
    if _folder(now) != _folder(name):
        yield Finding(f"{default}.tags", "breaks", name, f"the module {name} is now {now}")
    if is_function:
        yield from _return_findings(packages, name, now)
    if kind.name != "enums":
        yield from _Pair(packages, name, now).findings()
        return
    before = packages.old.surface.enums[name]
    after = packages.new.surface.enums[now]
    yield from _members(name, before, after, cause)


def _new_findings(packages: Packages, kind: _Kind) -> Iterator[Finding]:
    """The functions or classes that are new, and of new parts of the document."""
    known = {*packages.now.values()}
    earlier: set[str] = set()
    for places in packages.old.owners.values():
        earlier.update(map(packages.moved, places))
    for name in vars(packages.new.surface)[kind.name]:
        places = packages.new.owners.get(name, ())
        if name in known or not earlier.isdisjoint(places):
            continue
        place = packages.addition(places[:1], f"{SCHEMAS}{name}")
        yield Finding(place, "fine", kind.start + name, kind.what(name, "is new"))


def _folder(module: str) -> str:
    """The module above a module."""
    return module.rpartition(".")[0]


def _leaf(module: str) -> str:
    """The last name of a dotted one."""
    return module.rpartition(".")[2]


def _return_findings(packages: Packages, module: str, now: str) -> Iterator[Finding]:
    """What happened to the type that a function returns."""
    before = packages.old.surface.functions[module]
    after = packages.new.surface.functions[now]
    gone = [name for name in before.names if name not in after.names]
    if gone:
        lost = " and no ".join(gone)
        what = f"{_leaf(now)} has no {lost} now, because no answer has a content"
        yield Finding(_response(packages, module), "breaks", module, what)
    level = packages.is_read(before.returns, after.returns)
    if level != "none":
        what = f"{_leaf(now)} returns {text_of(after.returns)}, not {text_of(before.returns)}"
        yield Finding(_response(packages, module), level, module, what)


def _response(packages: Packages, module: str) -> str:
    """The first response of an operation that differs."""
    (operation,) = packages.old.owners[module]
    cause = packages.cause(packages.old.below(f"{operation}.responses"), "")
    if cause:
        return cause
    later = f"{packages.moved(operation)}.responses"
    return packages.addition([*filter(packages.is_new, packages.new.below(later))], later)


class _Pair:
    """A function, or a model, that is still there: what happened to its arguments, or
    attributes.
    """

    def __init__(self, packages: Packages, owner: str, now: str) -> None:
        self._packages = packages
        self._owner = owner
        self._now = now
        old = packages.old.surface
        new = packages.new.surface
        self._old = old.owners[owner]
        self._new = new.owners[now]
        self._operation: str | None = None
        """The place of a function; None for a model."""
        self._places = packages.old.owners.get(owner, ())
        """Those of a model."""
        if owner in old.functions:
            [self._operation] = packages.old.owners[owner]
            self._places = ()
        self._sent = self._operation is not None or owner in old.sent
        # What answers no longer have cannot be read in the wrong way.
        self._received = self._operation is None and owner in old.received and now in new.received
        self._names = self._pairs_by_name_or_place()

    def _pairs_by_name_or_place(self) -> dict[str, str]:
        """The new name of each argument or attribute: its own, or that of its place."""
        pairs = {name: name for name in self._old if name in self._new}
        for name in self._old:
            successor = None if name in pairs else self._successor(name, pairs.values())
            if successor is not None:
                pairs[name] = successor
        return pairs

    def _successor(self, name: str, known: Collection[str]) -> str | None:
        """The new argument or attribute of the place of an old one, whose name is another one."""
        earlier = self._packages.old.places.get((self._owner, name), ())
        places = set(map(self._packages.moved, earlier))
        for other in self._new:
            later = self._packages.new.places.get((self._now, other), ())
            if other not in known and not places.isdisjoint(later):
                return other
        return None

    def findings(self) -> Iterator[Finding]:
        """What happened to the arguments, or attributes: the old ones, their order, new ones."""
        for name, before in self._old.items():
            yield from self._findings_of_old(name, before)
        yield from self._order()
        for name, added in self._new.items():
            if name not in self._names.values():
                yield self._finding_of_new(name, added)

    def _order(self) -> Iterator[Finding]:
        """Whether the arguments by position have another order."""
        old = [name for name, argument in self._old.items() if argument.positional]
        new = [name for name, argument in self._new.items() if argument.positional]
        before = [self._names[name] for name in old if name in self._names]
        after = [name for name in new if name in before]
        if self._operation and before != after:
            names = f"{', '.join(new)}, not {', '.join(old)}"
            what = f"the arguments of {_leaf(self._now)} by position are {names}"
            yield Finding(self._operation, "breaks", self._owner, what)

    def _findings_of_old(self, name: str, old: Argument) -> Iterator[Finding]:
        """What happened to one argument, or attribute, of the old package."""
        places = self._packages.old.member(self._owner, name)
        default = self._operation or f"{SCHEMAS}{self._owner}"
        place = next(iter([*places, *self._places]), default)
        shown = self._shown(self._owner, name)
        title = self._title(self._owner, name)
        after = self._names.get(name)
        if after is None:
            cause = self._packages.cause([*places, *self._places], place)
            yield Finding(cause, "breaks", shown, f"{title} is gone")
            return
        cause = self._packages.cause(places, place)
        new = self._new[after]
        now = self._title(self._now, after)
        if after != name:
            what = f"{title} is now {after if self._operation else now}"
            yield Finding(cause, "breaks", shown, what)
        level = self._level(old, new)
        if level != "none":
            hidden = {UNSET} if self._operation else set[Member]()
            types = f"{text_of(new.type - hidden)}, not {text_of(old.type - hidden)}"
            yield Finding(cause, level, shown, f"{now} is {types}")
        if self._sent and old.required != new.required:
            level = "breaks" if new.required else "fine"
            what = f"{now} {'is required' if new.required else 'may be left out'} now"
            yield Finding(cause if self._operation else place, level, shown, what)

    def _level(self, old: Argument, new: Argument) -> Level:
        """What another type does to those who read it, and to those who pass it."""
        levels: list[Level] = []
        if self._received:
            levels.append(self._packages.is_read(old.type, new.type))
        if self._sent:
            levels.append(self._packages.is_passed(old.type, new.type))
        return worst(levels)

    def _finding_of_new(self, name: str, new: Argument) -> Finding:
        """An argument, or attribute, that only the new package has."""
        side = self._packages.new
        places = side.member(self._now, name)
        places += side.owners.get(self._now, ())
        place = self._packages.addition(places, f"{SCHEMAS}{self._now}")
        shown = self._shown(self._now, name)
        title = self._title(self._now, name)
        if self._sent and new.required:
            return Finding(place, "breaks", shown, f"{title} is new and required")
        return Finding(place, "fine", shown, f"{title} is new")

    def _shown(self, owner: str, name: str) -> str:
        """What is reported as changed."""
        return f"{owner}({name})" if self._operation else f"models.{owner}.{name}"

    def _title(self, owner: str, name: str) -> str:
        """What a sentence calls an argument, or an attribute."""
        if self._operation:
            return f"the argument {name} of {_leaf(self._now)}"
        return f"{owner}.{name}"


def _webhook_findings(packages: Packages) -> Iterator[Finding]:
    """What happened to the results of `read_webhook`, with the name of a webhook and without."""
    known = packages.old.hooks
    added = [place for place in packages.new.hooks.values() if packages.is_new(place)]
    for name, before in packages.old.surface.webhooks.items():
        places = [known.get(name, f"webhooks.{name}")] if name else [*known.values()]
        shown = f"webhooks.read_webhook({name})"
        title = f"for {name}" if name else "without a name"
        after = packages.new.surface.webhooks.get(name)
        if after is None:
            yield Finding(places[0], "breaks", shown, f"read_webhook has no result {title}")
            continue
        level = packages.is_read(before, after)
        if level != "none":
            what = f"read_webhook returns {text_of(after)} {title}, not {text_of(before)}"
            cause = packages.cause(places, places[0])
            yield Finding(added[0] if added and not name else cause, level, shown, what)


def _named_after(packages: Packages, places: tuple[str, ...]) -> str | None:
    """What a function or a class is named after, if that has another name now: a schema, or an
    operation.
    """
    for place in places:
        part = packages.moves.part(place)
        if part is not None and part.startswith(SCHEMAS):
            return part
        for module in packages.old.surface.functions:
            [operation] = packages.old.owners[module]
            is_within = f"{place}.".startswith(f"{operation}.")
            cause = packages.renamed_by(operation) if is_within else None
            if cause is not None:
                return cause
    return None


def _members(name: str, old: Words, new: Words, place: str) -> Iterator[Finding]:
    """What happened to the members of an enum."""
    for member in old.members | new.members:
        title = f"{name}.{member}"
        shown = f"models.{title}"
        before = old.members.get(member)
        after = new.members.get(member)
        if member not in new.members:
            yield Finding(place, "breaks", shown, f"{title} is gone")
        elif member not in old.members:
            yield Finding(place, "fine", shown, f"{title} is new")
        elif before != after:
            yield Finding(place, "look", shown, f"{title} is {after!r}, not {before!r}")
