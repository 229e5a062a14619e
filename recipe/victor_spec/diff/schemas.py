"""What differs between two schemas. Each pair is compared once: of one name, or written out at one
place.

A reference that leads to another schema than before is one change of the place that has it, unless
the earlier schema is gone: then it was renamed, or written out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import filterfalse, zip_longest
from typing import NamedTuple

from victor_spec.tree import Tree, members, named_schemas

from .changes import LEVELS, RULES, Change, Reach, Rule, Sides, worst
from .keywords import Difference, canonical
from .shape import PROPERTY, SCHEMAS, Child, Part, Shape, Shapes, Union, keyword_differences

Trees = tuple[Tree, Tree]
"""A schema of the old document, and one of the new document."""


class _Pair(NamedTuple):
    """Two schemas that are compared, each with its place and with what it says."""

    old: Part
    new: Part
    old_end: Tree
    """What the old one stands for."""
    new_end: Tree
    before: Shape
    after: Shape
    reach: Reach
    """The operations that reach both."""

    @property
    def bases(self) -> set[str]:
        """The places of the schemas that both are composed of."""
        return self.before.common(self.after)


class _Difference(NamedTuple):
    """What differs between two schemas themselves, apart from any place."""

    changes: list[Change]
    links: list[Trees]
    """The pairs of schemas that they refer to, which are compared by themselves."""


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
        self._known: dict[tuple[int, int, bool], _Difference] = {}
        """By the ids of two schemas, and whether their values are text."""
        self._links: list[Trees] | None = None
        """Collects pairs while two schemas are compared apart from any place; None otherwise."""

    # ---- Schemas with a name ----

    def named(self) -> None:
        """Compare the schemas that have one place in both documents, and find those that are
        gone.
        """
        places = [*_named_by_place(self.old)]
        pending = dict.fromkeys(filter(self._stays, [*places, *self._referenced()]))
        kept = self._among_kept(pending)
        while kept:  # to compare them finds others
            for place in kept:
                del pending[place]
                self._compare_at(place)
            kept = self._among_kept(pending)
        equal: dict[str, str] = {}
        for place, schema in _named_by_place(self.new).items():
            equal[canonical(schema)] = place
        gone = [place for place in places if place not in self.new.by_place]
        for place in [*pending, *gone]:
            self._compare_or_rename(place, equal)

    def _referenced(self) -> Iterator[str]:
        """The places that references of the old document lead to."""
        for place, part in self.old.by_place.items():
            if id(part.tree) in self.old.referenced:
                yield place

    def _stays(self, place: str) -> bool:
        """Whether both documents have a schema at a place."""
        after = self.new.by_place.get(place)
        return after is not None and self.old.by_place[place].kind == after.kind == "schema"

    def _among_kept(self, places: Iterable[str]) -> list[str]:
        """The places that some reference leads to in both documents."""
        return [place for place in places if place in self._kept]

    def _compare_at(self, place: str) -> None:
        """Compare the schemas that both documents have at a place."""
        self.compare(self.old.part(place), self.new.part(place))

    def _compare_or_rename(self, place: str, equal: Mapping[str, str]) -> None:
        """Compare a schema with the one of its name, unless all that refers to it refers to another
        one now.

        That one is its successor, which only has another name: if the name is new, or moved on too,
        or if the schema is the same as this one. `equal` has the new schemas by their meaning, for
        what nothing refers to.
        """
        part = self.old.by_place[place]
        namesake = self.new.by_place.get(place)
        successor = self._successor(place, equal)
        if namesake is None:
            if successor and self._is_free(successor):
                self._renamed(place, successor)
            elif place not in self._instead and self.reach(part, None) == Reach():
                # What used it otherwise was compared with what is there now.
                self.add("schema-removed", place, Reach())
        elif not successor or place in self._kept:
            self._compare_at(place)
        else:
            later = self.new.by_place[successor]
            is_later = self._is_same(part.tree, later.tree)
            if is_later and not self._is_same(part.tree, namesake.tree):
                self._renamed(place, successor)

    def _successor(self, place: str, equal: Mapping[str, str]) -> str:
        """The place of the named schema that is used instead of one; "" when none is."""
        successor = ""
        if place not in self.new.by_place:
            meaning = canonical(self.old.by_place[place].tree)
            successor = equal.get(meaning, "")
        successor = self._instead.get(place, successor)
        return successor if successor.startswith(SCHEMAS) else ""

    def _is_free(self, successor: str) -> bool:
        """Whether a name is new, or the schema that had it has another one."""
        return successor not in self.old.by_place or self.moves.now(successor) != successor

    def _renamed(self, place: str, successor: str) -> None:
        """Note that a schema has another name, and that all below it moved."""
        reach = self.reach(self.old.by_place[place], self.new.by_place[successor])
        former = place.removeprefix(SCHEMAS)
        latter = successor.removeprefix(SCHEMAS)
        self.add("schema-renamed", place, reach, former, latter)
        self.moves.add(place, successor)

    def _replaces(self, before: str, after: str) -> None:
        """Note what is used instead of a schema; a schema with a name first."""
        if not self._instead.get(before):
            self._instead[before] = after

    # ---- Two schemas ----

    def compare(self, old: Part, new: Part) -> None:
        """Compare two schemas; `old` says what the place is called."""
        old_end = self.old.end(old.tree)
        new_end = self.new.end(new.tree)
        before = self.old.place(old_end, old.place)
        after = self.new.place(new_end, new.place)
        is_old_referred = self.old.is_referred(old.tree)
        is_new_referred = self.new.is_referred(new.tree)
        if is_old_referred and is_new_referred and before == after:
            self._kept.add(before)
            return  # compared by name
        if self._links is not None and (is_old_referred or is_new_referred):
            self._links.append((old_end, new_end))
            return
        if is_old_referred:
            self._replaces(before, after if is_new_referred else "")
            if before in self.new.by_place:
                self._replaced(old, new)
                return
            old = self.old.part(before)
            if is_new_referred:
                new = self.new.part(after)
        if self._is_new(old_end, new_end):
            self._walk(self._schema_pair(old, new, old_end, new_end))

    def _is_new(self, old: Tree, new: Tree) -> bool:
        """Whether a pair was not compared yet; it counts as compared from now on."""
        pair = id(old), id(new)
        is_new = pair not in self._visited
        self._visited.add(pair)
        return is_new

    def _replaced(self, old: Part, new: Part) -> None:
        """Note a reference that leads to something else, if that differs."""
        pairs = [*self._differences(old.tree, new.tree, as_text=old.as_text)]
        changes: list[Change] = []
        for _, _, own in pairs:
            changes += own
        for before, after, _ in pairs[1:]:
            first = self.old.of(before)
            second = self.new.of(after)
            if first is not None and second is not None:
                self._replaces(first.place, second.place)
        if not changes:
            return
        received = max(changes, key=lambda change: LEVELS.index(change.rule.received)).rule
        sent = worst(change.rule.sent for change in changes)
        rule = received._replace(sent=sent, words=RULES["replaced"].words)
        former = self.old.label(old.tree)
        latter = self.new.label(new.tree)
        change = Change(old.place, "replaced", former, latter, rule, _summary(changes))
        self.note(change, self.reach(old.component, new.component))

    def _is_same(self, old: Tree, new: Tree) -> bool:
        """Whether two schemas admit the same, with all that they refer to."""
        return not any(changes for _, _, changes in self._differences(old, new))

    def _rules(self, old: Tree, new: Tree) -> list[Rule]:
        """The rules of all that differs between two schemas."""
        rules: list[Rule] = []
        for _, _, changes in self._differences(old, new):
            rules += [change.rule for change in changes]
        return rules

    def _differences(
        self, old: Tree, new: Tree, *, as_text: bool = False
    ) -> Iterator[tuple[Tree, Tree, list[Change]]]:
        """Two schemas with their changes, and all those that they refer to by different names."""
        pending = [(self.old.end(old), self.new.end(new))]
        seen: set[tuple[int, int]] = set()
        for before, after in pending:  # it grows
            pair = id(before), id(after)
            if pair not in seen:
                seen.add(pair)
                difference = self._difference(before, after, as_text=as_text)
                yield before, after, difference.changes
                pending += difference.links

    def _difference(self, old: Tree, new: Tree, *, as_text: bool) -> _Difference:
        """What differs between two schemas themselves; found once for each pair."""
        key = id(old), id(new), as_text
        if key not in self._known:
            self._known[key] = _Difference([], [])  # until it is known: a cycle adds nothing
            self._known[key] = self._compare_apart(old, new, as_text=as_text)
        return self._known[key]

    def _compare_apart(self, old: Tree, new: Tree, *, as_text: bool) -> _Difference:
        """Compare two schemas apart from any place; what was found so far stays as it is."""
        outer = self.changes, self._visited, self._links
        links: list[Trees] = []
        self.changes = {}
        self._visited = {(id(old), id(new))}
        self._links = links
        old_part = Part(old, "", "", None, as_text=as_text)
        new_part = Part(new, "", "", None)
        self._walk(self._schema_pair(old_part, new_part, old, new))
        difference = _Difference([*self.changes], links)
        self.changes, self._visited, self._links = outer
        return difference

    def _walk(self, pair: _Pair) -> None:
        """Compare what two schemas say, and all that is written out in them."""
        before = pair.before
        after = pair.after
        self._kept |= pair.bases
        self._bases(before, after)
        if before.unions or after.unions:
            self._unions(pair)
        is_same_property = before.value("discriminator") == after.value("discriminator")
        if is_same_property and "discriminator" in pair.old_end:
            self._values(pair)
        differences = keyword_differences(before, after, as_text=pair.old.as_text)
        if bool(before.unions) != bool(after.unions):
            self._note(pair, filter(_is_of_null, differences))
            return
        self._note(pair, differences)
        if all(kind != "type-changed" for kind, _, _ in differences):
            self._children(pair)

    def _schema_pair(self, old: Part, new: Part, old_end: Tree, new_end: Tree) -> _Pair:
        before = self.old.shape(old_end)
        after = self.new.shape(new_end)
        reach = self.reach(old.component, new.component)
        return _Pair(old, new, old_end, new_end, before, after, reach)

    def _bases(self, before: Shape, after: Shape) -> None:
        """Compare the bases that have other names, which are common ones then."""
        gone = [place for place in before.bases if place not in self.new.by_place]
        fresh = [place for place in after.bases if place not in self.old.by_place]
        if len(gone) != len(fresh):
            return
        for first, second in zip(gone, fresh, strict=True):
            before.bases[second] = None
            after.bases[first] = None
            old = self.old.part(first)
            new = self.new.part(second)
            if self._links is None:
                self._replaces(first, second)
                self.compare(old, new)
            else:
                self._links.append((old.tree, new.tree))

    def _add(self, pair: _Pair, kind: str, old: str = "", new: str = "") -> None:
        """Note a change of a schema."""
        self.add(kind, pair.old.place, pair.reach, old, new)

    def _note(self, pair: _Pair, differences: Iterable[Difference]) -> None:
        """Note what differs between the keywords of two schemas."""
        for kind, old, new in differences:
            if kind == "type-as-text":
                self._note_text(pair, old, new)
            elif kind.endswith(("read-only", "write-only")):
                self._note_direction(pair, kind)
            else:
                self._add(pair, kind, old, new)

    def _note_direction(self, pair: _Pair, kind: str) -> None:
        """Note that something is only sent, or only received, in one of the documents."""
        if kind == "no-longer-read-only" and pair.new.required:
            kind = "required-no-longer-read-only"
        either = self.reach(pair.old.component, pair.new.component, either=True)
        self.add(kind, pair.old.place, either)

    def _note_text(self, pair: _Pair, old: str, new: str) -> None:
        """Note a number that is text now: the same where it is sent; in an answer, what a named
        schema describes is no text.
        """
        place = pair.old.place
        sent = Reach(sent=pair.reach.sent)
        received = Reach(received=pair.reach.received)
        if received != Reach():
            self.add("type-changed", place, received, old, new)
        if sent != Reach() or received == Reach():
            self.add("type-as-text", place, sent, old, new)

    # ---- Properties and items ----

    def _children(self, pair: _Pair) -> None:
        """Compare the properties, items and other values of two schemas, by step."""
        steps: set[str] = set()
        for shape in (pair.before, pair.after):
            steps |= shape.children.keys()
            steps |= {PROPERTY + name for name in shape.required}
        for step in sorted(steps):
            self._child(pair, step)

    def _child(self, pair: _Pair, step: str) -> None:
        """Compare what two schemas have at one step. What a common base has is compared there."""
        place = pair.old.below + step
        first = pair.before.children.get(step)
        second = pair.after.children.get(step)
        old = self.old.child_part(pair.old, first, place)
        new = self.new.child_part(pair.new, second, place)
        reach = self.reach(old.component, new.component)
        is_property = step.startswith(PROPERTY)
        name = step.removeprefix(PROPERTY)
        is_required = is_property and name in pair.after.required
        if is_property and bool(first) == bool(second):
            self._requiredness(pair, name, place, reach)
        homes = {child.home for child in (first, second) if child}
        if homes <= pair.bases:
            return
        if first and second:
            self.compare(old, replace(new, required=is_required))
        elif not is_property:
            self._described(pair, step)
        elif second:
            kind = "required" if is_required else "optional"
            self.add(f"{kind}-property-added", place, reach)
        else:
            kind = "undeclared" if pair.after.value("open") else "removed"
            self.add(f"property-{kind}", place, reach)

    def _described(self, pair: _Pair, step: str) -> None:
        """Note items, or other properties, that one document alone describes."""
        was_closed = pair.before.value("closed")
        is_closed = pair.after.value("closed")
        if step == ".additionalProperties" and was_closed != is_closed:
            return
        kind = "items-not-described"
        if step not in pair.before.children:
            kind = "items-described"
        elif step.startswith((".prefixItems", ".patternProperties")):
            kind = "part-not-described"
        self.add(kind, pair.old.below + step, pair.reach)

    def _requiredness(self, pair: _Pair, name: str, place: str, reach: Reach) -> None:
        """Note that a property has to be there in one of the documents only."""
        if _is_required_only_in(pair.after, pair.before, name):
            self.add("became-required", place, reach)
        if _is_required_only_in(pair.before, pair.after, name):
            self.add("became-optional", place, reach)

    # ---- Unions ----

    def _unions(self, pair: _Pair) -> None:
        """Compare the unions of two schemas. What has no union counts as a union of itself."""
        before = [union for union in pair.before.unions if union.home not in pair.bases]
        after = [union for union in pair.after.unions if union.home not in pair.bases]
        for first, second in zip_longest(before, after):
            former = first or _union_of_itself(pair.old, pair.before)
            latter = second or _union_of_itself(pair.new, pair.after)
            if first and second and first.keyword != second.keyword:
                self._add(pair, "union-kind", first.keyword, second.keyword)
            self._members(pair, former, latter)

    def _members(self, pair: _Pair, former: Union, latter: Union) -> None:
        """Compare the members of two unions: pairs with each other, and the rest as gone or new."""
        gone = [*former.members]
        fresh = [*latter.members]
        pairs = self._paired(former, latter)
        for first, second in pairs:
            gone.remove(first)
            fresh.remove(second)
        for member in gone:
            self._member_gone(pair, member, latter)
        for member in fresh:
            self._member_new(pair, member, former, latter)
        if pair.old.component is None or pair.reach.sent:
            self._ambiguous(pair, former, latter)
        for first, second in pairs:
            self._both_members(pair, first, second)

    def _member_gone(self, pair: _Pair, member: Child, latter: Union) -> None:
        """Note a member that no new one stands for; a single schema may admit all of it."""
        name = self.old.label(member.tree)
        if latter.is_single and self._admits(member, latter.members[0]):
            self._add(pair, "member-joined", name, self.new.label(pair.new.tree))
        else:
            self._add(pair, "member-removed", name)

    def _member_new(self, pair: _Pair, member: Child, former: Union, latter: Union) -> None:
        """Note a member that stands for no old one; it may be a part of a former single schema."""
        kind = "member-added"
        if former.is_single and self._is_read_as(former.members[0], member):
            kind = "member-split"
        elif former.discriminated and latter.discriminated:
            kind = "variant-added"
        self._add(pair, kind, "", self.new.label(member.tree))

    def _ambiguous(self, pair: _Pair, former: Union, latter: Union) -> None:
        """Note a single schema all of whose values are several members of `oneOf` now."""
        if not former.is_single or latter.keyword != "oneOf" or latter.discriminated:
            return
        [whole] = former.members
        fitting = [member for member in latter.members if self._admits(whole, member)]
        if len(fitting) > 1:
            names = [self.new.label(member.tree) for member in fitting]
            self._add(pair, "member-ambiguous", "", " and ".join(names))

    def _both_members(self, pair: _Pair, first: Child, second: Child) -> None:
        """Compare two members; one without a step is the whole, which is no union."""
        place = pair.old.below + first.step
        old = self.old.child_part(pair.old, first if first.step else None, place)
        new = self.new.child_part(pair.new, second if second.step else None, place)
        if first.step and second.step:
            self.compare(old, new)
        else:
            self._with_member(old, new)

    def _paired(self, former: Union, latter: Union) -> list[tuple[Child, Child]]:
        """The members that stand for each other: of one name or text, of one meaning, of one kind.

        A single schema is also paired with a member that admits all that it does, or that it admits
        all of.
        """
        ways = [self._has_same_name, self._has_same_meaning, self._could_be]
        if former.is_single or latter.is_single:
            ways.insert(2, self._admits)
        before = [*former.members]
        after = [*latter.members]
        pairs: list[tuple[Child, Child]] = []
        for is_pair in ways:
            for first in [*before]:
                second = next((member for member in after if is_pair(first, member)), None)
                if second is not None:
                    pairs.append((first, second))
                    before.remove(first)
                    after.remove(second)
        return pairs

    def _has_same_name(self, old: Child, new: Child) -> bool:
        return self.old.identity(old.tree) == self.new.identity(new.tree)

    def _has_same_meaning(self, old: Child, new: Child) -> bool:
        return self._is_same(old.tree, new.tree)

    def _admits(self, old: Child, new: Child) -> bool:
        """Whether the new schema admits all that is sent by the old one."""
        rules = self._rules(old.tree, new.tree)
        return all(rule.sent != "breaks" for rule in rules)

    def _is_read_as(self, old: Child, new: Child) -> bool:
        """Whether all that the new schema has is read as the old one."""
        rules = self._rules(old.tree, new.tree)
        return all(rule.received != "breaks" for rule in rules)

    def _could_be(self, old: Child, new: Child) -> bool:
        """Whether an inline member may be another one, changed: objects with half of their
        properties in common.
        """
        first = self.old.end(old.tree)
        second = self.new.end(new.tree)
        if self.old.is_referred(old.tree) or self.new.is_referred(new.tree):
            is_kept = self.old.place(first, "?") in self.new.by_place
            was_known = self.new.place(second, "?") in self.old.by_place
            if is_kept or was_known:
                return False
        before = self.old.shape(first).children
        after = self.new.shape(second).children
        common = before.keys() & after.keys()
        return 2 * len(common) >= max(len(before), len(after)) > 0

    def _with_member(self, old: Part, new: Part) -> None:
        """Compare a single schema with the member of a union that it became, or was.

        Null is said of the whole.
        """
        old_end = self.old.end(old.tree)
        new_end = self.new.end(new.tree)
        pair = self._schema_pair(old, new, old_end, new_end)
        place = pair.before.place
        is_named = place.startswith(SCHEMAS) and place == pair.after.place
        if is_named or pair.before.unions or pair.after.unions:
            return
        if self._is_new(old_end, new_end):
            differences = keyword_differences(pair.before, pair.after)
            self._note(pair, filterfalse(_is_of_null, differences))
            self._children(pair)

    # ---- Discriminators ----

    def _values(self, pair: _Pair) -> None:
        """Compare two discriminators: which value stands for which schema."""
        former = self.old.mapping_of(pair.old_end)
        latter = self.new.mapping_of(pair.new_end)
        for value in sorted({*former, *latter}):
            for kind, old, new in self._value(value, former, latter):
                self._add(pair, f"discriminator-value-{kind}", old, new)
        before = self.old.default_of(pair.old_end)
        after = self.new.default_of(pair.new_end)
        if self._is_another(before, after):
            kind = "changed"
            if not before or not after:
                kind = "added" if after else "removed"
            old = before.removeprefix(SCHEMAS)
            new = after.removeprefix(SCHEMAS)
            self._add(pair, f"discriminator-default-{kind}", old, new)

    def _value(
        self, value: str, former: Mapping[str, str], latter: Mapping[str, str]
    ) -> Iterator[Difference]:
        """What became of a value of a discriminator; a new name of another one is no change."""
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
        old = self.old.by_place
        new = self.new.by_place
        if before == after:
            return False
        if before not in old or after not in new or before in new:
            return True
        return after in old and not self._is_same(old[before].tree, new[after].tree)


def _named_by_place(shapes: Shapes) -> dict[str, Tree]:
    """The named schemas of a document by their places."""
    named = members(named_schemas(shapes.document))
    return {SCHEMAS + name: schema for name, schema in named}


def _is_of_null(difference: Difference) -> bool:
    """Whether a difference is about null only."""
    kind, _, _ = difference
    return kind.startswith("null-")


def _union_of_itself(part: Part, shape: Shape) -> Union:
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
