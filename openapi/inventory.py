"""Count what a document declares and what a generated package does, and name what is missing.

The document is read here on its own, not through prepare.py; the package is imported and used, not parsed: a
property counts when `to_dict()` writes it and `from_dict()` takes it, a parameter when it reaches the request,
an answer when it does not count as undocumented. So nothing that the recipe loses can hide in the recipe.
"""

from __future__ import annotations

import json
import re
import typing
from collections import Counter
from enum import Enum
from pathlib import Path
from typing import Any

from openapi_python_client import strings
from package import Package
from ruamel.yaml import YAML

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
KINDS = ("operations", "parameters", "answers", "schemas", "properties", "enum values")

Tree = dict[str, Any]


def read(spec: Path) -> Tree:
    """The document as it is, with text keys."""
    text = spec.read_text(encoding="utf-8")
    tree = json.loads(text) if spec.suffix == ".json" else YAML(typ="safe").load(text)
    keyed: Tree = _text_keys(tree)
    return keyed


def _text_keys(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {str(key): _text_keys(value) for key, value in tree.items()}
    return [_text_keys(value) for value in tree] if isinstance(tree, list) else tree


class Inventory:
    """One comparison. `declared` and `found` count by kind; `missing` says what is not there, in words."""

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

    def _count(self, kind: str, *, there: bool, what: str = "") -> None:
        self.declared[kind] += 1
        self.found[kind] += there
        if not there and what:
            self.missing.append(what)

    # ---- Operations ----

    def _operations(self) -> None:
        for path, item in (self._document.get("paths") or {}).items():
            whole = self._resolve(item)
            for method in [each for each in METHODS if each in whole]:
                self._operation(method, path, whole, whole[method])

    def _operation(self, method: str, path: str, item: Tree, operation: Tree) -> None:
        where = f"{method.upper()} {path}"
        made = self._package.operation(method, path)
        self._count("operations", there=made is not None, what=f"{where}: no function")
        sent = made.sent if made else set()
        for place, name, schema in self._parameters(path, item, operation):
            self._count("parameters", there=(place, name) in sent, what=f"{where}: {place} parameter {name}")
            self._schema(f"{where} {name}", schema, made.hints if made and (place, name) in sent else None)
        for status, answer in (operation.get("responses") or {}).items():
            there = made is not None and made.documents(status)
            self._count("answers", there=there, what=f"{where}: answer {status}")
            self._contents(f"{where} {status}", self._resolve(answer), made.hints if made else None)
        self._contents(f"{where} body", self._resolve(operation.get("requestBody") or {}), made.hints if made else None)

    def _parameters(self, path: str, item: Tree, operation: Tree) -> list[tuple[str, str, Tree]]:
        found: dict[tuple[str, str], Tree] = {("path", name): {} for name in re.findall(r"{([^}]+)}", path)}
        for parameter in [*(item.get("parameters") or []), *(operation.get("parameters") or [])]:
            whole = self._resolve(parameter)
            place, name, schema = whole.get("in", ""), whole.get("name", ""), whole.get("schema") or {}
            if place == "path" and (place, name) not in found:
                continue
            style = whole.get("style", "form")
            properties = self._properties(schema) if place == "query" else {}
            if properties and (style == "deepObject" or (style == "form" and whole.get("explode", True))):
                pattern = "{}" if style == "form" else name + "[{}]"
                found |= {(place, pattern.format(each)): tree for each, tree in properties.items()}
            else:
                found[place, name] = schema
        return [(place, name, schema) for (place, name), schema in found.items()]

    def _contents(self, where: str, tree: Tree, hint: Any) -> None:
        """What is JSON must arrive in a class; bytes and text have none."""
        for kind, medium in (tree.get("content") or {}).items():
            if "json" in kind or kind in ("*/*", "multipart/form-data", "application/x-www-form-urlencoded"):
                self._schema(where, medium.get("schema") or {}, hint)

    # ---- Schemas ----

    def _schemas(self) -> None:
        for name, schema in ((self._document.get("components") or {}).get("schemas") or {}).items():
            whole = self._resolve(schema)
            if not self._is_object(whole) and not self._words(whole):
                self._schema(name, whole, None)
                continue
            wanted = str(strings.ClassName(self._renamed.get(name, name), "field_"))
            made = self._package.classes.get(wanted)
            self._count("schemas", there=made is not None, what=f"{name}: no class {wanted}")
            if made is not None or id(whole) not in self._seen:
                self._schema(name, whole, made)

    def _schema(self, where: str, schema: Tree, hint: Any) -> None:
        """Compare a schema with the classes in a type; each schema is counted once."""
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        where = name or where
        schema = self._resolve(schema)
        if id(schema) in self._seen or (hint is None and name):
            return
        classes = classes_in(hint)
        if self._is_object(schema):
            self._seen.add(id(schema))
            self._object(where, schema, [each for each in classes if hasattr(each, "from_dict")])
        elif self._words(schema):
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
            lost = f"{where}.{name}: not in class {best.__name__}" if best else ""
            self._count("properties", there=name in fields, what=lost)
            self._schema(f"{where}.{name}", child, fields.get(name))
        free = schema.get("additionalProperties")
        if isinstance(free, dict):
            self._schema(f"{where}.*", free, self._package.free(best) if best else None)

    def _covers(self, made: Any, properties: Tree) -> int:
        return len(self._package.fields(made).keys() & properties.keys())

    def _enum(self, where: str, schema: Tree, classes: list[Any]) -> None:
        known = [{str(member.value) for member in each} for each in classes]
        words = self._words(schema)
        best = max(known, key=lambda each: len(each & words), default=set())
        for word in sorted(words):
            lost = f"{where}: enum value {word!r}" if classes else ""  # without a class, its field is missing
            self._count("enum values", there=word in best, what=lost)

    # ---- Reading the document ----

    def _resolve(self, tree: Tree) -> Tree:
        seen = set()
        while "$ref" in tree and tree["$ref"] not in seen:
            seen.add(tree["$ref"])
            found: Any = self._document
            for step in tree["$ref"].removeprefix("#/").split("/"):
                found = found.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(found, dict) else {}
            tree = found
        return tree

    def _members(self, schema: Tree) -> list[Tree]:
        return [each for key in ("allOf", "oneOf", "anyOf") for each in schema.get(key) or []]

    def _properties(self, schema: Tree, seen: frozenset[int] = frozenset()) -> Tree:
        """All properties that a value may have by `properties` and `allOf`."""
        schema = self._resolve(schema)
        if id(schema) in seen:
            return {}
        found: Tree = {}
        for part in schema.get("allOf") or []:
            found |= self._properties(part, seen | {id(schema)})
        return found | (schema.get("properties") or {})

    def _is_object(self, schema: Tree) -> bool:
        if schema.get("oneOf") or schema.get("anyOf"):
            return False
        kinds = schema.get("type")
        plain = kinds == "object" or (isinstance(kinds, list) and "object" in kinds)
        return plain or bool(self._properties(schema))

    def _words(self, schema: Tree) -> set[str]:
        """The values of an enum of words or of whole numbers; no other kind can be an enum in Python."""
        values = [value for value in schema.get("enum") or [] if value is not None]
        if schema.get("type") == "string":
            values = [value if isinstance(value, str) else json.dumps(value, default=str) for value in values]
        kinds = {type(value) for value in values}
        return {str(value) for value in values} if kinds in ({str}, {int}) else set()


def classes_in(hint: Any) -> list[Any]:
    """All classes that a type names, however deep: `list[A] | Unset` names list, A and Unset."""
    if isinstance(hint, (list, tuple)):
        return [each for part in hint for each in classes_in(part)]
    own = [hint] if isinstance(hint, type) else []
    return own + [each for part in typing.get_args(hint) for each in classes_in(part)]
