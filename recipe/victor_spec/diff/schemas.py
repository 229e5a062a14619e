"""What differs between two schemas.

A reference that leads to another schema than before is one change of the place that has it, unless
the earlier schema is gone: then it was renamed, or written out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from typing import Literal

from victor_spec.tree import Tree, around

from .changes import BOTH, LEVELS, RECEIVED, RULES, SENT, Change, Rule, worst
from .facts import OTHERS, PROPERTY, SCHEMAS, Child, Facts, Union, Version
from .keywords import Difference, canonical, keyword_changes, presence, says_something
from .moves import Moves
from .pairs import Edge, Pair, inside

Use = Literal["value", "text", "member", "base"]
"""What a schema is compared as: any value; a value that is written as plain text, as in a query,
where 5 and "5" are the same; a single schema and the member of a union that it became, or was,
whose null is that of the whole; or what others are composed of.
"""


@dataclass(eq=False, kw_only=True)
class SchemaPair(Pair):
    """Two schemas."""

    below: str
    """What the places of their children begin with."""
    old: Tree
    new: Tree
    before: Facts
    after: Facts
    use: Use
    homes: dict[str, str] = field(default_factory=dict[str, str])
    """The places, in both documents, of the bases that both schemas have, with the old ones."""

    def at(self, *homes: str, step: str = "") -> str:
        """The place of what is said at a step: that of the base that says it in each document, or
        else of the schema itself; in the names of the old document.
        """
        itself = self.below if step else self.place
        bases = {self.homes.get(home, "") for home in homes}
        [base] = bases if len(bases) == 1 else [""]
        return (base or itself) + step


class SchemaComparison:
    """Compares schemas of both documents."""

    def __init__(self, old: Version, new: Version, moves: Moves) -> None:
        self.old = old
        self.new = new
        self.moves = moves
        self.pairs: dict[tuple[int, int, Use], SchemaPair] = {}
        """By the ids of both schemas, and what they are compared as."""

    def schema(
        self,
        old: Tree,
        new: Tree,
        place: str,
        *,
        use: Use = "value",
        directions: int = BOTH,
    ) -> Edge:
        """The way to two schemas; `place` is that of the old one."""
        before = self.old.referred(old)
        after = self.new.referred(new)
        pair = self._pair(old, new, before or place, use)
        summary = None
        if before in self.new.by_place and before != after:
            labels = self.old.label(old), self.new.label(new)
            summary = Pair(place, partial(self._summarise, whole=pair, labels=labels))
        return Edge(pair, directions, before, after, summary)

    def _pair(self, old: Tree, new: Tree, place: str, use: Use) -> SchemaPair:
        """Two schemas: the same pair for the same two."""
        old = self.old.end(old)
        new = self.new.end(new)
        owner = self.old.by_place.get(place)
        key = id(old), id(new), use
        if key not in self.pairs:
            self.pairs[key] = SchemaPair(
                place,
                self._compare,
                below=place if owner is None or owner.kind == "Schema" else f"{place}.schema",
                old=old,
                new=new,
                before=self.old.facts(old),
                after=self.new.facts(new),
                use=use,
            )
        return self.pairs[key]

    def _summarise(self, shown: Pair, *, whole: Pair, labels: tuple[str, str]) -> None:
        """Say of a reference that leads to something else how that differs."""
        changes: list[Change] = []
        for pair in inside(whole, Edge.is_by_itself):
            shown.edges += filter(Edge.is_by_itself, pair.edges)
            changes += pair.changes
        if changes:
            received = max(changes, key=lambda change: LEVELS.index(change.rule.received)).rule
            sent = worst(change.rule.sent for change in changes)
            rule = received._replace(sent=sent, words=RULES["replaced"].words)
            change = Change(shown.place, "replaced", *labels, rule, self._summary(changes))
            shown.changes[change] = BOTH

    def _summary(self, changes: list[Change], most: int = 3) -> str:
        """What differs between two schemas, the worst first."""
        ordered = sorted(changes, key=lambda change: -max(map(LEVELS.index, change.rule[:2])))
        words: list[str] = []
        for change in ordered[:most]:
            step = self._step(change.place)
            words.append(f"{step}: {change.words()}" if step else change.words())
        if len(changes) > most:
            words.append(f"and {len(changes) - most} more")
        return "; ".join(words)

    def _step(self, place: str) -> str:
        """A place without that of the outermost schema around it."""
        for part in around(place):
            known = self.old.by_place.get(part)
            if known is not None and known.kind == "Schema":
                return place.removeprefix(part).removeprefix(".")
        return place

    def is_same(self, old: Tree, new: Tree) -> bool:
        """Whether two schemas admit the same, with all that they refer to."""
        return not self._rules(old, new, "value")

    def _rules(self, old: Tree, new: Tree, use: Use) -> list[Rule]:
        """The rules of all that differs between two schemas, as far as they have no common name."""
        rules: list[Rule] = []
        place = self.old.place(self.old.end(old), "")
        for pair in inside(self._pair(old, new, place, use), Edge.keeps_name):
            rules += [change.rule for change in pair.changes]
        return rules

    # ---- Two schemas ----

    def _compare(self, pair: SchemaPair) -> None:
        """Compare two schemas themselves, and find what they lead to."""
        before = pair.before
        after = pair.after
        self._bases(pair)
        if pair.use != "base":
            self._heirs(pair)
        for first, second in zip_longest(before.unions, after.unions):
            self._unions(pair, first, second)
        is_tagged = "discriminator" in pair.old and "discriminator" in pair.new
        if is_tagged and before.value("discriminator") == after.value("discriminator"):
            self._variants(pair)
        is_one_union = bool(before.unions) != bool(after.unions)
        has_other_type = False
        for homes, (kind, old, new) in _keyword_differences(pair):
            is_of_whole = pair.use == "member" if kind.startswith("null-") else is_one_union
            if not is_of_whole:
                has_other_type |= kind == "type-changed"
                pair.say(kind, old, new, at=pair.at(*homes))
        if not is_one_union and not has_other_type:
            self._children(pair)

    def _bases(self, pair: SchemaPair) -> None:
        """Lead to what both are composed of, and pair the bases that have other names."""
        before = pair.before.bases
        after = pair.after.bases
        names = [(place, place) for place in before if place in after]
        gone = [place for place in before if place not in self.new.by_place]
        fresh = [place for place in after if place not in self.old.by_place]
        if len(gone) == len(fresh):
            names += zip(gone, fresh, strict=True)
        for first, second in names:
            pair.homes |= {first: first, second: first}
            base = self._pair(before[first], after[second], first, "base")
            pair.edges.append(Edge(base, before=first, after=second))

    def _heirs(self, pair: SchemaPair) -> None:
        """Lead to the schemas that are read in the place of one with a discriminator."""
        for heir in self.old.heirs.get(id(pair.old), []):
            place = self.old.place(heir, "")
            if place in self.new.by_place:
                pair.edges.append(Edge(self.by_name(place), before=place, after=place))

    def by_name(self, place: str) -> Pair:
        """The schemas of both documents at one place."""
        old = self.old.by_place[place].tree
        new = self.new.by_place[place].tree
        return self._pair(old, new, place, "value")

    # ---- Properties and items ----

    def _children(self, pair: SchemaPair) -> None:
        """Compare the properties, items and other values of two schemas, by step."""
        before = pair.before
        after = pair.after
        required = [PROPERTY + name for name in (*before.required, *after.required)]
        for step in sorted({*before.children, *after.children, *required}):
            old = before.children.get(step)
            new = after.children.get(step)
            name = step.removeprefix(PROPERTY)
            if step.startswith(PROPERTY):
                self._property(pair, name, old, new)
            elif old is None or new is None:
                self._described(pair, step, old or new)
            if old is not None and new is not None:
                self._both(pair, old, new)

    def _both(self, pair: SchemaPair, old: Child, new: Child) -> None:
        """Lead to what both schemas have at one step."""
        place = pair.at(old.home, new.home, step=old.step)
        was = self.old.directions(old.tree)
        now = self.new.directions(new.tree)
        is_required = old.step.removeprefix(PROPERTY) in pair.after.required
        for direction, word in ((SENT, "read-only"), (RECEIVED, "write-only")):
            if was & direction and not now & direction:
                pair.say(f"became-{word}", at=place)
            elif now & direction and not was & direction:
                start = "required-" if direction == SENT and is_required else ""
                pair.say(f"{start}no-longer-{word}", at=place)
        use: Use = "text" if pair.use == "text" else "value"
        pair.edges.append(self.schema(old.tree, new.tree, place, use=use, directions=was & now))

    def _property(self, pair: SchemaPair, name: str, old: Child | None, new: Child | None) -> None:
        """Compare whether a property is declared, and whether it has to be there."""
        was_required = pair.before.required.get(name)
        is_required = pair.after.required.get(name)
        directions = BOTH
        if old is not None:
            directions &= self.old.directions(old.tree)
        if new is not None:
            directions &= self.new.directions(new.tree)
        if new is not None and old is None:
            home = new.home
            kind = "optional-property-added" if is_required is None else "required-property-added"
        elif old is not None and new is None:
            home = old.home
            kind = "property-undeclared" if pair.after.value("open") else "property-removed"
        elif is_required is not None and was_required is None:
            home, kind = is_required, "became-required"
        elif was_required is not None and is_required is None:
            home, kind = was_required, "became-optional"
        else:
            return
        pair.say(kind, at=pair.at(home, step=PROPERTY + name), directions=directions)

    def _described(self, pair: SchemaPair, step: str, child: Child | None) -> None:
        """Say of items, or other properties, that one document alone describes them."""
        was_closed = pair.before.value("closed")
        is_closed = pair.after.value("closed")
        if child is None or (step == ".additionalProperties" and was_closed != is_closed):
            return
        kind = "items-not-described"
        if step in pair.after.children:
            kind = "items-described"
        elif step.startswith((".prefixItems", ".patternProperties")):
            kind = "part-not-described"
        pair.say(kind, at=pair.at(child.home, step=step))

    # ---- Unions ----

    def _unions(self, pair: SchemaPair, first: Union | None, second: Union | None) -> None:
        """Compare two unions. What has no union counts as a union of itself."""
        former = first or Union("", "", [Child(pair.old, "", "")], discriminated=False)
        latter = second or Union("", "", [Child(pair.new, "", "")], discriminated=False)
        place = pair.at(former.home, latter.home)
        if first and second and first.keyword != second.keyword:
            pair.say("union-kind", first.keyword, second.keyword, at=place)
        matches = self._matches(former, latter)
        for member in former.members:
            if member not in [old for old, _ in matches]:
                self._member_gone(pair, member, latter, place)
        for member in latter.members:
            if member not in [new for _, new in matches]:
                self._member_new(pair, member, former, latter, place)
        if former.is_single and latter.keyword == "oneOf" and not latter.discriminated:
            self._ambiguous(pair, former.members[0], latter.members)
        for old, new in matches:
            pair.edges.append(self._member_edge(pair, old, new))

    def _member_gone(self, pair: SchemaPair, member: Child, latter: Union, place: str) -> None:
        """Say that no new member stands for one; a single schema may admit all of it."""
        name = self.old.label(member.tree)
        if latter.is_single and self._admits(member, latter.members[0]):
            pair.say("member-joined", name, self.new.label(pair.new), at=place)
        else:
            pair.say("member-removed", name, at=place)

    def _member_new(
        self, pair: SchemaPair, member: Child, former: Union, latter: Union, place: str
    ) -> None:
        """Say that a member stands for no old one; it may be a part of a former single schema."""
        kind = "member-added"
        if former.is_single and self._is_without_break(former.members[0], member, "received"):
            rules = self._rules(former.members[0].tree, member.tree, "member")
            admits_more = any(rule.received == "look" for rule in rules)
            kind = "member-loosened" if admits_more else "member-split"
        elif former.discriminated and latter.discriminated:
            kind = "variant-added"
        pair.say(kind, "", self.new.label(member.tree), at=place)

    def _ambiguous(self, pair: SchemaPair, whole: Child, members: list[Child]) -> None:
        """Say of a single schema that all of its values are several members of `oneOf` now."""
        fitting = [member for member in members if self._admits(whole, member)]
        if len(fitting) > 1:
            names = [self.new.label(member.tree) for member in fitting]
            pair.say("member-ambiguous", "", " and ".join(names))

    def _member_edge(self, pair: SchemaPair, old: Child, new: Child) -> Edge:
        """The way to two members, or to a single schema and the member that it became, or was."""
        place = pair.at(old.home, new.home, step=old.step)
        if old.step and new.step:
            use: Use = "text" if pair.use == "text" else "value"
            return self.schema(old.tree, new.tree, place, use=use)
        name = self.old.name(old.tree)
        if name and name == self.new.name(new.tree):
            return Edge(self.by_name(name), before=name, after=name)
        return Edge(self._pair(old.tree, new.tree, place, "member"))

    def _matches(self, former: Union, latter: Union) -> list[tuple[Child, Child]]:
        """The members that stand for each other: of one name or text, of one meaning, of one kind.

        A single schema also stands for a member that admits all that it does, or that it admits all
        of.
        """
        ways = [self._has_same_name, self._has_same_meaning, self._could_be]
        if former.is_single or latter.is_single:
            ways.insert(2, self._admits)
        before = [*former.members]
        after = [*latter.members]
        matches: list[tuple[Child, Child]] = []
        for stands_for in ways:
            for old in [*before]:
                new = next((member for member in after if stands_for(old, member)), None)
                if new is not None:
                    matches.append((old, new))
                    before.remove(old)
                    after.remove(new)
        return matches

    def _has_same_name(self, old: Child, new: Child) -> bool:
        before = self.old.name(old.tree) or canonical(self.old.end(old.tree))
        after = self.new.name(new.tree) or canonical(self.new.end(new.tree))
        return before == after

    def _has_same_meaning(self, old: Child, new: Child) -> bool:
        return self.is_same(old.tree, new.tree)

    def _admits(self, old: Child, new: Child) -> bool:
        """Whether the new schema admits all that is sent by the old one."""
        return self._is_without_break(old, new, "sent")

    def _is_without_break(self, old: Child, new: Child, way: Literal["sent", "received"]) -> bool:
        """Whether no difference of two schemas breaks what is sent, or received."""
        rules = self._rules(old.tree, new.tree, "member")
        return all(getattr(rule, way) != "breaks" for rule in rules)

    def _could_be(self, old: Child, new: Child) -> bool:
        """Whether an inline member may be another one, changed: objects with half of their
        properties in common.
        """
        is_kept = self.old.referred(old.tree) in self.new.by_place
        if is_kept or self.new.referred(new.tree) in self.old.by_place:
            return False
        first = self.old.facts(self.old.end(old.tree)).children
        second = self.new.facts(self.new.end(new.tree)).children
        common = first.keys() & second.keys()
        return 2 * len(common) >= max(len(first), len(second)) > 0

    # ---- Discriminators ----

    def _variants(self, pair: SchemaPair) -> None:
        """Compare two discriminators: which value stands for which schema. Another value for a
        schema is one change.
        """
        former = self.old.variants(pair.old)
        latter = self.new.variants(pair.new)
        gone = {former[value] for value in former.keys() - latter.keys() - {OTHERS}}
        fresh = sorted(latter.keys() - former.keys() - {OTHERS}, reverse=True)
        now = {latter[value]: value for value in fresh}
        for value in sorted({*former, *latter}):
            before = former.get(value, "")
            after = latter.get(value, "")
            if not self._is_another(before, after):
                continue
            name = after.removeprefix(SCHEMAS)
            if value == OTHERS:
                names = before.removeprefix(SCHEMAS), name
                pair.say(*presence("discriminator-default", *names))
            elif before in now and not after:
                pair.say("discriminator-value-renamed", value, now[before])
            elif not after:
                pair.say("discriminator-value-removed", value)
            elif before:
                pair.say("discriminator-value-changed", value, name)
            elif after not in gone:
                pair.say("discriminator-value-added", "", value)

    def _is_another(self, before: str, after: str) -> bool:
        """Whether two places have different schemas: not the same one with another name."""
        old = self.old.by_place
        new = self.new.by_place
        if before == after:
            return False
        if before not in old or after not in new:
            return True
        if before in new:
            return True  # it kept its name: what the other name says is another schema
        if after not in old:
            return False  # one went and one came: it was renamed, and is compared as such
        return not self.is_same(old[before].tree, new[after].tree)


def _says_something(keyword: str, *sides: Facts) -> bool:
    """Whether a keyword says something of a value of each of two schemas."""
    return all(says_something(keyword, facts.stated_types) for facts in sides)


_BESIDE_TYPES = {"type-changed", "null-admitted", "null-refused"}
"""The differences that mean something beside another type."""
_PLAIN = {"integer", "number", "boolean"}


def _keyword_differences(pair: SchemaPair) -> Iterator[tuple[set[str], Difference]]:
    """What differs between the keywords of two schemas, with its homes; little beside other
    types.
    """
    before = pair.before
    after = pair.after
    is_inferred = before.is_inferred or after.is_inferred
    # What was a number is written as the text that it is now.
    is_text = pair.use == "text" and before.value("type") != after.value("type")
    found: list[tuple[set[str], Difference]] = []
    for keyword in sorted({*before.keywords, *after.keywords}):
        old = before.value(keyword)
        new = after.value(keyword)
        # One that does not declare its type, and one whose type follows from other keywords.
        if old == new or (keyword == "type" and is_inferred and None in (old, new)):
            continue
        if not (is_text or _says_something(keyword, before, after)):
            continue
        said = [facts.keywords[keyword] for facts in (before, after) if keyword in facts.keywords]
        homes = {each.home for each in said}
        found += [(homes, difference) for difference in keyword_changes(keyword, old, new)]
    if all(kind != "type-changed" for _, (kind, _, _) in found):
        yield from found
        return
    was_plain = (before.value("type") or {"array"}) <= _PLAIN
    is_same_text = pair.use == "text" and was_plain and after.value("type") == {"string"}
    for homes, (kind, old, new) in found:
        if is_same_text:
            yield homes, ("type-as-text" if kind == "type-changed" else kind, old, new)
        elif kind in _BESIDE_TYPES:
            yield homes, (kind, old, new)
