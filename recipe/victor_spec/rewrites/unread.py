"""What a document can say and no package has: it is left out by name. recipe/tests/keywords.yaml
lists every keyword.
"""

import re
from collections.abc import Iterator

from victor_spec.tree import (
    Operation,
    Tree,
    is_mapping,
    is_method,
    list_at,
    mapping_at,
    mappings_at,
    members,
    operations,
    trees_at,
)

from .base import Log, media_types, schemas
from .composition import all_properties
from .redefinition import TYPED

DIALECTS = re.compile(r"https://(spec\.openapis\.org/oas/3\.|json-schema\.org/draft/2020-12/)")
"""The dialects of JSON Schema that are read."""
DEFAULT_DIALECT = "https://spec.openapis.org/oas/3.1/dialect/base"
AS_JSON = "is read as plain JSON"
OF_VALUES = ("unevaluatedProperties", "unevaluatedItems", "patternProperties")
"""Keywords with a schema, or with several by patterns, for values within a value."""
OF_SAME = ("then", "else", "dependentSchemas")
"""Keywords with a schema, or with several by names, for the value itself: most only require more of
it.
"""
MEDIA = {
    "itemSchema": "the items of a stream are read as one text, or as bytes",
    "prefixEncoding": "the parts have no types, and the body is bytes",
    "itemEncoding": "the parts have no types, and the body is bytes",
}
ENCODINGS = {"encoding", "prefixEncoding", "itemEncoding"}


def report_unread(document: Tree, log: Log) -> None:
    """Report what no rewrite reads; drop a parameter that is the whole query."""
    if not DIALECTS.match(dialect := str(document.get("jsonSchemaDialect", DEFAULT_DIALECT))):
        log.left_out.append(f"jsonSchemaDialect: {dialect} is read as JSON Schema 2020-12")
    for path, item in mappings_at(document, "paths"):
        known = {key: value for key, value in item.items() if key != "additionalOperations"}
        log.left_out += [
            f"{name} {path}: a method of additionalOperations, which no request can have"
            for name, _ in mappings_at(item, "additionalOperations")
            if not is_method(known, name)
        ]
    for operation in operations(document):
        log.left_out += _of_parameters(document, operation)
        for kind, content in media_types(operation):
            for content_type, medium in members(content):
                log.left_out += _of_medium(operation, f"{kind} {content_type}", medium)
    every = schemas(document)
    wholes = {id(part): schema for _, schema in every for part in list_at(schema, "allOf")}
    for where, schema in every:
        whole = schema
        while id(whole) in wholes:
            whole = wholes[id(whole)]
        log.left_out += [f"{where}: {loss}" for loss in _of_schema(document, schema, whole)]


def _of_parameters(document: Tree, operation: Operation) -> Iterator[str]:
    has_reserved = not re.match(r"3\.[01]\b", str(document["openapi"]))  # elsewhere than in a query
    for parameter in [*list_at(operation.tree, "parameters")]:
        where = f"{operation.where}: {parameter['in']} parameter {parameter['name']}"
        if parameter["in"] == "querystring":
            operation.tree["parameters"].remove(parameter)
            yield f"{where}: the query as one value is not sent"
        if parameter["in"] != "query" and parameter.pop("allowReserved", False) and has_reserved:
            yield f"{where}: allowReserved, its reserved characters are percent-encoded"


def _of_medium(operation: Operation, which: str, medium: Tree) -> Iterator[str]:
    where = f"{operation.where} {which}"
    yield from (f"{where}: {key}, {loss}" for key, loss in MEDIA.items() if key in medium)
    for name, encoding in mappings_at(medium, "encoding"):
        for key in sorted(ENCODINGS & encoding.keys()):
            yield (
                f"{operation.where}: the form's field {name}: {key}, the parts within its part "
                "have their defaults"
            )
    if "$ref" in medium:
        yield f"{where}: {medium['$ref']}, which points to nothing in this file"


def _of_schema(document: Tree, schema: Tree, whole: Tree) -> Iterator[str]:
    """What of a schema is not read; `whole` is that in whose `allOf` it is, or itself."""
    if not DIALECTS.match(dialect := str(schema.get("$schema", DEFAULT_DIALECT))):
        yield f"$schema, {dialect} is read as JSON Schema 2020-12"
    if "$dynamicRef" in schema:
        yield f"$dynamicRef, {schema['$dynamicRef']} is not followed: its type is read as anything"
    if mapping_at(schema, "contentSchema"):
        yield "contentSchema, what the text holds is read as text"
    for key in OF_VALUES:
        inner = mapping_at(schema, key)
        if any(
            TYPED - {"type"} & each.keys()
            for each in (_values(inner) if key == "patternProperties" else [inner])
        ):
            yield f"{key}, what it declares {AS_JSON}"
    for key in OF_SAME:
        inner = mapping_at(schema, key)
        declared = _declared(document, _values(inner) if key == "dependentSchemas" else [inner])
        if new := [name for name in declared if name not in all_properties(document, whole, {})]:
            yield f"{key}, {', '.join(new)} {AS_JSON}"


def _values(inner: Tree) -> list[Tree]:
    return [each for each in inner.values() if is_mapping(each)]


def _declared(document: Tree, conditions: list[Tree]) -> list[str]:
    """The properties that conditions declare, and those within them."""
    names = dict[str, None]()
    while conditions:
        each, *conditions = conditions
        names |= dict.fromkeys(all_properties(document, each, {}))
        parts = [mapping_at(each, key) for key in ("then", "else")] + _values(
            mapping_at(each, "dependentSchemas")
        )
        conditions += [*filter(None, parts), *trees_at(each, "allOf")]
    return [*names]
