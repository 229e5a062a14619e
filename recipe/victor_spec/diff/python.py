"""What a change does to the code that uses the generated package: which functions, models and enums
it breaks.

The rules are those of `packages`.
"""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from victor_spec.document import load
from victor_spec.generate import package_name
from victor_spec.tree import Tree

from .changes import Level, PythonChange, worst
from .packages import KINDS, Finding, Packages, Side
from .shape import SCHEMAS
from .surface import UNSET, Argument, Member, Words, text_of


def python_changes(
    old: Path, new: Path, *, name: str | None = None, trees: tuple[Tree, Tree] | None = None
) -> Mapping[str, PythonChange]:
    """Generate both packages into a temporary folder and compare them.

    `trees` is what `load` made of the documents; None loads them. `name` is the name of the
    package; None takes it from the old document. The places are those of the old document where it
    has them. Raises the errors of `generate`.
    """
    package = package_name(old) if name is None else name
    before, after = trees or (load(old), load(new))
    with tempfile.TemporaryDirectory() as folder:
        earlier = Side(old, before, Path(folder, "old"), package)
        newer = Side(new, after, Path(folder, "new"), package)
    return package_changes(earlier, newer, package)


def package_changes(old: Side, new: Side, package: str) -> Mapping[str, PythonChange]:
    """Compare two packages; `package` is the name that is reported."""
    packages = Packages(old, new)
    by_place: dict[str, list[PythonChange]] = {}
    for each in (*_findings(packages), *_webhook_findings(packages)):
        change = PythonChange(each.level, (f"{package}.{each.name}",), each.what)
        by_place.setdefault(each.place, []).append(change)
    worst_of = {place: worst(each.level for each in found) for place, found in by_place.items()}
    return {
        place: PythonChange.joined([each for each in found if each.level == worst_of[place]])
        for place, found in sorted(by_place.items())
    }


def _findings(packages: Packages) -> Iterator[Finding]:
    """What happened to functions, models and enums."""
    earlier = {packages.moved(place) for places in packages.old.owners.values() for place in places}
    for kind in KINDS:
        word, start = ("function", "") if kind == "functions" else ("class", "models.")
        for name, before in vars(packages.old.surface)[kind].items():
            now, places = packages.now[name], packages.old.owners.get(name, ())
            default = next(iter(places), f"{SCHEMAS}{name}")
            if now is None:
                what = f"the {word} {_leaf(name)} is gone"
                yield Finding(packages.cause(places, default), "breaks", f"{start}{name}", what)
                continue
            cause = default if kind == "functions" else packages.cause(places, default)
            if _leaf(now) != _leaf(name):
                at = _named_after(packages, places) or cause
                yield Finding(
                    at, "breaks", f"{start}{name}", f"the {word} {_leaf(name)} is now {_leaf(now)}"
                )
            if now.rpartition(".")[0] != name.rpartition(".")[0]:
                yield Finding(f"{default}.tags", "breaks", name, f"the module {name} is now {now}")
            if kind == "functions":
                yield from _return_findings(packages, name, now)
            if kind == "enums":
                yield from _members(name, before, packages.new.surface.enums[now], cause)
            else:
                yield from _Pair(packages, name, now).findings()
        for name in vars(packages.new.surface)[kind]:
            places = packages.new.owners.get(name, ())
            if name not in packages.now.values() and earlier.isdisjoint(places):
                at = packages.added(places[:1], f"{SCHEMAS}{name}")
                yield Finding(at, "fine", f"{start}{name}", f"the {word} {_leaf(name)} is new")


def _leaf(module: str) -> str:
    return module.rpartition(".")[2]


def _return_findings(packages: Packages, module: str, now: str) -> Iterator[Finding]:
    before, after = packages.old.surface.functions[module], packages.new.surface.functions[now]
    if lost := " and no ".join(each for each in before.names if each not in after.names):
        what = f"{_leaf(now)} has no {lost} now, because no answer has a content"
        yield Finding(_response(packages, module), "breaks", module, what)
    if (level := packages.is_read(before.returns, after.returns)) != "none":
        what = f"{_leaf(now)} returns {text_of(after.returns)}, not {text_of(before.returns)}"
        yield Finding(_response(packages, module), level, module, what)


def _response(packages: Packages, module: str) -> str:
    """The first response of an operation that differs."""
    (operation,) = packages.old.owners[module]
    start, later = f"{operation}.responses", f"{packages.moved(operation)}.responses"
    new = [*filter(packages.is_new, packages.new.below(later))]
    return packages.cause(packages.old.below(start), "") or packages.added(new, later)


