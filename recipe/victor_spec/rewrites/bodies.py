"""Rewrites of request bodies and answers: content types, and how the fields of a form are sent."""

import json
import re
from collections.abc import Iterator

from victor_spec.requests import Offered, Style
from victor_spec.tree import (
    STYLES,
    Operation,
    Tree,
    bare_type,
    is_json,
    is_mapping,
    mapping_at,
    operations,
    resolve,
)

from .base import Log, answers, media, media_types, reachable, schemas
from .serialization import (
    is_nested,
    is_object,
    is_read_only,
    types_in,
    variants,
    why_undefined,
)

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
        for kind in _keys_that_are_no_media_types(content):
            del content[kind]
            if "/" in kind:
                log.left_out.append(f"{operation.where}: body as {kind!r}, which is no media type")
            else:
                log("order-bodies", f"{operation.where}: {kind!r} is no media type")
        if len(content) > 1:
            order = sorted(content, key=_order)
            body["content"] = {kind: content[kind] for kind in order}
            log("order-bodies", f"{operation.where}: {', '.join(order)}")


def _keys_that_are_no_media_types(content: Tree) -> list[str]:
    """The keys of a `content` that are no media types."""
    return [kind for kind in content if not MEDIA_TYPE.fullmatch(bare_type(kind))]


def _order(kind: str) -> tuple[bool, bool]:
    """`application/json` comes first, other JSON second."""
    return kind != "application/json", not is_json(kind)


def non_json_content(document: Tree, log: Log) -> None:
    """Read and send `text/*` as text, and what else is neither JSON nor a form as bytes; `*/*` by
    its schema.
    """
    for operation in operations(document):
        for place, content in media_types(operation):
            for kind in list(content):
                medium = content[kind]
                is_form = place == "body" and bare_type(kind) in FORMS
                if is_form or is_json(kind):
                    if bare_type(kind).endswith("/json"):
                        log.content_types[kind] = KNOWN["JSON"]
                    medium.setdefault("schema", {})
                    continue
                schema = mapping_at(medium, "schema")
                read_as = reading_of(document, bare_type(kind), schema)
                medium["schema"] = {**(SCHEMAS.get(read_as) or schema)}
                if place == "body" and (read_as != "JSON" or KNOWN[read_as] in content):
                    log.content_types[kind] = KNOWN["bytes"]
                else:
                    del content[kind]
                    content[KNOWN[read_as]] = medium
                log("non-json-content", f"{operation.where} {place} {kind}, {read_as}")


def reading_of(document: Tree, content_type: str, schema: Tree) -> str:
    """What a body is read and sent as, if its content type is neither JSON nor that of a form: a
    key of KNOWN.
    """
    if content_type not in ("*/*", "application/*"):
        return "text" if content_type.startswith("text/") else "bytes"
    whole = resolve(document, schema)
    if whole.get("format") in ("binary", "byte") or "contentMediaType" in whole:
        return "bytes"
    if whole.get("type") != "string" or "enum" in whole:
        return "JSON"
    return "text" if content_type == "*/*" else "bytes"


def text_in_json(document: Tree, log: Log) -> None:
    """Make a binary that is within JSON alone a text: JSON has no bytes."""
    binaries: dict[int, tuple[Tree, str]] = {}
    outside: set[int] = set()
    seen: dict[bool, set[int]] = {True: set(), False: set()}
    for operation in operations(document):
        for _, kind, medium in media(operation):
            whole = mapping_at(medium, "schema")
            for schema in reachable(document, whole, seen[is_json(kind)]):
                if not is_json(kind):
                    outside.add(id(schema))
                elif schema.get("format") == "binary":
                    binaries[id(schema)] = schema, operation.where
    for number, (schema, where) in binaries.items():
        if number not in outside:
            del schema["format"]
            log("text-in-json", where)


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
        content = mapping_at(mapping_at(operation.tree, "requestBody"), "content")
        for kind, medium in content.items():
            if bare_type(kind) in FORMS:
                _record_form(document, operation, kind, medium, log)
                log("record-encodings", f"{operation.where} {kind}")


def _record_form(document: Tree, operation: Operation, kind: str, medium: Tree, log: Log) -> None:
    """Record how the fields of one form are sent; report the losses of each."""
    encodings = log.requests.request(operation.tree).encodings.setdefault(kind, {})
    declared = mapping_at(medium, "encoding")
    whole = mapping_at(medium, "schema")
    types = types_in(document, whole)
    if types and "object" not in types:
        log.left_out.append(
            f"{operation.where}: body as {kind} is no object, without names for its fields, and is "
            "refused when called"
        )
    fields: Tree = {}
    for variant in variants(document, whole):
        fields |= mapping_at(variant, "properties")
    for name in dict.fromkeys([*fields, *declared]):
        field = fields.get(name, {})
        if is_read_only(document, field):
            continue
        encoding = mapping_at(declared, name)
        where = f"{operation.where}: the form's field {name}"
        for loss in _losses_of_field(document, field, encoding, kind):
            log.left_out.append(where + loss)
        arguments = _arguments(encoding)
        if arguments:
            encodings.setdefault(arguments, []).append(name)


def _losses_of_field(document: Tree, field: Tree, encoding: Tree, kind: str) -> Iterator[str]:
    """What of a field of a form is not sent, or is refused when called."""
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
    reason = _why_undefined_field(document, field, encoding)
    if parts and all(part.get("format") == "binary" for part in parts):
        yield ": a file, which has no form as text, and is refused when called"
    elif reason:
        yield f" {reason}, whose form is not defined, and is refused when called"


