"""Rewrites of request bodies and answers: content types, and how the fields of a form are sent."""

import json
import re
from collections.abc import Iterator

from victor_spec.requests import STYLES, Offered, Style
from victor_spec.tree import (
    Operation,
    Tree,
    bare_type,
    is_json,
    is_mapping,
    mapping_at,
    operations,
    resolve,
)

from .base import Log, answers, media_types, reachable, schemas
from .serialization import is_nested, is_object, is_read_only, undefined, variants

URL_ENCODED = "application/x-www-form-urlencoded"
FORMS = ("multipart/form-data", URL_ENCODED)
KNOWN = {"JSON": "application/json", "text": "text/plain", "bytes": "application/octet-stream"}
"""The content types by which the generator reads an answer."""
SCHEMAS: dict[str, Tree] = {
    "text": {"type": "string"},
    "bytes": {"type": "string", "format": "binary"},
}
BINARY = re.compile(r"(image|audio|video|font)/|application/(octet-stream|pdf|zip|gzip)\b")
MEDIA_TYPE = re.compile(r"[\w!#$&^.+*-]+/[\w!#$&^.+*-]+")


def order_bodies(document: Tree, log: Log) -> None:
    """Put JSON first: it is sent when the caller names no content type. Leave out what is no media
    type.

    A key without a slash, such as a misplaced `examples`, was never meant as one: it is no loss.
    """
    for operation in operations(document):
        body = mapping_at(operation.tree, "requestBody")
        content = mapping_at(body, "content")
        for kind in [kind for kind in content if not MEDIA_TYPE.fullmatch(bare_type(kind))]:
            del content[kind]
            if "/" in kind:
                log.left_out.append(f"{operation.where}: body as {kind!r}, which is no media type")
            else:
                log("order-bodies", f"{operation.where}: {kind!r} is no media type")
        if len(content) > 1:
            order = sorted(
                content, key=lambda kind: (kind != "application/json", not is_json(kind))
            )
            body["content"] = {kind: content[kind] for kind in order}
            log("order-bodies", f"{operation.where}: {', '.join(order)}")


def non_json_content(document: Tree, log: Log) -> None:
    """Read and send `text/*` as text, and what else is neither JSON nor a form as bytes; `*/*` by
    its schema.
    """
    for operation in operations(document):
        for place, content in media_types(operation):
            for kind in list(content):
                medium = content[kind]
                if is_json(kind) or (place == "body" and bare_type(kind) in FORMS):
                    if bare_type(kind).endswith("/json"):
                        log.content_types[kind] = KNOWN["JSON"]
                    medium.setdefault("schema", {})
                    continue
                read_as = form(document, bare_type(kind), mapping_at(medium, "schema"))
                medium["schema"] = dict(SCHEMAS.get(read_as) or mapping_at(medium, "schema"))
                if place == "body" and (read_as != "JSON" or KNOWN[read_as] in content):
                    log.content_types[kind] = "application/octet-stream"
                else:
                    del content[kind]
                    content[KNOWN[read_as]] = medium
                log("non-json-content", f"{operation.where} {place} {kind}, {read_as}")


def form(document: Tree, content_type: str, schema: Tree) -> str:
    """How a body is read and sent that is no JSON and no form by its content type: a key of
    KNOWN.
    """
    whole = resolve(document, schema)
    if content_type in ("*/*", "application/*"):
        if whole.get("format") in ("binary", "byte") or "contentMediaType" in whole:
            return "bytes"
        if whole.get("type") == "string" and "enum" not in whole:
            return "text" if content_type == "*/*" else "bytes"
        return "JSON"
    return "text" if content_type.startswith("text/") else "bytes"


def text_in_json(document: Tree, log: Log) -> None:
    """Make a binary within JSON a text: JSON has no bytes.

    One that a form has too is a file or a text.
    """
    places = {
        id(schema): where for where, schema in schemas(document) if schema.get("format") == "binary"
    }
    inside: list[Tree] = []
    outside: set[int] = set()
    for operation in operations(document) if places else []:
        for _, content in media_types(operation):
            for kind, medium in content.items():
                binaries = [
                    each
                    for each in reachable(document, mapping_at(medium, "schema"), set())
                    if id(each) in places
                ]
                if is_json(kind):
                    inside += binaries
                else:
                    outside |= {id(each) for each in binaries}
    for schema in inside:
        if schema.pop("format", None) and id(schema) in outside:
            words = {key: schema.pop(key) for key in ("type", "nullable") if key in schema}
            schema["anyOf"] = [{**words, "format": "binary"}, words]
        log("text-in-json", places[id(schema)])


def binary_media_type(document: Tree, log: Log) -> None:
    """Make a text that OpenAPI 3.1 declares as an image, say, by `contentMediaType`, a binary."""
    for where, schema in schemas(document):
        kind = schema.get("contentMediaType")
        if isinstance(kind, str) and BINARY.match(kind) and "contentEncoding" not in schema:
            schema.update(type="string", format="binary")
            log("binary-media-type", f"{where}: {kind}")


