"""Rewrites of operations: parameters in the path, statuses, and bodies that cannot be."""

from __future__ import annotations

import re

from victor_ext.spec.tree import Tree, is_list, list_at, mapping_at, resolve

from .base import Log, operations
from .serialization import parameters


def write_status(document: Tree, log: Log) -> None:
    """Write `4xx` and `Default` as OpenAPI has them, `4XX` and `default`."""
    for operation in operations(document):
        answers_by_status = mapping_at(operation.tree, "responses")
        for status in list(answers_by_status):
            meant = "default" if status.lower() == "default" else status.upper()
            if meant != status and meant not in answers_by_status:
                answers_by_status[meant] = answers_by_status.pop(status)
                log("write-status", f"{operation.where} {status}")
            elif not re.fullmatch(r"[1-5](\d\d|XX)|default", meant):
                del answers_by_status[status]
                log.left_out.append(f"{operation.where}: answer {status!r}, which is no status of HTTP")


def drop_empty_body(document: Tree, log: Log) -> None:
    """Drop a body that has no content type: nothing says what to send."""
    for operation in operations(document):
        if "requestBody" in operation.tree and not mapping_at(operation.tree["requestBody"], "content"):
            del operation.tree["requestBody"]
            log("drop-empty-body", operation.where)


def drop_repeated_parameter(document: Tree, log: Log) -> None:
    """Keep the first of several parameters of one name in one place, such as properties of two query objects."""
    for operation in operations(document):
        first: dict[tuple[str, str], Tree] = {}
        for parameter in list_at(operation.tree, "parameters"):
            if first.setdefault((parameter["in"], parameter["name"]), parameter) is not parameter:
                log("drop-repeated-parameter", f"{operation.where} {parameter['name']}")
        operation.tree["parameters"] = list(first.values())


def drop_content_type_header(document: Tree, log: Log) -> None:
    """Drop a parameter for the header Content-Type of a body: OpenAPI ignores it, and in a form it has a boundary."""
    for operation in operations(document):
        if "requestBody" not in operation.tree:
            continue
        for parameter in list(list_at(operation.tree, "parameters")):
            if parameter["in"] == "header" and parameter["name"].lower() == "content-type":
                operation.tree["parameters"].remove(parameter)
                log("drop-content-type-header", operation.where)


def drop_null_of_path(document: Tree, log: Log) -> None:
    """Drop the null of a parameter in the path: there is no text for it."""
    for operation, parameter in parameters(document):
        schema = resolve(document, parameter["schema"])
        kind = schema.get("type")
        if parameter.get("in") == "path" and (schema.get("nullable") or (is_list(kind) and "null" in kind)):
            kinds = [each for each in kind if each != "null"] if is_list(kind) else [kind]
            plain = {key: value for key, value in schema.items() if key not in ("nullable", "type")}
            parameter["schema"] = {**plain, "type": kinds[0] if len(kinds) == 1 else kinds} if any(kinds) else plain
            log("drop-null-of-path", f"{operation.where} {parameter['name']}")


def declare_path_parameter(document: Tree, log: Log) -> None:
    """Declare each parameter that the path names, and remove those that it does not name."""
    for operation in operations(document):
        named = list(dict.fromkeys(re.findall(r"{([^{}]+)}", operation.path)))
        declared = operation.tree.setdefault("parameters", [])
        for parameter in [each for each in declared if each.get("in") == "path"]:
            parameter["required"] = True
            if parameter["name"] not in named:
                declared.remove(parameter)
                log("declare-path-parameter", f"{operation.where} {parameter['name']} (not in the path)")
        known = {each["name"] for each in declared if each.get("in") == "path"}
        for name in [name for name in named if name not in known]:
            declared.append({"name": name, "in": "path", "required": True, "schema": {"type": "string"}})
            log("declare-path-parameter", f"{operation.where} {name} (not declared)")


def drop_impossible_body(document: Tree, log: Log) -> None:
    """Drop the content of an answer that has no body in HTTP: to HEAD, and with the status 1xx, 204, 205 or 304."""
    for operation in operations(document):
        for status, answer in mapping_at(operation.tree, "responses").items():
            bodiless = operation.method == "head" or status in ("204", "205", "304") or status.startswith("1")
            if bodiless and answer.pop("content", None):
                log("drop-impossible-body", f"{operation.where} {status}")
