"""The words that tell the members of a union apart: those of a discriminator, or of enums and
constants.

`mark_union_members` writes these words into the members, for the templates to read.
"""

import json
from collections import Counter
from collections.abc import Collection
from itertools import chain, count
from typing import Any, NamedTuple

from victor_spec.tree import (
    Tree,
    is_null,
    list_at,
    mapping_at,
    resolve,
    types_of,
    union_members,
    words_as,
)

from .base import Log, schemas
from .classes import is_alias, is_object
from .merged_schemas import all_properties, all_required, values_of
from .nulls import ONLY_NULL
from .serialization import variants

TAKEN = "x-taken"
"""The key of a discriminator with the references that it names, and that are no members of the
union.
"""
OTHERS: dict[str, str] = {}
"""What stands for any other word, and for none, among the words of a member: that of
`defaultMapping`.
"""
Word = str | int
"""A value of an enum, or a constant."""
Words = list[list[Word | dict[str, str] | None]]
"""The words of each member of a union; None for null."""
KIND_OF = {str: "string", bool: "boolean", int: "integer"}


class Discriminator(NamedTuple):
    """A discriminator of a union, as the templates need it."""

    name: str
    """The property with the words."""
    union: str
    """The key of the words in the mark `x-one-of` of each member."""
    taken: list[str]
    """The words that select schemas that are no members of the union."""
    has_default: bool
    """Whether any other value is read as a member, so that there is no unknown variant."""


class _Member(NamedTuple):
    """An object that is a member of a union, or of a union in it."""

    schema: Tree
    name: str
    """The reference that is the member, "" where it is written in its place."""


def mark_union_members(document: Tree, log: Log) -> None:
    """Mark members with what selects them: `x-one-of` by discriminators, `x-words` by enums in
    which they differ.

    A union with a discriminator gets a further member, for the variants that the document does not
    name.
    """
    done: dict[int, Tree] = {}
    numbers = count()
    for where, schema in schemas(document):
        members = _members_of_union(document, schema)
        words = [_words_by_property(document, member.schema, done) for member in members]
        if len(members) > 1:
            for member, own in zip(members, words, strict=True):
                _mark_distinguishing_words(member, own, words)
                name = member.name or "an object without a name"
                log("mark-union-members", f"{where}: {name}")
        selecting = _words_of_discriminator(document, schema, members, words, log.renamed)
        is_union = len(members) > 1 or _has_two_values(document, schema)
        if not selecting and is_union:
            selecting = _words_without_discriminator(document, members, words, done)
        for name, words_of_members in selecting.items():
            union = f"{next(numbers)}.{name}"
            for member, own_words in zip(members, words_of_members, strict=True):
                member.schema.setdefault("x-one-of", {})[union] = own_words
            _add_unknown_variant(schema, union, name, words_of_members, members, log.renamed)


def _members_of_union(document: Tree, schema: Tree) -> list[_Member]:
    """The objects that the members of a union are, or that are members of unions in it."""
    members: list[_Member] = []
    for part in union_members(schema):
        members += _objects(document, part, str(part.get("$ref", "")))
    return members


def _has_two_values(document: Tree, schema: Tree) -> bool:
    """Whether two members of a union are more than null."""
    parts = union_members(schema)
    return len([part for part in parts if not is_null(resolve(document, part))]) > 1


def _add_unknown_variant(
    schema: Tree,
    union: str,
    name: str,
    words_of_members: Words,
    members: list[_Member],
    renamed: dict[str, str],
) -> None:
    """Add the member that stands for what the property `name` does not tell."""
    # Two discriminators can exclude each other's members.
    is_whole = len(members) <= len(union_members(schema))
    known = _members_of_discriminator(
        schema, name, union, words_of_members, renamed, may_default=is_whole
    )
    # A constant stands for it until the generator has parsed the document, as for a Decimal.
    variant = {"type": "string", "const": json.dumps(known)}
    key = "anyOf" if schema.get("anyOf") else "oneOf"
    schema[key].append(variant)


def _mark_distinguishing_words(
    member: _Member, words: dict[str, list[Word]], words_of_members: list[dict[str, list[Word]]]
) -> None:
    """Write into a member of a union the enums by which it can be told from the other members, as
    `x-words`.
    """
    marks = member.schema.setdefault("x-words", {})
    for name, values in words.items():
        if any(other.get(name) != values for other in words_of_members):
            marks[name] = sorted({str(word).casefold() for word in values})
    member.schema.setdefault("x-one-of", {})


def _members_of_discriminator(
    schema: Tree,
    name: str,
    union: str,
    words_of_members: Words,
    renamed: dict[str, str],
    *,
    may_default: bool,
) -> Tree:
    """The members of the `Discriminator` of a union, by their names."""
    discriminator = mapping_at(schema, "discriminator")
    taken: set[str] = set()
    for reference in list_at(discriminator, TAKEN):
        taken |= {*_words_that_select(discriminator, reference, renamed)}
    for words in words_of_members:
        taken -= {word for word in words if isinstance(word, str)}
    has_default = may_default and not taken and any(OTHERS in words for words in words_of_members)
    return {"name": name, "union": union, "taken": sorted(taken), "has_default": has_default}