class _Pair:
    """A function, or a model, that is still there: what happened to its arguments, or
    attributes.
    """

    def __init__(self, packages: Packages, owner: str, now: str) -> None:
        self._packages = packages
        self._owner = owner
        self._now = now
        old, new = packages.old.surface, packages.new.surface
        self._old, self._new = old.owners[owner], new.owners[now]
        self._operation = packages.old.owners[owner][0] if owner in old.functions else None
        """The place of a function; None for a model."""
        self._sent = self._operation is not None or owner in old.sent
        # What answers no longer have cannot be read in the wrong way.
        self._received = self._operation is None and owner in old.received and now in new.received
        self._names = self._paired()

    def _paired(self) -> dict[str, str]:
        """The new name of each argument or attribute: its own, or that of its place."""
        earlier, later = self._packages.old.places, self._packages.new.places
        pairs = {name: name for name in self._old if name in self._new}
        for name in self._old:
            places = {self._packages.moved(place) for place in earlier.get((self._owner, name), ())}
            free = (each for each in self._new if each not in pairs.values())
            same = [each for each in free if places & {*later.get((self._now, each), ())}]
            if name not in pairs and same:
                pairs[name] = same[0]
        return pairs

    def findings(self) -> Iterator[Finding]:
        for name, before in self._old.items():
            yield from self._changed(name, before)
        old, new = (
            [name for name, each in both.items() if each.positional]
            for both in (self._old, self._new)
        )
        order = [self._names[name] for name in old if name in self._names]
        if self._operation and order != [name for name in new if name in order]:
            what = (
                f"the arguments of {_leaf(self._now)} by position are {', '.join(new)}, not "
                f"{', '.join(old)}"
            )
            yield Finding(self._operation, "breaks", self._owner, what)
        for name, added in self._new.items():
            if name not in self._names.values():
                yield self._added(name, added)

    def _changed(self, name: str, old: Argument) -> Iterator[Finding]:
        packages, after = self._packages, self._names.get(name)
        places = packages.old.member(self._owner, name)
        around = () if self._operation else packages.old.owners.get(self._owner, ())
        place = next(iter((*places, *around)), self._operation or f"{SCHEMAS}{self._owner}")
        shown = self._shown(self._owner, name)
        if after is None:
            what = f"{self._called(self._owner, name)} is gone"
            yield Finding(packages.cause([*places, *around], place), "breaks", shown, what)
            return
        at, new, now = (
            packages.cause(places, place),
            self._new[after],
            self._called(self._now, after),
        )
        if after != name:
            what = f"{self._called(self._owner, name)} is now {after if self._operation else now}"
            yield Finding(at, "breaks", shown, what)
        levels: list[Level] = [packages.is_read(old.type, new.type)] if self._received else []
        if self._sent:
            levels.append(packages.is_passed(old.type, new.type))
        if worst(levels) != "none":
            hidden = {UNSET} if self._operation else set[Member]()
            types = f"{text_of(new.type - hidden)}, not {text_of(old.type - hidden)}"
            yield Finding(at, worst(levels), shown, f"{now} is {types}")
        if self._sent and old.required != new.required:
            level: Level = "breaks" if new.required else "fine"
            what = f"{now} {'is required' if new.required else 'may be left out'} now"
            yield Finding(at if self._operation else place, level, shown, what)

    def _shown(self, owner: str, name: str) -> str:
        return f"{owner}({name})" if self._operation else f"models.{owner}.{name}"

    def _called(self, owner: str, name: str) -> str:
        return (
            f"the argument {name} of {_leaf(self._now)}" if self._operation else f"{owner}.{name}"
        )

    def _added(self, name: str, new: Argument) -> Finding:
        side, needed = self._packages.new, self._sent and new.required
        places = [*side.member(self._now, name), *side.owners.get(self._now, ())]
        at = self._packages.added(places, f"{SCHEMAS}{self._now}")
        what = f"{self._called(self._now, name)} is new{' and required' if needed else ''}"
        return Finding(at, "breaks" if needed else "fine", self._shown(self._now, name), what)


def _webhook_findings(packages: Packages) -> Iterator[Finding]:
    added = [place for place in packages.new.hooks.values() if packages.is_new(place)]
    for name, before in packages.old.surface.webhooks.items():
        places = (
            [packages.old.hooks.get(name, f"webhooks.{name}")]
            if name
            else [*packages.old.hooks.values()]
        )
        shown, called = (
            f"webhooks.read_webhook({name})",
            f"for {name}" if name else "without a name",
        )
        after = packages.new.surface.webhooks.get(name)
        if after is None:
            yield Finding(places[0], "breaks", shown, f"read_webhook has no result {called}")
        elif (level := packages.is_read(before, after)) != "none":
            what = f"read_webhook returns {text_of(after)} {called}, not {text_of(before)}"
            cause = packages.cause(places, places[0])
            yield Finding(added[0] if added and not name else cause, level, shown, what)


def _named_after(packages: Packages, places: tuple[str, ...]) -> str | None:
    """What a function or a class is named after, if that has another name now: a schema, or an
    operation.
    """
    operations = [packages.old.owners[module][0] for module in packages.old.surface.functions]
    for place in places:
        part = packages.moves.part(place)
        if part is not None and part.startswith(SCHEMAS):
            return part
        for operation in operations:
            if f"{place}.".startswith(f"{operation}.") and (
                cause := packages.renamed_by(operation)
            ):
                return cause
    return None


def _members(name: str, old: Words, new: Words, at: str) -> Iterator[Finding]:
    for member in {**old.members, **new.members}:
        shown, before, after = f"{name}.{member}", old.members.get(member), new.members.get(member)
        if member not in new.members:
            yield Finding(at, "breaks", f"models.{shown}", f"{shown} is gone")
        elif member not in old.members:
            yield Finding(at, "fine", f"models.{shown}", f"{shown} is new")
        elif before != after:
            yield Finding(at, "look", f"models.{shown}", f"{shown} is {after!r}, not {before!r}")
