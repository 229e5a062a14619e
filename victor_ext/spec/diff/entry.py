"""One changed component of a document, what the change does (docs/changes.md), and the rule for each kind of change.

The list of oasdiff's checks says what there is to cover; where it knows errors and warnings, this one has `breaks` and
`look`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Level = Literal["breaks", "look", "fine", "none"]
"""What a change does: it breaks something; a person has to look; it does no harm; it does nothing."""
Column = Literal["wire", "python"]

LEVELS: tuple[Level, ...] = ("none", "fine", "look", "breaks")
"""From the least to the worst."""


def worst(levels: Iterable[Level]) -> Level:
    """The worst of some levels; "none" when there are none."""
    return LEVELS[max(map(LEVELS.index, levels), default=0)]


@dataclass(frozen=True)
class PythonChange:
    """What a change does to the code that uses the generated package."""

    level: Level
    names: tuple[str, ...]
    """The Python names that are gone, renamed or retyped: `pkg.models.Card.price`."""
    what: str
    """What happened to them, in sentences without a full stop, joined by `; `."""

    @classmethod
    def joined(cls, changes: Sequence[PythonChange]) -> PythonChange:
        """Several changes as one."""
        names = {name for each in changes for name in each.names}
        what = "; ".join(dict.fromkeys(each.what for each in changes))
        return cls(worst(each.level for each in changes), tuple(sorted(names)), what)


@dataclass(frozen=True)
class Entry:
    place: str
    """The dotted path of the component: `components.schemas.Card.properties.price`. See `spec.components`."""
    operations: tuple[str, ...]
    """The operations that it reaches, sorted: `get /v1/cards`."""
    direction: Literal["sent", "received", "both"]
    what: str
    wire: Level
    python: Level
    names: tuple[str, ...]
    fingerprint: str
    """It stays the same when other components, texts or versions change."""

    def level(self, column: Column) -> Level:
        return self.wire if column == "wire" else self.python

    def shortened(self, most: int = 10) -> str:
        """What changed, at most in so many sentences; those that follow are counted."""
        sentences = self.what.split("; ")
        rest = [f"and {len(sentences) - most} more"] if len(sentences) > most else []
        return "; ".join([*sentences[:most], *rest])

    def reached_by(self, most: int = 5) -> str:
        """The operations that it reaches, and in which direction."""
        if not self.operations:
            return "reached by no operation"
        shown = ", ".join(self.operations[:most])
        rest = f" and {len(self.operations) - most} more" if len(self.operations) > most else ""
        verb = {"sent": "sent by", "received": "received by", "both": "sent and received by"}[self.direction]
        return f"{verb} {shown}{rest}"


class Rule(NamedTuple):
    """What a kind of change does."""

    sent: Level
    received: Level
    words: str
    """With `{old}` and `{new}`."""
    absorbed: str = ""
    """How the generated package reads such a response all the same."""


_UNSET = "the package reads it as UNSET"
_NULL = "the package reads null as absent"
_OTHER_TYPE = "the package reads a value of another type as UNSET, and keeps it in additional_properties"

RULES: dict[str, Rule] = {
    # Operations
    "operation-removed": Rule("breaks", "breaks", "removed"),
    "operation-moved": Rule("breaks", "breaks", "moved to {new}"),
    "operation-added": Rule("fine", "fine", "added"),
    "operation-id": Rule("none", "none", "is {new} instead of {old}"),
    "tags": Rule("none", "none", "{new} instead of {old}"),
    "deprecated": Rule("fine", "fine", "deprecated"),
    "sunset": Rule("look", "look", "will be switched off: sunset {new}"),
    "undeprecated": Rule("fine", "fine", "no longer deprecated"),
    # Parameters
    "required-parameter-added": Rule("breaks", "fine", "required parameter added"),
    "optional-parameter-added": Rule("fine", "fine", "optional parameter added"),
    "parameter-removed": Rule("breaks", "look", "parameter removed"),
    "path-parameter-renamed": Rule("none", "none", "path parameter is named {new} instead of {old}"),
    "became-required": Rule("breaks", "fine", "became required"),
    "became-optional": Rule("fine", "breaks", "became optional", _UNSET),
    "serialisation": Rule("breaks", "breaks", "is written as {new} instead of {old}"),
    "empty-value-refused": Rule("breaks", "fine", "may no longer be empty"),
    "empty-value-allowed": Rule("fine", "fine", "may be empty"),
    # Bodies and answers
    "required-body-added": Rule("breaks", "fine", "required body added"),
    "optional-body-added": Rule("fine", "fine", "optional body added"),
    "body-removed": Rule("breaks", "look", "body removed"),
    "content-type-added": Rule("fine", "fine", "content type added"),
    "content-type-removed": Rule("breaks", "breaks", "content type removed"),
    "encoding": Rule("breaks", "look", "encoding of {new} changed"),
    "schema-added": Rule("breaks", "fine", "has a schema now"),
    "schema-lost": Rule("fine", "look", "has no schema any more"),
    "success-added": Rule("look", "look", "new answer for success"),
    "answer-added": Rule("fine", "fine", "new answer"),
    "success-removed": Rule("breaks", "breaks", "answer removed"),
    "answer-removed": Rule("fine", "fine", "answer removed"),
    "default-answer-removed": Rule("look", "look", "answer for all other statuses removed"),
    "header-added": Rule("fine", "fine", "header added"),
    "required-header-added": Rule("breaks", "fine", "required header added"),
    "header-removed": Rule("fine", "look", "optional header removed"),
    "required-header-removed": Rule("look", "breaks", "header removed"),
    # Schemas
    "schema-removed": Rule("none", "none", "schema removed"),
    "schema-renamed": Rule("none", "none", "schema is named {new} instead of {old}"),
    "type-changed": Rule("breaks", "breaks", "type changed from {old} to {new}", _OTHER_TYPE),
    "type-widened": Rule("fine", "breaks", "type widened from {old} to {new}", _OTHER_TYPE),
    "type-narrowed": Rule("breaks", "fine", "type narrowed from {old} to {new}"),
    "null-admitted": Rule("fine", "breaks", "may be null", _NULL),
    "null-refused": Rule("breaks", "fine", "may no longer be null"),
    "format-changed": Rule("breaks", "look", "format changed from {old} to {new}"),
    "format-widened": Rule("fine", "look", "format widened from {old} to {new}"),
    "format-narrowed": Rule("breaks", "fine", "format narrowed from {old} to {new}"),
    "format-added": Rule("look", "fine", "format {new} added"),
    "format-removed": Rule("fine", "look", "format {old} removed"),
    "type-format-added": Rule("breaks", "fine", "format {new} added"),
    "type-format-removed": Rule("fine", "breaks", "format {old} removed", _OTHER_TYPE),
    "enum-value-added": Rule("fine", "look", "enum value {new} added", "the package keeps it as a member of its own"),
    "enum-value-removed": Rule("breaks", "fine", "enum value {old} removed"),
    "became-enum": Rule("breaks", "fine", "restricted to {new}"),
    "no-longer-enum": Rule("fine", "look", "no longer restricted to {old}", "the package keeps any value"),
    "limit-tightened": Rule("breaks", "fine", "{old} tightened to {new}"),
    "limit-added": Rule("breaks", "fine", "{new} added"),
    "limit-loosened": Rule("fine", "look", "{old} loosened to {new}"),
    "limit-removed": Rule("fine", "look", "{old} removed"),
    "limit-changed": Rule("breaks", "look", "{old} changed to {new}"),
    "pattern-added": Rule("breaks", "fine", "pattern {new} added"),
    "pattern-changed": Rule("breaks", "look", "pattern changed from {old} to {new}"),
    "pattern-removed": Rule("fine", "look", "pattern {old} removed"),
    "unique-items": Rule("breaks", "fine", "items must be unique"),
    "repeated-items": Rule("fine", "look", "items may repeat"),
    "default-changed": Rule("look", "fine", "default changed from {old} to {new}"),
    "default-added": Rule("look", "fine", "default {new} added"),
    "default-removed": Rule("look", "fine", "default {old} removed"),
    "required-property-added": Rule("breaks", "fine", "required property added"),
    "optional-property-added": Rule("fine", "fine", "optional property added"),
    "property-removed": Rule("breaks", "breaks", "property removed", _UNSET),
    "property-undeclared": Rule("look", "breaks", "property removed; others are admitted", _UNSET),
    "items-described": Rule("breaks", "fine", "has a schema now"),
    "items-not-described": Rule("fine", "look", "has no schema any more"),
    "part-not-described": Rule("look", "look", "has no schema any more"),
    "closed": Rule("breaks", "fine", "other properties are refused"),
    "opened": Rule("fine", "fine", "other properties are admitted"),
    "became-read-only": Rule("look", "fine", "became read-only: it can no longer be sent"),
    "no-longer-read-only": Rule("fine", "fine", "no longer read-only: it can be sent"),
    "required-no-longer-read-only": Rule("breaks", "fine", "no longer read-only: it has to be sent"),
    "became-write-only": Rule("fine", "breaks", "became write-only: answers no longer have it", _UNSET),
    "no-longer-write-only": Rule("fine", "fine", "no longer write-only: answers have it"),
    "member-added": Rule("fine", "breaks", "may also be {new}", "the package reads it as the model that fits best"),
    "member-removed": Rule("breaks", "fine", "can no longer be {old}"),
    "union-kind": Rule("look", "fine", "is {new} instead of {old}"),
    "discriminator-changed": Rule("breaks", "breaks", "discriminator changed from {old} to {new}"),
    "discriminator-added": Rule("look", "look", "discriminator {new} added"),
    "discriminator-removed": Rule("look", "look", "discriminator {old} removed"),
    "discriminator-value-added": Rule("fine", "look", "discriminator value {new} added"),
    "discriminator-value-removed": Rule("breaks", "fine", "discriminator value {old} removed"),
    "discriminator-value-changed": Rule("breaks", "breaks", "discriminator value {old} stands for {new}"),
    "constraint-added": Rule("breaks", "fine", "{new} added"),
    "constraint-changed": Rule("breaks", "look", "{new} changed"),
    "constraint-removed": Rule("fine", "look", "{old} removed"),
    "replaced": Rule("none", "none", "{new} instead of {old}"),
    # Security and servers
    "security-added": Rule("breaks", "breaks", "needs {new} now; it was open"),
    "security-removed": Rule("fine", "fine", "needs no credentials any more"),
    "security-alternative-added": Rule("fine", "fine", "{new} admitted"),
    "security-alternative-removed": Rule("breaks", "breaks", "{old} no longer admitted"),
    "scheme-changed": Rule("breaks", "breaks", "credentials are {new} instead of {old}"),
    "scheme-address": Rule("look", "look", "address for tokens is {new} instead of {old}"),
    "scope-removed": Rule("look", "look", "scope {old} removed"),
    "server-changed": Rule("breaks", "breaks", "server is {new} instead of {old}"),
    "server-removed": Rule("breaks", "breaks", "server {old} removed"),
    "server-added": Rule("fine", "fine", "server {new} added"),
    "server-named": Rule("look", "look", "server {new} named; none was declared"),
    "server-order": Rule("look", "look", "first server is {new} instead of {old}"),
    "server-variable": Rule("look", "look", "default is {new} instead of {old}"),
    "server-variable-value-removed": Rule("breaks", "breaks", "value {old} removed"),
    "server-variable-value-added": Rule("fine", "fine", "value {new} added"),
}