def record_encodings(document: Tree, log: Log) -> None:
    """Record how the fields of each form are sent; report those that can hold what has no defined
    form.

    A field that is read-only need not be sent, so it is no loss.
    """
    for operation in operations(document):
        for kind, medium in mapping_at(
            mapping_at(operation.tree, "requestBody"), "content"
        ).items():
            if bare_type(kind) not in FORMS:
                continue
            encodings = log.requests.request(operation.tree).encodings.setdefault(kind, {})
            declared = mapping_at(medium, "encoding")
            whole = mapping_at(medium, "schema")
            every = variants(document, whole)
            fields = {
                name: field
                for each in every
                for name, field in mapping_at(each, "properties").items()
            }
            if is_nested(document, whole) and not is_object(document, whole):
                body = f"{operation.where}: body as {kind}"
                log.left_out.append(
                    f"{body} is a list, without names for its fields, and is refused when called"
                )
            for name in [*fields, *(name for name in declared if name not in fields)]:
                encoding, field = mapping_at(declared, name), fields.get(name, {})
                if is_read_only(document, field):
                    continue
                where = f"{operation.where}: the form's field {name}"
                log.left_out += [
                    f"{where}{loss}" for loss in _lost_of_field(document, field, encoding, kind)
                ]
                if arguments := _arguments(encoding):
                    encodings.setdefault(arguments, []).append(name)
            log("record-encodings", f"{operation.where} {kind}")


def _lost_of_field(document: Tree, field: Tree, encoding: Tree, kind: str) -> Iterator[str]:
    if encoding.get("headers"):
        yield ": the headers of its part"
    if bare_type(kind) != URL_ENCODED:
        if _is_file_within(document, field):
            yield (
                ": a file within it, which is refused when called: a part of a form is a file "
                "or JSON"
            )
        return
    parts = variants(document, field)
    if parts and all(each.get("format") == "binary" for each in parts):
        yield ": a file, which has no form as text, and is refused when called"
    elif reason := _undefined_field(document, field, encoding):
        yield f" {reason}, whose form is not defined, and is refused when called"


def _items(document: Tree, schema: Tree) -> list[Tree]:
    return [
        whole["items"] for whole in variants(document, schema) if is_mapping(whole.get("items"))
    ]


def _is_file_within(document: Tree, field: Tree) -> bool:
    """Whether a field can hold a file in an object, or in the objects of a list: a part of a form
    is a file or JSON.
    """
    wholes = [
        each for part in (field, *_items(document, field)) for each in variants(document, part)
    ]
    inside = [child for whole in wholes for child in mapping_at(whole, "properties").values()]
    inside = [child for child in inside if not is_read_only(document, child)]
    inside += [
        whole["additionalProperties"]
        for whole in wholes
        if is_mapping(whole.get("additionalProperties"))
    ]
    return any(
        each.get("format") == "binary"
        for child in inside
        for each in reachable(document, child, set())
    )


def _undefined_field(document: Tree, schema: Tree, encoding: Tree) -> str | None:
    if style := _style(encoding):
        if style.style not in STYLES["query"]:
            return f"has the style {style.style!r}"
        reason = undefined(document, schema, style)
        return f"can hold {reason}" if reason else None
    kind = str(encoding.get("contentType", "application/json"))
    is_complex = is_object(document, schema) or any(
        is_nested(document, each) for each in _items(document, schema)
    )
    return f"is an object or a list as {kind}" if is_complex and not is_json(kind) else None


def _style(encoding: Tree) -> Style | None:
    """How a field is sent whose encoding has a style, or an option of one; its content type does
    not count then.
    """
    if not {"style", "explode", "allowReserved"} & encoding.keys():
        return None
    style = str(encoding.get("style", "form"))
    explode = bool(encoding.get("explode", style == "form"))
    return Style("query", style, explode, bool(encoding.get("allowReserved")), json=False)


def _arguments(encoding: Tree) -> str:
    """The arguments of `Encoding`, as Python; "" for the default."""
    style = _style(encoding)
    if style and style.style in STYLES["query"]:
        return (
            f'"{style.style}"{", explode=True" * style.explode}{", reserved=True" * style.reserved}'
        )
    return (
        f"content_type={json.dumps(str(encoding['contentType']))}"
        if "contentType" in encoding
        else ""
    )


def unite_answers(document: Tree, log: Log) -> None:
    """Make one type of the content types of a status: JSON by its schemas, `text/*` as text, the
    rest as bytes.
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
        read_as = (
            "JSON"
            if is_json(kind)
            else form(document, bare_type(kind), mapping_at(medium, "schema"))
        )
        forms.setdefault(read_as, []).append(kind)
    parts = _different([content[kind] for kind in forms.get("JSON", [])])
    raw = [each for each in ("text", "bytes") if each in forms]
    first = forms["JSON"][0] if parts else forms[raw[0]][0]
    medium = content[first]
    content.clear()
    content[first] = medium
    texts = any(
        whole.get("type") in (None, "string")
        for part in parts
        for whole in variants(document, part)
    )
    if len(parts) == 1 and raw and "$ref" not in parts[0] and "properties" in parts[0]:
        parts[0]["title"] = f"response_{status}"  # its class has the name that it would have alone
    members = [*parts, *(dict(SCHEMAS[each]) for each in raw)]
    medium["schema"] = members[0] if len(members) == 1 else {"anyOf": members}
    if len(members) > 1 and raw:
        content["application/json"] = content.pop(first)
        text, file = (
            tuple(bare_type(kind) for kind in forms.get(each, [])) for each in ("text", "bytes")
        )
        offered = Offered(text, file, json=bool(parts), json_text=texts)
        log.requests.request(operation.tree).answers[status] = offered
    elif raw:
        content[KNOWN[raw[0]]] = content.pop(first)


def _different(media: list[Tree]) -> list[Tree]:
    """The schemas that differ; a single one that says nothing when one of them does."""
    schemas = {
        json.dumps(schema, sort_keys=True): schema
        for schema in (mapping_at(each, "schema") for each in media)
    }
    return [*schemas.values()] if all(schemas.values()) else [{}]
