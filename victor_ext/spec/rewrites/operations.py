"""Rewrites of operations: parameters in the path, and the content types of answers."""

from __future__ import annotations

import re

from victor_ext.spec.tree import Tree

from .base import Log, answers, bare_type, operations


def declare_path_parameter(document: Tree, log: Log) -> None:
    """Declare each parameter that the path names, and remove those that it does not name."""
    for operation in operations(document):
        named = re.findall(r"{([^}]+)}", operation.path)
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


def _is_json(content_type: str) -> bool:
    kind = bare_type(content_type)
    return kind in ("application/json", "*/*") or kind.endswith("+json")
