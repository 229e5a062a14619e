"""Values of a schema: every property or only the required ones, and for each leaf what tests its
limits.
"""

import re
from typing import Any

from victor_spec.tree import resolve

Tree = dict[str, Any]

MOST = 10
"""Variants of one schema: each leaf of variant n has its n-th value."""
TEXTS = {
    "date": ["2026-03-04", "2025-12-31"],
    "date-time": ["2026-03-04T05:06:07Z", "2025-12-31T23:59:59.5Z"],
    "uuid": ["f81d4fae-7dec-11d0-a765-00a0c91e6bf6"],
    "email": ["a@example.com"],
    "uri": ["https://example.com/a"],
    "binary": ["abc"],
    "byte": ["YWJj"],
}
PLAIN = [
    "Abc def",
    "a-b_c",
    "123456789",
    "10.25",
    "a.b",
    "Invoice 7",
    "5",
    "USD",
    "US",
    "AB12CD34",
    "2026",
    "12",
]


class Values:
    """Values of the schemas of one document."""

    def __init__(self, document: Tree) -> None:
        self.document = document

    def value(self, schema: Tree, variant: int, *, full: bool, depth: int = 0) -> Any:
        """The n-th value. Objects have all properties, or those that are required."""
        whole = self.whole(schema)
        members = [*whole.get("oneOf", []), *whole.get("anyOf", [])]
        if members:
            return self.value(
                members[variant % len(members)], variant // len(members), full=full, depth=depth
            )
        if "properties" in whole or whole.get("type") == "object":
            return self._object(whole, variant, full=full, depth=depth)
        if whole.get("type") == "array":
            most, least = whole.get("maxItems", 2), whole.get("minItems", 0)
            count = (
                0
                if depth > 8
                else [min(most, max(least, 1)), least, min(most, least + 2)][variant % 3]
            )
            return [
                self.value(whole.get("items", {}), variant + n, full=full, depth=depth + 1)
                for n in range(count)
            ]
        leaves = self.leaves(whole)
        return leaves[variant % len(leaves)]

    def _object(self, whole: Tree, variant: int, *, full: bool, depth: int) -> Tree:
        required = whole.get("required", [])
        found = {
            name: self.value(child, variant, full=full and depth < 8, depth=depth + 1)
            for name, child in whole.get("properties", {}).items()
            if name in required or (full and depth < 8)
        }
        free = whole.get("additionalProperties")
        if isinstance(free, dict) and full:
            found["another"] = self.value(free, variant, full=full, depth=depth + 1)
        return found

    def whole(self, schema: Tree) -> Tree:
        """The schema after its reference, with what `allOf` adds."""
        schema = resolve(self.document, schema)
        if "allOf" not in schema:
            return schema
        found: Tree = {}
        for part in [
            *schema["allOf"],
            {key: value for key, value in schema.items() if key != "allOf"},
        ]:
            other = self.whole(part)
            properties = {**found.get("properties", {}), **other.get("properties", {})}
            required = [*found.get("required", []), *other.get("required", [])]
            found = {**found, **other, **({"properties": properties} if properties else {})}
            found["required"] = required
        return found

    def leaves(self, schema: Tree) -> list[Any]:
        """The values of a schema that is no object and no list; those at its limits are among
        them.
        """
        kinds = schema.get("type")
        kinds = kinds if isinstance(kinds, list) else [kinds]
        found = [value for kind in kinds if kind != "null" for value in self._of_type(schema, kind)]
        if schema.get("nullable") or "null" in kinds:
            found.insert(1, None)
        return found[:MOST]

    def _of_type(self, schema: Tree, kind: str | None) -> list[Any]:
        if "enum" in schema:
            return [value for value in schema["enum"] if value is not None]
        if kind == "boolean":
            return [True, False]
        if kind in ("integer", "number"):
            least, most = schema.get("minimum", -3), schema.get("maximum", 10**6)
            numbers = [least, most, 7, 40] + ([2.5, 0.25] if kind == "number" else [])
            return [number for number in numbers if least <= number <= most]
        if kind == "string":
            return self._texts(schema)
        return ["text"]

    def _texts(self, schema: Tree) -> list[str]:
        least, most = schema.get("minLength", 0), schema.get("maxLength", 300)
        texts = TEXTS.get(schema.get("format", ""))
        if texts is None:
            sizes = sorted({max(least, 1), min(most, max(least, 12)), min(most, 260)})
            texts = [*PLAIN, *("A" * size for size in sizes), *("7" * size for size in sizes)]
            texts = sorted(
                texts, key=lambda text: text not in ("A" * sizes[-1], "7" * sizes[-1], "10.25")
            )
        pattern = re.compile(schema.get("pattern", ""))
        texts = [*texts, *re.findall(r"\w+", pattern.pattern)]  # it may list the words
        found = [text for text in texts if least <= len(text) <= most and pattern.search(text)]
        assert found, schema
        return found


def key_paths(value: Any, place: str = "") -> set[str]:
    """Where a value has members: `payments[].id`."""
    if isinstance(value, dict):
        return {
            path
            for name, child in value.items()
            for path in ({f"{place}.{name}"} | key_paths(child, f"{place}.{name}"))
        }
    if isinstance(value, list):
        return {path for child in value for path in key_paths(child, f"{place}[]")}
    return set()
