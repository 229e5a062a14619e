"""What differs between two schemas. Each pair is compared once: of one name, or written out at one
place.

A reference that leads to another schema than before is one change of the place that has it, unless
the earlier schema is gone: then it was renamed, or written out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

from victor_spec.tree import Tree, members, named_schemas

from .changes import LEVELS, RULES, Change, Level, Reach, Sides, worst
from .keywords import Difference, canonical
from .shape import PROPERTY, SCHEMAS, Child, Part, Shape, Shapes, Union, keyword_differences

Pair = tuple[Tree, Tree]
"""A schema of the old document, and one of the new document."""


class SchemaComparison(Sides):
    """Compares schemas, and adds what it finds to the changes."""

    def __init__(self, old: Shapes, new: Shapes) -> None:
        super().__init__(old, new)
        self._instead: dict[str, str] = {}
        """By the place of a schema that a reference led to, the place where it leads now; "" for
        what is inline.
        """
        self._kept: set[str] = set()
        """The places of schemas that some reference leads to in both documents."""
        self._visited: set[tuple[int, int]] = set()
        self._known: dict[tuple[int, int, bool], tuple[list[Change], list[Pair]]] = {}
        """What differs between two schemas themselves (as text or not), and the pairs of schemas
        that they refer to.
        """
        self._links: list[Pair] | None = None
        """Collects pairs while two schemas are compared apart from any place; None otherwise."""

    # ---- Schemas with a name ----

    def named(self) -> None:
        """Compare the schemas that have one place in both documents, and find those that are
        gone.
        """
        places = [f"{SCHEMAS}{name}" for name, _ in members(named_schemas(self.old.document))]
        pending = dict.fromkeys(place for place in self._referable(places) if self._stays(place))
        kept = self._kept & pending.keys()
        while kept:  # to compare them finds others
            for place in [place for place in pending if place in kept]:
                del pending[place]
                self.compare(self.old.part(place), self.new.part(place))
            kept = self._kept & pending.keys()
        equal = {
            canonical(schema): f"{SCHEMAS}{name}"
            for name, schema in members(named_schemas(self.new.document))
        }
        gone = [place for place in places if place not in self.new.by_place]
        for place in [*pending, *gone]:
            self._settle(place, equal)

    def _referable(self, named: list[str]) -> list[str]:
        """The places that references lead to, or may lead to."""
        referenced = [
            place
            for place, part in self.old.by_place.items()
            if id(part.tree) in self.old.referenced
        ]
        return [*named, *referenced]

    def _stays(self, place: str) -> bool:
        """Whether both documents have a schema at a place."""
        after = self.new.by_place.get(place)
        return after is not None and self.old.by_place[place].kind == after.kind == "schema"

    def _settle(self, place: str, equal: Mapping[str, str]) -> None:
        """Compare a schema with the one of its name, unless all that refers to it refers to another
        one now.

        That one is its successor, which only has another name: if the name is new, or moved on too,
        or if the schema is the same as this one. `equal` has the new schemas by their meaning, for
        what nothing refers to.
        """
        part = self.old.by_place[place]
        namesake = self.new.by_place.get(place)
        successor = "" if namesake else equal.get(canonical(part.tree), "")
        successor = self._instead.get(place, successor)
        later = self.new.by_place[successor].tree if successor.startswith(SCHEMAS) else None
        if namesake is not None:
            if later is None or place in self._kept:
                self.compare(self.old.part(place), self.new.part(place))
            elif self._is_same(part.tree, later) and not self._is_same(part.tree, namesake.tree):
                self._renamed(place, successor)
        elif later is not None and self._is_free(successor):
            self._renamed(place, successor)
        elif place not in self._instead and self.reach(part, None) == Reach():
            # What used it otherwise was compared with what is there now.
            self.add("schema-removed", place, Reach())

    def _is_free(self, successor: str) -> bool:
        """Whether a name is new, or the schema that had it has another one."""
        return successor not in self.old.by_place or self.moves.now(successor) != successor

    def _renamed(self, place: str, successor: str) -> None:
        reach = self.reach(self.old.by_place[place], self.new.by_place[successor])
        names = place.removeprefix(SCHEMAS), successor.removeprefix(SCHEMAS)
        self.add("schema-renamed", place, reach, *names)
        self.moves.add(place, successor)

    def _replaces(self, before: str, after: str) -> None:
        """Note what is used instead of a schema; a schema with a name first."""
        if not self._instead.get(before):
            self._instead[before] = after

    # ---- Two schemas ----

    def compare(self, old: Part, new: Part) -> None:
        """Compare two schemas; `old` says what the place is called."""
        old_end, is_old_referred = self.old.end(old.tree)
        new_end, is_new_referred = self.new.end(new.tree)
        before = self.old.place(old_end, old.place)
        after = self.new.place(new_end, new.place)
        if is_old_referred and is_new_referred and before == after:
            self._kept.add(before)
            return  # compared by name
        if self._links is not None and (is_old_referred or is_new_referred):
            self._links.append((old_end, new_end))
            return
        if is_old_referred:
            self._replaces(before, after if is_new_referred else "")
            if before in self.new.by_place:
                self._replaced(old, new, old_end, new_end)
                return
            old = self.old.part(before)
            if is_new_referred:
                new = self.new.part(after)
        if self._is_new(old_end, new_end):
            self._walk(old, new, old_end, new_end)

    def _is_new(self, old: Tree, new: Tree) -> bool:
        """Whether a pair was not compared yet; it counts as compared from now on."""
        pair = id(old), id(new)
        is_new = pair not in self._visited
        self._visited.add(pair)
        return is_new

    def _replaced(self, old: Part, new: Part, old_end: Tree, new_end: Tree) -> None:
        """Note a reference that leads to something else, if that differs."""
        pairs = [(old_end, new_end)]
        changes = [*self._differences(pairs, as_text=old.as_text)]
        for before, after in pairs[1:]:
            first, second = self.old.of(before), self.new.of(after)
            if first is not None and second is not None:
                self._replaces(first.place, second.place)
        if not changes:
            return
        rules = [change.rule for change in changes]
        received = max(rules, key=lambda rule: LEVELS.index(rule.received))
        sent = worst(rule.sent for rule in rules)
        rule = received._replace(sent=sent, words=RULES["replaced"].words)
        names = self.old.label(old.tree), self.new.label(new.tree)
        change = Change(old.place, "replaced", *names, rule, _summary(changes))
        self.note(change, self.reach(old.component, new.component))

    def _is_same(self, old: Tree, new: Tree) -> bool:
        pair = self.old.end(old)[0], self.new.end(new)[0]
        return next(self._differences([pair]), None) is None

    def _differences(self, pairs: list[Pair], *, as_text: bool = False) -> Iterator[Change]:
        """The changes of a pair of schemas, and of those that they refer to by different names,
        which are added.
        """
        seen = {(id(old), id(new)) for old, new in pairs}
        for old, new in pairs:  # it grows
            changes, links = self._difference(old, new, as_text=as_text)
            yield from changes
            for link in links:
                key = id(link[0]), id(link[1])
                if key not in seen:
                    seen.add(key)
                    pairs.append(link)

    def _difference(
        self, old: Tree, new: Tree, *, as_text: bool
    ) -> tuple[list[Change], list[Pair]]:
        """The changes of two schemas, apart from any place, and the pairs that they refer to."""
        key = id(old), id(new), as_text
        if key not in self._known:
            self._known[key] = [], []  # until it is known: a cycle adds nothing
            outer = self.changes, self._visited, self._links
            self.changes = {}
            self._visited = {(id(old), id(new))}
            self._links = []
            old_part = Part(old, "", "", None, as_text=as_text)
            self._walk(old_part, Part(new, "", "", None), old, new)
            self._known[key] = [*self.changes], self._links
            self.changes, self._visited, self._links = outer
        return self._known[key]

    def _walk(self, old: Part, new: Part, old_end: Tree, new_end: Tree) -> None:
        """Compare what two schemas say, and all that is written out in them."""
        before, after = self.old.shape(old_end), self.new.shape(new_end)
        self._kept |= before.common(after)
        self._bases(before, after)
        if before.unions or after.unions:
            self._unions(old, new, before, after)
        is_same_property = before.value("discriminator") == after.value("discriminator")
        if "discriminator" in old_end and is_same_property:
            self._values(old, new, old_end, new_end)
        differences = keyword_differences(before, after, as_text=old.as_text)
        if bool(before.unions) != bool(after.unions):
            self._note(old, new, _of_null(differences))
            return
        self._note(old, new, differences)
        if all(kind != "type-changed" for kind, _, _ in differences):
            self._children(old, new, before, after)

    def _bases(self, before: Shape, after: Shape) -> None:
        """Compare the bases that have other names, which are common ones then."""
        gone = [place for place in before.bases if place not in self.new.by_place]
        fresh = [place for place in after.bases if place not in self.old.by_place]
        if len(gone) != len(fresh):
            return
        for first, second in zip(gone, fresh, strict=True):
            old, new = self.old.by_place[first], self.new.by_place[second]
            before.bases[second] = None
            after.bases[first] = None
            if self._links is None:
                self._replaces(first, second)
                self.compare(self.old.part(first), self.new.part(second))
            else:
                self._links.append((old.tree, new.tree))

    def _note(self, old: Part, new: Part, differences: Iterable[Difference]) -> None:
        reach = self.reach(old.component, new.component)
        either = self.reach(old.component, new.component, either=True)
        for kind, former, latter in differences:
            if kind == "type-as-text":
                self._note_text(old, reach, former, latter)
            elif kind == "no-longer-read-only" and new.required:
                self.add("required-no-longer-read-only", old.place, either, former, latter)
            else:
                is_direction = kind.endswith(("read-only", "write-only"))
                self.add(kind, old.place, either if is_direction else reach, former, latter)

    def _note_text(self, old: Part, reach: Reach, former: str, latter: str) -> None:
        """Note a number that is text now: the same where it is sent; in an answer, what a named
        schema describes is no text.
        """
        if reach.received:
            received = Reach(received=reach.received)
            self.add("type-changed", old.place, received, former, latter)
        if reach.sent or not reach.received:
            self.add("type-as-text", old.place, Reach(reach.sent), former, latter)

    # ---- Properties and items ----

    def _children(self, old: Part, new: Part, before: Shape, after: Shape) -> None:
        steps = {*before.children, *after.children}
        steps |= {PROPERTY + name for name in (*before.required, *after.required)}
        for step in sorted(steps):
            self._child(step, old, new, before, after)

    def _child(self, step: str, old: Part, new: Part, before: Shape, after: Shape) -> None:
        """Compare what two schemas have at one step. What a common base has is compared there."""
        place = old.below + step
        first, second = before.children.get(step), after.children.get(step)
        old_part = old if first is None else self.old.child_part(old, first, place)
        new_part = new if second is None else self.new.child_part(new, second, place)
        reach = self.reach(old_part.component, new_part.component)
        name = step.removeprefix(PROPERTY) if step.startswith(PROPERTY) else None
        is_required = name in after.required
        if name is not None and (first is None) == (second is None):
            self._requiredness(name, before, after, place, reach)
        homes = {child.home for child in (first, second) if child is not None}
        if homes <= before.common(after):
            return
        if first is not None and second is not None:
            self.compare(old_part, replace(new_part, required=is_required))
        elif name is None:
            self._described(step, old, new, before, after)
        elif first is None:
            kind = "required-property-added" if is_required else "optional-property-added"
            self.add(kind, place, reach)
        else:
            kind = "property-undeclared" if after.value("open") else "property-removed"
            self.add(kind, place, reach)

    def _described(self, step: str, old: Part, new: Part, before: Shape, after: Shape) -> None:
        """Note items, or other properties, that one document alone describes."""
        is_of_others = step == ".additionalProperties"
        if is_of_others and before.value("closed") != after.value("closed"):
            return
        kind = "items-not-described"
        if step not in before.children:
            kind = "items-described"
        elif step.startswith((".prefixItems", ".patternProperties")):
            kind = "part-not-described"
        self.add(kind, old.below + step, self.reach(old.component, new.component))

    def _requiredness(
        self, name: str, before: Shape, after: Shape, place: str, reach: Reach
    ) -> None:
        if _is_required_only_in(after, before, name):
            self.add("became-required", place, reach)
        if _is_required_only_in(before, after, name):
            self.add("became-optional", place, reach)

    # ---- Unions ----

    def _unions(self, old: Part, new: Part, before: Shape, after: Shape) -> None:
        """Compare the unions of two schemas. What has no union counts as a union of itself."""
        bases = before.common(after)
        own = [union for union in before.unions if union.home not in bases]
        others = [union for union in after.unions if union.home not in bases]
        for first, second in zip_longest(own, others):
            former = first or _single(old, before)
            latter = second or _single(new, after)
            if former.keyword and latter.keyword and former.keyword != latter.keyword:
                reach = self.reach(old.component, new.component)
                self.add("union-kind", old.place, reach, former.keyword, latter.keyword)
            self._members(old, new, former, latter)

    def _members(self, old: Part, new: Part, former: Union, latter: Union) -> None:
        reach = self.reach(old.component, new.component)
        pairs = self._paired(former, latter)
        kept = [member for pair in pairs for member in pair]
        for member in former.members:
            if member not in kept:
                self._member_gone(member, old, new, latter)
        for member in latter.members:
            if member not in kept:
                self._member_new(member, old, reach, former, latter)
        if old.component is None or reach.sent:
            self._ambiguous(old, reach, former, latter)
        for first, second in pairs:
            self._pair_of_members(old, new, first, second)

    def _member_gone(self, member: Child, old: Part, new: Part, latter: Union) -> None:
        reach = self.reach(old.component, new.component)
        name = self.old.label(member.tree)
        if not latter.keyword and self._admits(member.tree, latter.members[0].tree):
            self.add("member-joined", old.place, reach, name, self.new.label(new.tree))
        else:
            self.add("member-removed", old.place, reach, name)

    def _member_new(
        self, member: Child, old: Part, reach: Reach, former: Union, latter: Union
    ) -> None:
        kind = "member-added"
        if not former.keyword and self._is_read_as(former.members[0].tree, member.tree):
            kind = "member-split"
        elif former.discriminated and latter.discriminated:
            kind = "variant-added"
        self.add(kind, old.place, reach, "", self.new.label(member.tree))

    def _ambiguous(self, old: Part, reach: Reach, former: Union, latter: Union) -> None:
        """Note a single schema all of whose values are several members of `oneOf` now."""
        if former.keyword or latter.keyword != "oneOf" or latter.discriminated:
            return
        whole = former.members[0].tree
        fitting = [member.tree for member in latter.members if self._admits(whole, member.tree)]
        if len(fitting) > 1:
            names = " and ".join(map(self.new.label, fitting))
            self.add("member-ambiguous", old.place, reach, "", names)

    def _pair_of_members(self, old: Part, new: Part, first: Child, second: Child) -> None:
        place = old.below + first.step
        old_part = self.old.child_part(old, first, place) if first.step else old
        new_part = self.new.child_part(new, second, place) if second.step else new
        if first.step and second.step:
            self.compare(old_part, new_part)
        else:
            self._with_member(old_part, new_part)

    def _paired(self, former: Union, latter: Union) -> list[tuple[Child, Child]]:
        """The members that stand for each other: of one name or text, of one meaning, of one kind.

        A single schema is also paired with a member that admits all that it does, or that it admits
        all of.
        """
        before, after = [*former.members], [*latter.members]
        names = {member: self.old.identity(member.tree) for member in before}
        names |= {member: self.new.identity(member.tree) for member in after}
        is_single = not (former.keyword and latter.keyword)
        ways: tuple[Callable[[Child, Child], bool], ...] = (
            lambda old, new: names[old] == names[new],
            lambda old, new: self._is_same(old.tree, new.tree),
            lambda old, new: is_single and self._admits(old.tree, new.tree),
            self._could_be,
        )
        pairs: list[tuple[Child, Child]] = []
        for is_pair in ways:
            for first in [*before]:
                second = next((member for member in after if is_pair(first, member)), None)
                if second is not None:
                    pairs.append((first, second))
                    before.remove(first)
                    after.remove(second)
        return pairs

    def _could_be(self, old: Child, new: Child) -> bool:
        """Whether an inline member may be another one, changed: objects with half of their
        properties in common.
        """
        first, is_old_referred = self.old.end(old.tree)
        second, is_new_referred = self.new.end(new.tree)
        if is_old_referred or is_new_referred:
            is_old_kept = self.old.place(first, "?") in self.new.by_place
            is_new_known = self.new.place(second, "?") in self.old.by_place
            if is_old_kept or is_new_known:
                return False
        before = self.old.shape(first).children
        after = self.new.shape(second).children
        common = before.keys() & after.keys()
        return 2 * len(common) >= max(len(before), len(after)) > 0

    def _admits(self, old: Tree, new: Tree) -> bool:
        """Whether the new schema admits all that is sent by the old one."""
        return self._levels(old, new)[0] != "breaks"

    def _is_read_as(self, old: Tree, new: Tree) -> bool:
        """Whether all that the new schema has is read as the old one."""
        return self._levels(old, new)[1] != "breaks"

    def _levels(self, old: Tree, new: Tree) -> tuple[Level, Level]:
        """The worst that differs between two schemas when they are sent, and when they are
        received.
        """
        pair = self.old.end(old)[0], self.new.end(new)[0]
        rules = [change.rule for change in self._differences([pair])]
        return worst(rule.sent for rule in rules), worst(rule.received for rule in rules)

    def _with_member(self, old: Part, new: Part) -> None:
        """Compare a single schema with the member of a union that it became, or was.

        Null is said of the whole.
        """
        old_end, new_end = self.old.end(old.tree)[0], self.new.end(new.tree)[0]
        before, after = self.old.shape(old_end), self.new.shape(new_end)
        is_named = before.place.startswith(SCHEMAS) and before.place == after.place
        if is_named or before.unions or after.unions:
            return
        if self._is_new(old_end, new_end):
            differences = keyword_differences(before, after)
            of_null = _of_null(differences)
            self._note(old, new, [each for each in differences if each not in of_null])
            self._children(old, new, before, after)

    # ---- Discriminators ----

    def _values(self, old: Part, new: Part, old_end: Tree, new_end: Tree) -> None:
        """Compare two discriminators: which value stands for which schema."""
        former, latter = self.old.mapping_of(old_end), self.new.mapping_of(new_end)
        reach = self.reach(old.component, new.component)
        for value in sorted({*former, *latter}):
            for kind, *texts in self._value(value, former, latter):
                self.add(f"discriminator-value-{kind}", old.place, reach, *texts)
        before, after = self.old.default_of(old_end), self.new.default_of(new_end)
        if self._is_another(before, after):
            kind = "changed"
            if not (before and after):
                kind = "added" if after else "removed"
            names = before.removeprefix(SCHEMAS), after.removeprefix(SCHEMAS)
            self.add(f"discriminator-default-{kind}", old.place, reach, *names)

    def _value(
        self, value: str, former: Mapping[str, str], latter: Mapping[str, str]
    ) -> Iterator[Difference]:
        """What became of a value of a discriminator; nothing is told of the new name of another."""
        if value not in latter:
            fresh = [name for name in latter if name not in former]
            successor = next((name for name in fresh if latter[name] == former[value]), "")
            yield "renamed" if successor else "removed", value, successor
        elif value not in former:
            gone = [place for name, place in former.items() if name not in latter]
            if latter[value] not in gone:
                yield "added", "", value
        elif self._is_another(former[value], latter[value]):
            yield "changed", value, latter[value].removeprefix(SCHEMAS)

    def _is_another(self, before: str, after: str) -> bool:
        """Whether two places have different schemas: not the same one with another name."""
        old, new = self.old.by_place, self.new.by_place
        if before == after:
            return False
        if before not in old or after not in new or before in new:
            return True
        return after in old and not self._is_same(old[before].tree, new[after].tree)


def _of_null(differences: Iterable[Difference]) -> list[Difference]:
    return [difference for difference in differences if difference[0].startswith("null-")]


def _single(part: Part, shape: Shape) -> Union:
    """A schema without a union as a union of itself."""
    return Union("", shape.place, [Child(part.tree, shape.place, "")], discriminated=False)


def _is_required_only_in(shape: Shape, other: Shape, name: str) -> bool:
    """Whether a schema requires a property by itself, and the other one does not."""
    if name not in shape.required or name in other.required:
        return False
    return shape.required[name] not in shape.common(other)


def _summary(changes: Sequence[Change], most: int = 3) -> str:
    """What differs between two schemas, the worst first."""
    ordered = sorted(changes, key=lambda change: -max(map(LEVELS.index, change.rule[:2])))
    words: list[str] = []
    for change in ordered[:most]:
        step = change.place.removeprefix(".")
        words.append(f"{step}: {change.words()}" if step else change.words())
    if len(changes) > most:
        words.append(f"and {len(changes) - most} more")
    return "; ".join(words)