def _schemas_of_items(document: Tree, schema: Tree) -> list[Tree]:
    """The schemas of the items that a value has where it is a list."""
    return [
        whole["items"] for whole in variants(document, schema) if is_mapping(whole.get("items"))
    ]


def _is_file_within(document: Tree, field: Tree) -> bool:
    """Whether a field can hold a file in an object, or in the objects of a list: a part of a form
    is a file or JSON.
    """
    inside: list[Tree] = []
    for part in (field, *_schemas_of_items(document, field)):
        for whole in variants(document, part):
            properties = mapping_at(whole, "properties").values()
            inside += [child for child in properties if not is_read_only(document, child)]
            inside.append(mapping_at(whole, "additionalProperties"))
    seen: set[int] = set()
    within = [schema for child in inside for schema in reachable(document, child, seen)]
    return any(schema.get("format") == "binary" for schema in within)


def _why_undefined_field(document: Tree, schema: Tree, encoding: Tree) -> str | None:
    """Why a field of a form has no defined form as text; None when it has one."""
    style = _style(encoding)
    if style is not None:
        if style.style not in STYLES["query"]:
            return f"has the style {style.style!r}"
        reason = why_undefined(document, schema, style)
        return f"can hold {reason}" if reason else None
    kind = str(encoding.get("contentType", "application/json"))
    if is_json(kind):
        return None
    items = _schemas_of_items(document, schema)
    if is_object(document, schema) or any(is_nested(document, item) for item in items):
        return f"is an object or a list as {kind}"
    return None


def _style(encoding: Tree) -> Style | None:
    """How a field is sent whose encoding has a style, or an option of one; its content type does
    not count then.
    """
    if not {"style", "explode", "allowReserved"} & encoding.keys():
        return None
    style = str(encoding.get("style", "form"))
    explode = bool(encoding.get("explode", style == "form"))
    return Style("query", style, explode, bool(encoding.get("allowReserved")))


def _arguments(encoding: Tree) -> str:
    """The arguments of `Encoding`, as Python; "" for the default."""
    style = _style(encoding)
    if style is not None and style.style in STYLES["query"]:
        arguments = [f'"{style.style}"']
        arguments += ["explode=True"] if style.explode else []
        arguments += ["reserved=True"] if style.reserved else []
        return ", ".join(arguments)
    if "contentType" in encoding:
        return f"content_type={json.dumps(str(encoding['contentType']))}"
    return ""


def unite_answers(document: Tree, log: Log) -> None:
    """Make one type of the content types of a status: JSON by its schemas, `text/*` as text, the
    rest as bytes.
    """
    for operation in operations(document):
        request = log.requests.request(operation.tree)
        for status, content in answers(operation):
            for kind in _keys_that_are_no_media_types(content):
                del content[kind]
            if not any("schema" in medium for medium in content.values()):
                request.may_be_empty.add(status)
            if len(content) > 1:
                kinds = ", ".join(content)
                offered = _unite_media(document, status, content)
                if offered is not None:
                    request.answers[status] = offered
                log("unite-answers", f"{operation.where} {status}: {kinds}")


def _unite_media(document: Tree, status: str, content: Tree) -> Offered | None:
    """Write the content types of a status as one.

    Returns what the status offers, where it comes as JSON and as text or bytes; None where it comes
    in one of these ways alone.
    """
    kinds = _by_reading(document, content)
    parts = _distinct_schemas([content[kind] for kind in kinds["JSON"]])
    raw = [read_as for read_as in ("text", "bytes") if kinds[read_as]]
    if raw:
        _keep_class_name(parts, status)
    members = [*parts, *({**SCHEMAS[read_as]} for read_as in raw)]
    is_single = len(members) == 1
    [first, *_] = kinds["JSON"] or kinds[raw[0]]
    medium = content[first]
    medium["schema"] = members[0] if is_single else {"anyOf": members}
    content.clear()
    if not raw:
        content[first] = medium
        return None
    if is_single:
        content[KNOWN[raw[0]]] = medium
        return None
    content[KNOWN["JSON"]] = medium
    wholes = [whole for part in parts for whole in variants(document, part)]
    return Offered(
        text=tuple(map(bare_type, kinds["text"])),
        file=tuple(map(bare_type, kinds["bytes"])),
        json=bool(parts),
        json_text=any(whole.get("type") in (None, "string") for whole in wholes),
    )


def _by_reading(document: Tree, content: Tree) -> dict[str, list[str]]:
    """The content types that are read as JSON, as text and as bytes."""
    kinds: dict[str, list[str]] = {"JSON": [], "text": [], "bytes": []}
    for kind, medium in content.items():
        schema = mapping_at(medium, "schema")
        read_as = "JSON" if is_json(kind) else reading_of(document, bare_type(kind), schema)
        kinds[read_as].append(kind)
    return kinds


def _keep_class_name(parts: list[Tree], status: str) -> None:
    """Give a single object that is written out the name that its class would have alone."""
    if len(parts) == 1 and "$ref" not in parts[0] and "properties" in parts[0]:
        parts[0]["title"] = f"response_{status}"


def _distinct_schemas(media: list[Tree]) -> list[Tree]:
    """The schemas of some media, each once. If one of them is empty, it alone: it admits any value,
    and so does a union with it.
    """
    by_text: dict[str, Tree] = {}
    for medium in media:
        schema = mapping_at(medium, "schema")
        by_text[json.dumps(schema, sort_keys=True)] = schema
    distinct = [*by_text.values()]
    return distinct if all(distinct) else [{}]
