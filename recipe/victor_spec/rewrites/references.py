"""Rewrites of references: what the generator does not follow is written out, or gets a name."""

from copy import copy, deepcopy
from urllib.parse import unquote

from victor_spec.tree import (
    SCHEMAS,
    Operation,
    Tree,
    is_mapping,
    mapping_at,
    methods,
    operations,
    parameters,
    path_item,
    resolve,
    target,
    trees_at,
    unescaped,
)

from .base import Log, components, replace, schemas
from .names import letters_and_digits

KINDS = {
    "responses": "response",
    "requestBody": "body",
    "requestBodies": "body",
    "items": "item",
    "headers": "header",
}
"""The words of a name for steps of a reference."""
NAMED_WITHIN = ("properties", "definitions", "$defs")
"""Steps of a reference that a name of the document follows."""
SILENT = {*NAMED_WITHIN, "schemas", "schema", "content", "allOf", "oneOf", "anyOf"}
"""Steps of a reference that say nothing in a name."""


def inline_reference(document: Tree, log: Log) -> None:
    """Replace references to parameters, bodies, answers and paths by their targets: the generator
    follows few.
    """
    paths = mapping_at(document, "paths")
    for path, item in paths.items():
        paths[path] = deepcopy(_whole_item(document, item, log, path))
    for operation in operations(document):
        _inline_operation(document, operation, log)
    for item in paths.values():
        item.pop("parameters", None)


def _inline_operation(document: Tree, operation: Operation, log: Log) -> None:
    """Replace the references of an operation by their targets; add the parameters of its path."""
    tree = operation.tree

    def whole(part: Tree) -> Tree:
        return deepcopy(_target_or_loss(document, part, log, operation.where))

    declared = parameters(document, operation.item, tree)
    kept = {id(each) for each in declared.values()}
    for parameter in trees_at(tree, "parameters"):
        if id(parameter) not in kept:
            name = resolve(document, parameter).get("name")
            log("drop-parameter", f"{operation.where} {name}")
    wholes = [whole(parameter) for parameter in declared.values()]
    tree["parameters"] = [each for each in wholes if "name" in each and "in" in each]
    if "requestBody" in tree:
        tree["requestBody"] = whole(tree["requestBody"])
    responses = mapping_at(tree, "responses")
    tree["responses"] = {status: whole(answer) for status, answer in responses.items()}


def _whole_item(document: Tree, item: Tree, log: Log, path: str) -> Tree:
    """A path item, with what it refers to.

    What both have, OpenAPI does not define: it is left out of the second.
    """
    theirs, whole = _target_or_loss(document, item, log, path), path_item(document, item)
    kept = {id(tree) for _, _, tree in methods(whole)}
    for method, _, tree in methods(theirs):
        if id(tree) not in kept:
            log.left_out.append(
                f"{method.upper()} {path}: that of {item['$ref']}, beside which the path has its "
                "own"
            )
    return whole


def _target_or_loss(document: Tree, tree: Tree, log: Log, where: str) -> Tree:
    """What a part refers to; {} for a reference to nothing, which is reported."""
    if "$ref" not in tree:
        return tree
    whole = resolve(document, tree)
    if whole:
        log("inline-reference", f"{where}: {tree['$ref']}")
    else:
        log.left_out.append(f"{where}: {tree['$ref']}, which points to nothing in this file")
    return whole


def name_referenced_schema(document: Tree, log: Log) -> None:
    """Name a schema that is referenced and is not in `components/schemas`, and those that it refers
    to itself.
    """
    names: dict[str, str] = {}
    unnamed = _references_without_name(document)
    while unnamed:
        for where, schema in unnamed:
            if not _is_named(document, schema):
                _name_target(document, where, schema, names, log)
        unnamed = _references_without_name(document)
    for name, schema in components(document).items():
        if "$ref" in schema and not resolve(document, schema):
            log.note(name, f"{schema['$ref']} leads back to itself")
            schema.clear()


def _references_without_name(document: Tree) -> list[tuple[str, Tree]]:
    """The references to schemas without a name."""
    every = schemas(document)
    return [(where, schema) for where, schema in every if not _is_named(document, schema)]


def _is_named(document: Tree, schema: Tree) -> bool:
    """Whether a schema is no reference, or one to a schema with a name."""
    if "$ref" not in schema:
        return True
    reference = str(schema["$ref"])
    is_schema = reference.startswith(SCHEMAS)
    return is_schema and reference.removeprefix(SCHEMAS) in components(document)


def _name_target(document: Tree, where: str, schema: Tree, names: dict[str, str], log: Log) -> None:
    """Let a reference lead to a named schema: the target gets a name if it has none."""
    reference, named = schema["$ref"], components(document)
    whole = target(document, reference)
    if not is_mapping(whole) or whole is named or any(whole is each for each in document.values()):
        schema.clear()
        log.note(where, f"{reference} points to nothing in this file")
        return
    known = next((key for key, each in named.items() if each is whole), None)
    name = known or names.get(reference)
    if name is None:
        name = _name_of(document, reference)
        while name in named:
            name += "_other"
        named[name] = copy(whole)
        if "$ref" not in whole:  # one class for both
            replace(whole, {"$ref": SCHEMAS + name})
    names[reference] = name
    schema["$ref"] = SCHEMAS + name
    log("name-referenced-schema", f"{where}: {reference} is now {name}")


def _name_of(document: Tree, reference: str) -> str:
    """A name for the target of a reference: that of its component or of its operation, and the
    steps within it.
    """
    steps = [unescaped(step) for step in map(unquote, reference[2:].split("/"))]
    if steps[0] == "paths" and len(steps) > 2:
        _, path, method, *inner = steps
        item = mapping_at(mapping_at(document, "paths"), path)
        operation = mapping_at(item, method)
        steps = [str(operation.get("operationId") or f"{method}_{path}"), *inner]
    elif steps[0] == "components" and len(steps) > 2:
        _, section, name, *inner = steps
        steps = [name, section, *inner]
    words: list[str] = []
    for above, step in zip(["", *steps], steps, strict=False):
        if above in NAMED_WITHIN:
            words.append(step)
        elif above != "content" and step not in SILENT:
            words.append(KINDS.get(step, step))
    return letters_and_digits("_".join(words)) or "schema"
