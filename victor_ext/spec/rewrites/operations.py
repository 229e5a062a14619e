"""Rewrites of operations: parameters that the generator would misread, and bodies that are not JSON."""

from __future__ import annotations

import re

from victor_ext.spec.tree import Tree, in_place_of, is_list, list_at, mapping_at

from .base import Log, Operation, answers, bare_type, media_types, operations, resolve

URL_ENCODED = "application/x-www-form-urlencoded"
FORMS = ("multipart/form-data", URL_ENCODED)


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


def content_parameter(document: Tree, log: Log) -> None:
    """Make a parameter with a content type a string that the caller serialises."""
    for where, parameter in _parameters(document):
        if "schema" not in parameter:
            content = ", ".join(parameter.pop("content", {})) or "nothing"
            parameter["schema"] = {"type": "string", "description": f"Text as {content}"}
            log("content-parameter", f"{where} {parameter.get('name')}")


def flatten_object_parameter(document: Tree, log: Log) -> None:
    """Replace a query object by its properties, as sent: `name` (exploded form) or `filter[name]` (deepObject)."""
    for operation in operations(document):
        for parameter in [*list_at(operation.tree, "parameters")]:
            whole = resolve(document, parameter["schema"])
            style = parameter.get("style", "form")
            flat = style == "deepObject" or (style == "form" and parameter.get("explode", True))
            if parameter.get("in") == "query" and whole.get("properties") and flat:
                pattern = "{}" if style == "form" else parameter["name"] + "[{}]"
                _replace(operation, parameter, whole, pattern)
                log("flatten-object-parameter", f"{operation.where} {parameter['name']}")


def join_array_parameter(document: Tree, log: Log) -> None:
    """Make a list that is sent as one text a string that the caller joins."""
    joints = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|", "simple": ","}
    for where, parameter in _parameters(document):
        style = parameter.get("style", "simple" if parameter.get("in") in ("path", "header") else "form")
        exploded = parameter.get("explode", style == "form") and style != "simple"
        schema = resolve(document, parameter["schema"])
        if schema.get("type") == "array" and not exploded and style in joints:
            words = f"{parameter.get('description', '')} (Several values joined by {joints[style]!r})"
            parameter["schema"] = {"type": "string", "description": words.strip()}
            log("join-array-parameter", f"{where} {parameter['name']}")


def header_as_text(document: Tree, log: Log) -> None:
    """Make dates and structures in a header strings that the caller serialises."""
    for where, parameter in _parameters(document):
        schema = resolve(document, parameter["schema"])
        plain = schema.get("type") in ("string", "integer", "number", "boolean") or "enum" in schema
        if parameter.get("in") == "header" and (not plain or schema.get("format") in ("date", "date-time", "binary")):
            parameter["schema"] = {"type": "string", "description": schema.get("description", "")}
            log("header-as-text", f"{where} {parameter['name']}")


def drop_null_of_path(document: Tree, log: Log) -> None:
    """Drop the null of a parameter in the path: there is no text for it."""
    for where, parameter in _parameters(document):
        schema = resolve(document, parameter["schema"])
        kind = schema.get("type")
        if parameter.get("in") == "path" and (schema.get("nullable") or (is_list(kind) and "null" in kind)):
            kinds = [each for each in kind if each != "null"] if is_list(kind) else [kind]
            plain = {key: value for key, value in schema.items() if key not in ("nullable", "type")}
            parameter["schema"] = {**plain, "type": kinds[0] if len(kinds) == 1 else kinds} if any(kinds) else plain
            log("drop-null-of-path", f"{where} {parameter['name']}")


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


def prefer_json_answer(document: Tree, log: Log) -> None:
    """Keep the JSON content of an answer that has several content types."""
    for operation in operations(document):
        for status, content in answers(operation):
            kinds = sorted(content, key=lambda kind: not _is_json(kind))
            if len(kinds) > 1:
                others = [kind for kind in kinds[1:] if not _is_json(kind)]
                for kind in kinds[1:]:
                    del content[kind]
                log("prefer-json-answer", f"{operation.where} {status}: {kinds[0]}")
                log.left_out.extend(f"{operation.where}: answer {status} as {kind}" for kind in others)


def non_json_content(document: Tree, log: Log) -> None:
    """Read `text/*` answers as text, other bodies that are neither JSON nor a form as bytes."""
    for operation in operations(document):
        for kind, content in media_types(operation):
            for content_type, medium in content.items():
                if _is_json(content_type) or (kind == "body" and bare_type(content_type) in FORMS):
                    medium.setdefault("schema", {})
                    if content_type.startswith("*/"):
                        log.content_types[content_type] = "application/json"
                        log("non-json-content", f"{operation.where} {kind} {content_type}, read as JSON")
                    continue
                text = content_type.startswith("text/") and kind != "body"
                medium["schema"] = {"type": "string"} if text else {"type": "string", "format": "binary"}
                if not text:
                    log.content_types[content_type] = "application/octet-stream"
                log("non-json-content", f"{operation.where} {kind} {content_type}, {'text' if text else 'bytes'}")


def report_objects_in_forms(document: Tree, log: Log) -> None:
    """Report objects in url-encoded forms: OpenAPI does not define how they are serialised."""
    for operation in operations(document):
        for kind, content in media_types(operation):
            for content_type, medium in content.items():
                if kind == "body" and bare_type(content_type) == URL_ENCODED:
                    form = resolve(document, mapping_at(medium, "schema"))
                    log.left_out.extend(
                        f"{operation.where}: the form's field {name} is an object"
                        for name, schema in mapping_at(form, "properties").items()
                        if resolve(document, schema).get("type") == "object"
                    )


def _is_json(content_type: str) -> bool:
    kind = bare_type(content_type)
    return kind in ("application/json", "*/*") or kind.endswith("+json")


def _parameters(document: Tree) -> list[tuple[str, Tree]]:
    return [
        (operation.where, parameter)
        for operation in operations(document)
        for parameter in list_at(operation.tree, "parameters")
    ]


def _replace(operation: Operation, parameter: Tree, whole: Tree, pattern: str) -> None:
    """Put one parameter for each property in the place of the object; `pattern` makes their names."""
    required = list_at(whole, "required") if parameter.get("required") else []
    flat = [
        in_place_of(
            parameter,
            {
                "name": pattern.format(name),
                "in": "query",
                "required": name in required,
                "schema": schema,
                **({"description": schema["description"]} if "description" in schema else {}),
            },
        )
        for name, schema in whole["properties"].items()
    ]
    place = operation.tree["parameters"].index(parameter)
    operation.tree["parameters"][place : place + 1] = flat