def _objects(
    document: Tree, part: Tree, name: str, seen: frozenset[int] = frozenset()
) -> list[_Member]:
    """The objects that a member of a union is, or has as members; `name` is its reference."""
    whole = resolve(document, part)
    inner = union_members(whole)
    if is_alias(whole):
        inner = whole["allOf"]
    if id(whole) in seen:
        return []
    if not inner:
        return [_Member(whole, name)] if is_object(document, whole) else []
    objects: list[_Member] = []
    for member in inner:
        objects += _objects(document, member, name, seen | {id(whole)})
    return objects


def _words_of_discriminator(
    document: Tree,
    schema: Tree,
    members: list[_Member],
    words: list[dict[str, list[Word]]],
    renamed: dict[str, str],
) -> dict[str, Words]:
    """The words of each member by the property of the discriminator; {} for a schema without a
    discriminator.

    A member has the words that are mapped to the member, and those of its constant that no other
    member has.
    """
    discriminator = mapping_at(schema, "discriminator")
    name = discriminator.get("propertyName")
    if not isinstance(name, str) or not members:
        return {}
    constants = [own.get(name, []) for own in words]
    mapped: list[list[Word]] = []
    for member, values in zip(members, constants, strict=True):
        texts: list[str] = []
        if member.name:
            texts = _words_that_select(discriminator, member.name, renamed)
        kinds_ = _types_of_words(document, member, name, values)
        mapped.append(words_as(texts, kinds_))
    counts = Counter(chain(*mapped, *constants))
    default = str(discriminator.get("defaultMapping", ""))
    words_of_members: Words = []
    for member, own, values in zip(members, mapped, constants, strict=True):
        selecting: list[Word | dict[str, str] | None] = [*own]
        if len(members) > 1 or len(values) == 1:
            selecting += [word for word in values if word not in own and counts[word] == 1]
        if default and default in (member.name, member.name.rpartition("/")[2]):
            selecting.append(OTHERS)
        words_of_members.append(selecting)
    return {name: words_of_members}


def _types_of_words(
    document: Tree, member: _Member, name: str, values: list[Word]
) -> Collection[str]:
    """The types of a discriminator's property in a member: those of its values, else the declared
    ones.
    """
    if values:
        return {KIND_OF[type(word)] for word in values}
    declared = all_properties(document, member.schema).get(name, {})
    return types_of(resolve(document, declared))


def _words_without_discriminator(
    document: Tree,
    members: list[_Member],
    words: list[dict[str, list[Word]]],
    done: dict[int, Tree],
) -> dict[str, Words]:
    """The words of each member by the properties that tell the members apart: no two members have
    a word in common there.

    Each member has a constant, or all members require the property. A single object must require
    its constant.
    """
    properties = [all_properties(document, member.schema, done) for member in members]
    required = [all_required(document, member.schema, done) for member in members]
    words_of_members: dict[str, Words] = {}
    for name in words[0] if members else ():
        own = [of_member.get(name, []) for of_member in words]
        is_required = all(name in names for names in required)
        if _tells_apart(own, is_required=is_required):
            words_of_members[name] = [[*of_member] for of_member in own]
            for selecting, declared in zip(words_of_members[name], properties, strict=True):
                if any(map(_has_null, variants(document, declared[name]))):
                    selecting.append(None)
    return words_of_members


def _tells_apart(words: list[list[Word]], *, is_required: bool) -> bool:
    """Whether the words of a property tell the members of a union apart, or a single one from
    anything else.
    """
    every = [word for own in words for word in own]
    if not every or len({*every}) < len(every):
        return False
    is_constant = all(len(own) == 1 for own in words)
    if len(words) == 1:
        return is_constant and is_required
    return is_constant or (all(words) and is_required)


def _has_null(whole: Tree) -> bool:
    """Whether null is among the values of a schema."""
    return bool(whole.get("nullable") or "null" in types_of(whole))


def _words_that_select(discriminator: Tree, reference: str, renamed: dict[str, str]) -> list[str]:
    """The words by which a discriminator selects the schema that a reference leads to.

    These are the words that the mapping leads to the schema, and the schema's name in the document,
    unless that name is itself a word of the mapping, in any letter case.
    """
    name = reference.rpartition("/")[2]
    mapping = mapping_at(discriminator, "mapping")
    words = [str(word) for word, to in mapping.items() if to in (reference, name)]
    name_in_document = renamed.get(name, name)
    mapped_words = [str(word).casefold() for word in mapping]
    if name_in_document.casefold() not in mapped_words:
        words.append(name_in_document)
    return words


def _words_by_property(
    document: Tree, schema: Tree, done: dict[int, Tree]
) -> dict[str, list[Word]]:
    """The values of each property that has an enum or a constant; none for one that is always
    null.
    """
    words: dict[str, list[Word]] = {}
    for name, child in all_properties(document, schema, done).items():
        values = _words_of_property(document, child)
        if values or ONLY_NULL in resolve(document, child):
            words[name] = sorted({*values}, key=str)
    return words


def _words_of_property(document: Tree, schema: Tree) -> list[Any]:
    """The values of an enum, or the constant, of a property; `allOf` of one part is that part."""
    whole = resolve(document, schema)
    parts = list_at(whole, "allOf")
    if len(parts) == 1 and "enum" not in whole:
        return _words_of_property(document, parts[0])
    return [value for value in values_of(whole) if isinstance(value, (str, int))]
