"""The schemas of webhooks and callbacks, which the provider sends: their models are generated, no functions are."""

from __future__ import annotations

from collections.abc import Iterator

from victor_ext.spec.tree import METHODS, Tree, is_mapping, mapping_at, resolve

from .base import Log, components, operations


def name_hook_schema(document: Tree, log: Log) -> None:
    """Give the bodies of webhooks and callbacks names of their own, so that they become models."""
    named = components(document)
    for where, name, item in [*_hooks(document)]:
        whole = resolve(document, item)
        for number, method in enumerate(each for each in METHODS if is_mapping(whole.get(each))):
            body = resolve(document, mapping_at(whole[method], "requestBody"))
            for place, medium in enumerate(mapping_at(body, "content").values()):
                own = name + (f"_{method}" if number else "") + (f"_{place + 1}" if place else "")
                schema = mapping_at(medium, "schema")
                if schema and "$ref" not in schema:
                    while own in named:
                        own += "_body"
                    named[own] = schema
                    log("name-hook-schema", f"{where} is {own}")


def _hooks(document: Tree) -> Iterator[tuple[str, str, Tree]]:
    for name, item in mapping_at(document, "webhooks").items():
        yield f"the webhook {name}", f"{name}_webhook", item
    for operation in operations(document):
        base = operation.tree.get("operationId") or f"{operation.method}_{operation.path}"
        for name, callback in mapping_at(operation.tree, "callbacks").items():
            for number, item in enumerate(resolve(document, callback).values()):
                if is_mapping(item):
                    own = f"{base}_{name}_callback" + (f"_{number + 1}" if number else "")
                    yield f"{operation.where} callback {name}", own.replace("/", "_"), item
