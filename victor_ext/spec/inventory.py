"""Count what a document declares and what a generated package has, and list what is missing.

This module shares no code with the generator, so that it does not repeat the generator's mistakes: it reads the
document itself, and uses the package. A property counts when `to_dict()` writes it and `from_dict()` reads it, a
parameter when it reaches the request, an answer when the operation reads it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from enum import Enum
from pathlib import Path
from typing import Any

from openapi_python_client import strings
from ruamel.yaml import YAML

from .package import Package, classes_in
from .tree import Tree, is_list, is_mapping, list_at, mapping_at

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
KINDS = ("operations", "parameters", "answers", "schemas", "properties", "enum values")


def read(spec: Path) -> Tree:
    """The document, with text keys."""
    text = spec.read_text(encoding="utf-8")
    tree: Any = json.loads(text) if spec.suffix == ".json" else YAML(typ="safe").load(text)  # pyright: ignore[reportUnknownMemberType]
    keyed: Tree = _text_keys(tree)
    return keyed


def _text_keys(tree: Any) -> Any:
    if is_mapping(tree):
        return {str(key): _text_keys(value) for key, value in tree.items()}
    return [_text_keys(value) for value in tree] if is_list(tree) else tree


class Inventory:
    """A comparison: counts by kind of what is declared and found, and what is missing, one line each.

    `renamed` has the schemas that the rewrites renamed.
    """

    def __init__(self, document: Tree, package: Package, renamed: dict[str, str]) -> None:
        self._document = document
        self._package = package
        self._renamed = renamed
        self._seen: set[int] = set()
        self.declared: Counter[str] = Counter()
        self.found: Counter[str] = Counter()
        self.missing: list[str] = []
        self._operations()
        self._schemas()

    def summary(self) -> str:
        """`4 operations, 20 parameters, ...`, with `of` where some are missing."""
        return ", ".join(
            f"{self.found[kind]} {kind}"
            if self.found[kind] == self.declared[kind]
            else f"{self.found[kind]} of {self.declared[kind]} {kind}"
            for kind in KINDS
        )

    def _count(self, kind: str, *, found: bool, missing: str = "") -> None:
        self.declared[kind] += 1
        self.found[kind] += found
        if not found and missing:
            self.missing.append(missing)

    # ---- Operations ----

    def _operations(self) -> None:
        for path, item in mapping_at(self._document, "paths").items():
            whole = self._resolve(item)
            for method in [each for each in METHODS if each in whole]:
                self._operation(method, path, whole, whole[method])

    def _operation(self, method: str, path: str, item: Tree, operation: Tree) -> None:
        where = f"{method.upper()} {path}"
        made = self._package.operation(method, path)
        self._count("operations", found=made is not None, missing=f"{where}: no function")
        sent = made.sent if made else set[tuple[str, str]]()
        for place, name, schema in self._parameters(path, item, operation):
            self._count("parameters", found=(place, name) in sent, missing=f"{where}: {place} parameter {name}")
            self._schema(f"{where} {name}", schema, made.hints if made and (place, name) in sent else None)
        for status, answer in mapping_at(operation, "responses").items():
            found = made is not None and made.knows_status(status)
            self._count("answers", found=found, missing=f"{where}: answer {status}")
            self._contents(f"{where} {status}", self._resolve(answer), made.hints if made else None)
        body = self._resolve(mapping_at(operation, "requestBody"))
        self._contents(f"{where} body", body, made.hints if made else None)

    def _parameters(self, path: str, item: Tree, operation: Tree) -> list[tuple[str, str, Tree]]:
        found: dict[tuple[str, str], Tree] = {("path", name): {} for name in re.findall(r"{([^}]+)}", path)}
        for parameter in [*list_at(item, "parameters"), *list_at(operation, "parameters")]:
            whole = self._resolve(parameter)
            place, name, schema = whole.get("in", ""), whole.get("name", ""), mapping_at(whole, "schema")
            if place == "path" and (place, name) not in found:
                continue
            style = whole.get("style", "form")
            closed = place == "query" and not self._resolve(schema).get("additionalProperties")
            properties = self._properties(schema) if closed and "schema" in whole else {}
            if properties and (style == "deepObject" or (style == "form" and whole.get("explode", True))):
                pattern = "{}" if style == "form" else name + "[{}]"
                found |= {(place, pattern.format(each)): tree for each, tree in properties.items()}
            else:
                found[place, name] = schema
        return [(place, name, schema) for (place, name), schema in found.items()]

    def _contents(self, where: str, tree: Tree, hint: Any) -> None:
        """JSON and forms have a class; bytes and text have none."""
        for kind, medium in mapping_at(tree, "content").items():
            if "json" in kind or kind in ("*/*", "multipart/form-data", "application/x-www-form-urlencoded"):
                self._schema(where, mapping_at(medium, "schema"), hint)

    # ---- Schemas ----

    def _schemas(self) -> None:
        for name, schema in mapping_at(mapping_at(self._document, "components"), "schemas").items():
            whole = self._resolve(schema)
            if not self._is_object(whole) and not self._enum_values(whole):
                self._schema(name, whole, None)
                continue
            wanted = str(strings.ClassName(self._renamed.get(name, name), "field_"))
            made = self._package.classes.get(wanted)
            self._count("schemas", found=made is not None, missing=f"{name}: no class {wanted}")
            if made is not None or id(whole) not in self._seen:
                self._schema(name, whole, made)

    def _schema(self, where: str, schema: Tree, hint: Any) -> None:
        """Compare a schema with the classes in a type. Each schema is counted once."""
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        where = name or where
        schema = self._resolve(schema)
        if id(schema) in self._seen or (hint is None and name):
            return
        classes = classes_in(hint)
        if self._is_object(schema):
            self._seen.add(id(schema))
            self._object(where, schema, [each for each in classes if hasattr(each, "from_dict")])
        elif self._enum_values(schema):
            self._seen.add(id(schema))
            self._enum(where, schema, [each for each in classes if issubclass(each, Enum)])
        else:
            for key in ("items", "additionalProperties"):
                if isinstance(schema.get(key), dict):
                    self._schema(f"{where}[]", schema[key], hint)
            for number, member in enumerate(self._members(schema)):
                self._schema(f"{where} ({number + 1})", member, hint)

    def _object(self, where: str, schema: Tree, classes: list[Any]) -> None:
        properties = self._properties(schema)
        named = str(strings.ClassName(self._renamed.get(where, where), "field_"))
        best = max(classes, key=lambda each: (self._covers(each, properties), each.__name__ == named), default=None)
        fields = self._package.fields(best) if best else {}
        for name, child in properties.items():
            missing = f"{where}.{name}: not in class {best.__name__}" if best else ""
            self._count("properties", found=name in fields, missing=missing)
            self._schema(f"{where}.{name}", child, fields.get(name))
        additional = schema.get("additionalProperties")
        if is_mapping(additional):
            self._schema(f"{where}.*", additional, self._package.additional(best) if best else None)

    def _covers(self, made: Any, properties: Tree) -> int:
        return len(self._package.fields(made).keys() & properties.keys())

    def _enum(self, where: str, schema: Tree, classes: list[Any]) -> None:
        known: list[set[str]] = [{str(member.value) for member in each} for each in classes]
        values = self._enum_values(schema)
        best = max(known, key=lambda each: len(each & values), default=set[str]())
        for value in sorted(values):
            missing = f"{where}: enum value {value!r}" if classes else ""  # without a class, its field is missing
            self._count("enum values", found=value in best, missing=missing)

    # ---- Reading the document ----

    def _resolve(self, tree: Tree) -> Tree:
        seen: set[str] = set()
        while "$ref" in tree and tree["$ref"] not in seen:
            seen.add(tree["$ref"])
            found: Any = self._document
            for step in tree["$ref"].removeprefix("#/").split("/"):
                found = found.get(step.replace("~1", "/").replace("~0", "~"), {}) if is_mapping(found) else {}
            tree = found
        return tree

    def _members(self, schema: Tree) -> list[Tree]:
        return [each for key in ("allOf", "oneOf", "anyOf") for each in list_at(schema, key)]

    def _properties(self, schema: Tree, seen: frozenset[int] = frozenset()) -> Tree:
        """The properties of `properties` and `allOf`."""
        schema = self._resolve(schema)
        if id(schema) in seen:
            return {}
        found: Tree = {}
        for part in list_at(schema, "allOf"):
            found |= self._properties(part, seen | {id(schema)})
        return found | mapping_at(schema, "properties")

    def _is_object(self, schema: Tree) -> bool:
        if schema.get("oneOf") or schema.get("anyOf"):
            return False
        kinds = schema.get("type")
        plain = kinds == "object" or (is_list(kinds) and "object" in kinds)
        return plain or bool(self._properties(schema))

    def _enum_values(self, schema: Tree) -> set[str]:
        """The values of an enum of strings or integers; others have no enum in Python."""
        values = [value for value in list_at(schema, "enum") if value is not None]
        if schema.get("type") == "string":
            values = [value if isinstance(value, str) else json.dumps(value, default=str) for value in values]
        kinds = {type(value) for value in values}
        return {str(value) for value in values} if kinds in ({str}, {int}) else set()
