"""What a document can say and no package has: it is left out by name, or noted where it is only a
type. recipe/tests/keywords.yaml lists every keyword.
"""

import re
from collections.abc import Iterator

from victor_spec.tree import (
    Operation,
    Tree,
    is_method,
    list_at,
    mapping_at,
    mappings_at,
    operations,
    trees_at,
)

from .base import Log, media, schemas
from .merged_schemas import TYPED, all_properties

AS_JSON = "is read as plain JSON"
OF_VALUES = ("unevaluatedProperties", "unevaluatedItems", "patternProperties")
"""Keywords with a schema, or with several by patterns, for values within a value."""
OF_SAME = ("then", "else", "dependentSchemas")
"""Keywords with a schema, or with several by names, for the value itself: most only require more of
it.
"""
READ_HERE = frozenset({"$dynamicRef", "contentSchema", *OF_VALUES, *OF_SAME})
MEDIA = {
    "itemSchema": "the items of a stream are read as one text, or as bytes",
    "prefixEncoding": "the parts have no types, and the body is bytes",
    "itemEncoding": "the parts have no types, and the body is bytes",
}
ENCODINGS = {"encoding", "prefixEncoding", "itemEncoding"}


def report_unread(document: Tree, log: Log) -> None:
    """Report what no rewrite reads; drop a parameter that is the whole query."""
    log.left_out += [
        *_losses_of_methods(document),
        *_losses_of_operations(document),
    ]
    _note_schemas(document, log)


def _losses_of_methods(document: Tree) -> Iterator[str]:
    """The operations whose method no request can have."""
    for path, item in mappings_at(document, "paths"):
        known = {key: value for key, value in item.items() if key != "additionalOperations"}
        for name, _ in mappings_at(item, "additionalOperations"):
            if not is_method(known, name):
                yield f"{name} {path}: a method of additionalOperations, which no request can have"


def _losses_of_operations(document: Tree) -> Iterator[str]:
    """What of the parameters and media types of all operations is not read."""
    for operation in operations(document):
        yield from _losses_of_parameters(document, operation)
        for kind, content_type, medium in media(operation):
            yield from _losses_of_medium(operation, f"{kind} {content_type}", medium)


def _note_schemas(document: Tree, log: Log) -> None:
    """Note what of the schemas is not read; of a member of `allOf`, with the whole around it."""
    every = schemas(document)
    composed = {id(part): schema for _, schema in every for part in list_at(schema, "allOf")}
    for where, schema in every:
        if READ_HERE.isdisjoint(schema):
            continue
        whole = schema
        while id(whole) in composed:
            whole = composed[id(whole)]
        for loss in _losses_of_schema(document, schema, whole):
            log.note(where, loss)


def _losses_of_parameters(document: Tree, operation: Operation) -> Iterator[str]:
    """What of the parameters of an operation is not sent: it is dropped from the document."""
    # OpenAPI 3.0 and 3.1 have `allowReserved` in a query only.
    is_allowed_elsewhere = not re.match(r"3\.[01]\b", str(document["openapi"]))
    for parameter in [*list_at(operation.tree, "parameters")]:  # a copy: some are removed
        location = parameter["in"]
        where = f"{operation.where}: {location} parameter {parameter['name']}"
        if location == "querystring":
            operation.tree["parameters"].remove(parameter)
            yield f"{where}: the query as one value is not sent"
        if location == "query":
            continue
        is_reserved = parameter.pop("allowReserved", False)
        if is_reserved and is_allowed_elsewhere:
            yield f"{where}: allowReserved, its reserved characters are percent-encoded"


def _losses_of_medium(operation: Operation, which: str, medium: Tree) -> Iterator[str]:
    """What of one content type, and of its encodings, is not read."""
    where = f"{operation.where} {which}"
    for key, loss in MEDIA.items():
        if key in medium:
            yield f"{where}: {key}, {loss}"
    for name, encoding in mappings_at(medium, "encoding"):
        field = f"{operation.where}: the form's field {name}"
        for key in sorted(ENCODINGS & encoding.keys()):
            yield f"{field}: {key}, the parts within its part have their defaults"
    if "$ref" in medium:
        yield f"{where}: {medium['$ref']}, which points to nothing in this file"


def _losses_of_schema(document: Tree, schema: Tree, whole: Tree) -> Iterator[str]:
    """What of a schema is not read; `whole` is that in whose `allOf` it is, or itself."""
    if "$dynamicRef" in schema:
        yield f"$dynamicRef, {schema['$dynamicRef']} is not followed"
    if mapping_at(schema, "contentSchema"):
        yield "contentSchema, what the text holds is read as text"
    for key in OF_VALUES:
        if any(TYPED - {"type"} & inner.keys() for inner in _inner(schema, key)):
            yield f"{key}, what it declares {AS_JSON}"
    for key in OF_SAME:
        declared = _declared(document, _inner(schema, key))
        known = all_properties(document, whole) if declared else {}
        unknown = [name for name in declared if name not in known]
        if unknown:
            yield f"{key}, {', '.join(unknown)} {AS_JSON}"


def _inner(schema: Tree, key: str) -> list[Tree]:
    """The schemas under a keyword, which has one, or several by names or patterns."""
    if key in ("patternProperties", "dependentSchemas"):
        return [inner for _, inner in mappings_at(schema, key)]
    return [mapping_at(schema, key)]


def _declared(document: Tree, conditions: list[Tree]) -> list[str]:
    """The properties that conditions declare, and those within them."""
    names: dict[str, None] = {}
    pending = [*conditions]
    for condition in pending:  # it grows
        names |= dict.fromkeys(all_properties(document, condition))
        for key in OF_SAME:
            pending += filter(None, _inner(condition, key))
        pending += trees_at(condition, "allOf")
    return [*names]
