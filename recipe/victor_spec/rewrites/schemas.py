"""Rewrites of schemas: types, enums, defaults, and the marks that the templates read."""

import json
import re
from typing import Any

from victor_spec.tree import (
    PlaceError,
    Tree,
    is_list,
    mapping_at,
    operations,
    resolve,
    types_of,
)

from .base import Log, drop, media, reachable, schemas
from .merged_schemas import all_properties

_AMOUNT = re.compile(
    r"(?:(?i:amount|price|balance)|(?:(?<![A-Za-z])sum|Sum)(?![a-z]))[^.]*$|(?i:fee|total)$"
)
"""The end of a place that is called after money."""


def repair_enum(document: Tree, log: Log) -> None:
    """Keep each value once, without null, as text where text is declared; drop an enum of mixed
    types.

    A constant with quotes or backslashes is an enum of one value; one that Python has no type for
    is dropped.
    """
    for where, schema in schemas(document):
        constant = schema.get("const")
        if isinstance(constant, str) and {*constant} & {*"\\\"'"}:
            schema.setdefault("enum", [schema.pop("const")])
        elif constant is not None and not isinstance(constant, str | int):
            del schema["const"]
            log("repair-enum", f"{where} (no constant in Python: {constant})")
        values = schema.get("enum")
        if is_list(values):
            _repair_values(schema, values, where, log)


def _repair_values(schema: Tree, values: list[Any], where: str, log: Log) -> None:
    """Repair the values of an enum; drop the enum where Python has no type for it."""
    different = {json.dumps(value): value for value in values if value is not None}
    repaired: list[Any] = [*different.values()]
    if schema.get("type") == "string":
        repaired = [each if isinstance(each, str) else json.dumps(each) for each in repaired]
    kinds: set[type[Any]] = set(map(type, repaired))
    if kinds in ({str}, {int}):
        schema["enum"] = repaired
        if None in values:
            schema["nullable"] = True
        if repaired != values:
            log("repair-enum", where)
    elif kinds != {bool} or schema.get("type") != "boolean":
        del schema["enum"]
        log("repair-enum", f"{where} (no enum in Python: {values})")


def exact_number(document: Tree, log: Log) -> None:
    """Read a number as a Decimal where its format is `decimal`, or where an option names its
    place. Note other numbers that are called after money: a float has not all of their digits.
    """
    patterns = [re.compile(re.escape(place).replace(r"\*", ".*")) for place in log.decimals]
    used = set[re.Pattern[str]]()
    for where, schema in schemas(document):
        if "number" not in types_of(schema) or "const" in schema:
            continue
        naming = [pattern for pattern in patterns if pattern.fullmatch(where)]
        used.update(naming)
        if naming or schema.get("format") == "decimal":
            _make_decimal(schema)
            log.requests.decimals = True
            log("exact-number", where)
        elif is_amount(where):
            log.floats.append(where)
    for place, pattern in zip(log.decimals, patterns, strict=True):
        if pattern not in used:
            raise PlaceError(f"--decimals {place!r} names no number: write one, such as Card.price")


def is_amount(place: str) -> bool:
    """Whether a place is called after money."""
    return _AMOUNT.search(place) is not None


def _make_decimal(schema: Tree) -> None:
    """Make a number a Decimal; a union of that and its other types where it has any.

    A constant stands for the Decimal until the generator has parsed the document: it has quotes,
    which no constant of a document has after `repair_enum`.
    """
    number = {"type": "string", "const": json.dumps(["decimal", schema.get("example")])}
    others = [{"type": kind} for kind in types_of(schema) if kind != "number"]
    if schema.get("nullable"):
        others.append({"type": "null"})
    drop(schema, "type", "format", "nullable")
    if others:
        schema["anyOf"] = [number, *others]
    else:
        schema.update(number)


def describe_default(document: Tree, log: Log) -> None:
    """Move a default into the description: it is the server's, and the package must not send it
    unasked.
    """
    for where, schema in schemas(document):
        if "$ref" not in schema and "default" in schema:
            default = schema.pop("default")
            schema["description"] = with_default(schema.get("description", ""), default)
            log("describe-default", f"{where} = {default_text(default)}")


def with_default(description: str, default: Any) -> str:
    """A description that names the server's default."""
    return f"{description.rstrip()} (The server's default: {default_text(default)})".lstrip()


def default_text(default: Any) -> str:
    """A default as a document in JSON has it."""
    return json.dumps(default, ensure_ascii=False)


# ---- Marks: extension keys that model.py.jinja reads ----


def mark_answers(document: Tree, log: Log) -> None:
    """Mark models that an answer can contain (`x-in-answers`): they read a missing required field
    as UNSET.

    `x-write-only` has the names of the properties that no answer has.
    """
    seen: set[int] = set()
    done: dict[int, Tree] = {}
    for operation in operations(document):
        for place, _, medium in media(operation):
            if place == "body":
                continue
            for schema in reachable(document, mapping_at(medium, "schema"), seen):
                _mark_answer(document, schema, done)
    log("mark-answers", f"{len(seen)} schemas")


def _mark_answer(document: Tree, schema: Tree, done: dict[int, Tree]) -> None:
    """Mark one schema that an answer can contain."""
    schema["x-in-answers"] = True
    hidden: list[str] = []
    for name, child in all_properties(document, schema, done).items():
        if resolve(document, child).get("writeOnly"):
            hidden.append(name)
    if hidden:
        schema["x-write-only"] = hidden
