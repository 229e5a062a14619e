"""The rewrite of answers that come in several content types."""

from __future__ import annotations

import json

from victor_ext.spec.requests import Offered
from victor_ext.spec.tree import Tree, mapping_at

from .base import Log, Operation, answers, bare_type, operations
from .bodies import KNOWN, MEDIA_TYPE, SCHEMAS, form
from .serialization import is_json, variants


def unite_answers(document: Tree, log: Log) -> None:
    """Make one type of the content types of a status: what is JSON by its schemas, `text/*` as text, the rest as bytes.

    Which of them an answer has, its content type says.
    """
    for operation in operations(document):
        for status, content in answers(operation):
            for kind in [kind for kind in content if not MEDIA_TYPE.fullmatch(bare_type(kind))]:
                del content[kind]
            if len(content) > 1:
                kinds = ", ".join(content)
                _unite(document, log, operation, status, content)
                log("unite-answers", f"{operation.where} {status}: {kinds}")


def _unite(document: Tree, log: Log, operation: Operation, status: str, content: Tree) -> None:
    forms: dict[str, list[str]] = {}
    for kind, medium in content.items():
        found = "JSON" if is_json(kind) else form(document, bare_type(kind), mapping_at(medium, "schema"))
        forms.setdefault(found, []).append(kind)
    parts = _different([content[kind] for kind in forms.get("JSON", [])])
    raw = [each for each in ("text", "bytes") if each in forms]
    first = forms["JSON"][0] if parts else forms[raw[0]][0]
    medium = content[first]
    content.clear()
    content[first] = medium
    texts = any(whole.get("type") in (None, "string") for part in parts for whole in variants(document, part))
    if len(parts) == 1 and raw and "$ref" not in parts[0] and "properties" in parts[0]:
        parts[0]["title"] = f"response_{status}"  # its class has the name that it would have alone
    members = [*parts, *(dict(SCHEMAS[each]) for each in raw)]
    medium["schema"] = members[0] if len(members) == 1 else {"anyOf": members}
    if len(members) > 1 and raw:
        content["application/json"] = content.pop(first)
        text, file = (tuple(bare_type(kind) for kind in forms.get(each, [])) for each in ("text", "bytes"))
        offered = Offered(text, file, json=bool(parts), json_text=texts)
        log.requests.request(operation.tree).answers[status] = offered
    elif raw:
        content[KNOWN[raw[0]]] = content.pop(first)


def _different(media: list[Tree]) -> list[Tree]:
    """The schemas that differ; a single one that says nothing when one of them does."""
    found = {json.dumps(mapping_at(each, "schema"), sort_keys=True): mapping_at(each, "schema") for each in media}
    return [*found.values()] if all(found.values()) else [{}]
