"""Pairs of tiny documents, each with one change and what it means. The benchmark gives them to other tools, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from victor_ext.spec.diff.compare import compare
from victor_ext.spec.diff.entry import Entry, PythonChange
from victor_ext.spec.tree import copied

Tree = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One change."""

    name: str
    old: Tree
    new: Tree
    place: str
    wire: str
    direction: str

    def __str__(self) -> str:
        return self.name


def entries(old: Tree, new: Tree, python: Mapping[str, PythonChange] | None = None) -> list[Entry]:
    """What the comparison says of two documents, which stay as they are."""
    return compare(copied(old), copied(new), python).entries


# ---- Documents ----


def document(paths: Tree, schemas: Tree | None = None, **more: Any) -> Tree:
    """A document; no two parts of it share an object."""
    whole = {
        "openapi": more.pop("openapi", "3.0.3"),
        "info": {"title": "Cards", "version": "1.0.0"},
        "servers": [{"url": "https://api.example.com/v1"}],
        "paths": paths,
        "components": {"schemas": schemas or {}, **more.pop("components", {})},
    }
    return copied({**whole, **more})


def operation(name: str = "getCard", **parts: Any) -> Tree:
    return {"operationId": name, "tags": ["cards"], "responses": {"200": {"description": "ok"}}, **parts}


def json_content(schema: Tree) -> Tree:
    return {"application/json": {"schema": schema}}


def sends(schema: Tree, schemas: Tree | None = None, **more: Any) -> Tree:
    """A document whose one operation sends a schema."""
    body = {"required": True, "content": json_content(schema)}
    return document({"/cards": {"post": operation("createCard", requestBody=body)}}, schemas, **more)


def receives(schema: Tree, schemas: Tree | None = None, **more: Any) -> Tree:
    """A document whose one operation receives a schema."""
    return _gets(responses={"200": {"description": "ok", "content": json_content(schema)}}, schemas=schemas, **more)


def query(*parameters: Tree, **more: Any) -> Tree:
    """A document whose one operation has parameters."""
    return document({"/cards": {"get": operation(parameters=list(parameters))}}, **more)


def _gets(path: str = "/cards", schemas: Tree | None = None, **parts: Any) -> Tree:
    """A document whose one operation has some parts; what is no part of an operation is one of the document."""
    of_document = ("openapi", "servers", "components", "security")
    more = {key: parts.pop(key) for key in of_document if key in parts}
    return document({path: {"get": operation(**parts)}}, schemas, **more)


def _posts(*content_types: str, **more: Any) -> Tree:
    """A document whose one operation has a body in some content types."""
    body = {"content": {each: {} for each in content_types}, **more}
    return document({"/c": {"post": operation("createCard", requestBody=body)}})


def _answers(*statuses: str, content: Tree | None = None) -> Tree:
    """A document whose one operation has some answers."""
    answer = {"description": "", **({"content": content} if content else {})}
    return _gets(responses=dict.fromkeys(statuses, answer))


def limit(schema: Tree | None = None, **more: Any) -> Tree:
    return {"name": "limit", "in": "query", "schema": schema or {"type": "integer"}, **more}


def card(required: tuple[str, ...] = ("id",), **properties: Tree) -> Tree:
    own = {"id": {"type": "string"}, **properties}
    return {"type": "object", "required": list(required), "properties": own}


CARD = {"$ref": "#/components/schemas/Card"}
TEXT = {"type": "string"}
STATUS = {"type": "string", "enum": ["active", "closed"]}
STATUSES = {"type": "string", "enum": ["active", "closed", "frozen"]}
SCHEMA = "components.schemas.Card"
SENT = "paths./cards.post.requestBody.content.application/json.schema"
RECEIVED = "paths./cards.get.responses.200.content.application/json.schema"
LIMIT = "paths./cards.get.parameters.query:limit"
NULLABLE = {**TEXT, "nullable": True}
INTEGER = {"type": "integer"}
_NUMBER = {"type": "number"}
WORDS = {"type": "array", "items": TEXT}
_LIST = {"type": "array"}
_ONE_TEXT, _TWO_TEXTS = {**_LIST, "prefixItems": [TEXT]}, {**_LIST, "prefixItems": [TEXT, TEXT]}
_CITY = {"type": "object", "properties": {"city": TEXT}}
_ADDRESS = {"type": "object", "properties": {"city": TEXT, "zip": TEXT}}
_READ_ONLY = {**TEXT, "readOnly": True}
_BEARER = {"type": "http", "scheme": "bearer"}
_KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}


# ---- Cases ----


def of(name: str) -> str:
    return f"{SCHEMA}.properties.{name}"


def both(name: str, change: tuple[Tree, Tree], place: str, sent: str | None, received: str | None) -> list[Case]:
    """A change of `Card`, or of it and the schemas beside it, in a request, and the same in a response."""
    before, after = (each if "Card" in each else {"Card": each} for each in change)
    ways = (("sent", sends, sent), ("received", receives, received))
    return [
        Case(f"{name}, {way}", made(CARD, before), made(CARD, after), place, wire, way)
        for way, made, wire in ways
        if wire
    ]


def _pin(name: str, old: Tree, new: Tree, sent: str, received: str, below: str = "") -> list[Case]:
    """A card whose pin has one schema, and the same card with another."""
    return both(name, (card(pin=old), card(pin=new)), of(f"pin{below}"), sent, received)


def _limit(name: str, change: tuple[Tree, Tree], sent: str, received: str, kind: Tree = INTEGER) -> list[Case]:
    """A pin of one type with other keywords."""
    return _pin(name, {**kind, **change[0]}, {**kind, **change[1]}, sent, received)


_word = partial(_limit, kind=TEXT)


_sent, _received, _either = (partial(Case, direction=each) for each in ("sent", "received", "both"))


def _asked(name: str, old: Tree | None, new: Tree | None, wire: str, place: str = LIMIT) -> Case:
    """A change of the only parameter; None is no parameter."""
    before, after = (query(*[each] if each else []) for each in (old, new))
    return _sent(name, before, after, place, wire)


def _union(*names: str, **more: Any) -> Tree:
    members = {"Cat": card(meow=TEXT), "Dog": card(bark=TEXT), "Cow": card(moo=TEXT)}
    return {**members, "Card": {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in names], **more}}


def _kinds(property_name: str, **mapping: str) -> Tree:
    """A union of cats and dogs with a discriminator."""
    paths = {word: f"#/components/schemas/{name}" for word, name in mapping.items()}
    return _union("Cat", "Dog", discriminator={"propertyName": property_name, "mapping": paths})


def _in_path(name: str) -> Tree:
    parameter = {"name": name, "in": "path", "required": True, "schema": TEXT}
    return _gets(f"/c/{{{name}}}", parameters=[parameter])


def secured(scheme: Tree, *scopes: str, needed: bool = True) -> Tree:
    security = [{"key": list(scopes)}] if needed else []
    return _gets(components={"securitySchemes": {"key": scheme}}, security=security)


def _oauth(url: str, **scopes: str) -> Tree:
    return secured({"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": url, "scopes": scopes}}})


def _served(*urls: str, **more: Any) -> Tree:
    return _gets(servers=[{"url": f"https://{each}.example"} for each in urls], **more)


def _variable(default: str, *values: str) -> Tree:
    variable = {"default": default, **({"enum": list(values)} if values else {})}
    return _gets(servers=[{"url": "https://{env}.example", "variables": {"env": variable}}])


def _headers(**headers: Tree) -> Tree:
    return _gets(responses={"200": {"description": "ok", "headers": headers}})


def _called(place: str, schema: Tree) -> Tree:
    """A document with an operation that the provider calls."""
    called = {"post": operation("paid", requestBody={"content": json_content(schema)})}
    if place == "webhooks":
        return document({}, webhooks={"paid": called}, openapi="3.1.0")
    return document({"/cards": {"post": operation(callbacks={"paid": {"{$request.body#/url}": called}})}})


def shared(parameter: Tree) -> Tree:
    reference = {"$ref": "#/components/parameters/Limit"}
    return query(reference, components={"parameters": {"Limit": parameter}})


def _beside(path: str, **methods: Tree) -> Tree:
    """A document with more than one operation."""
    paths: Tree = {"/cards": {"get": operation()}}
    paths[path] = {**paths.get(path, {}), **methods}
    return document(paths)


def _form(**more: Any) -> Tree:
    return document({"/c": {"post": operation(requestBody={"content": {"a/b": {"schema": card(), **more}}})}})


def _renamed(schema: Tree) -> Tree:
    return receives({"$ref": "#/components/schemas/PaymentCard"}, {"PaymentCard": schema})


_PETS, _NAMED = _union("Cat", "Dog"), _kinds("kind", cat="Cat", dog="Dog")
_REFS = {name: {"$ref": f"#/components/schemas/{name}"} for name in ("A", "B")}

_CYCLE = {name: {"properties": {"x": _REFS[name], name.lower(): TEXT}} for name in _REFS}
_CYCLE["Card"] = {"allOf": [*_REFS.values()]}
_GONE = receives(CARD, {**_CYCLE, "B": {"properties": {"x": _REFS["B"]}}})
_OPEN = document({"/cards": {"get": operation()}})
_ANSWER = "paths./cards.get.responses"
_QUOTA = f"{_ANSWER}.200.headers.Quota"
_BODY = "paths./c.post.requestBody"
_VARIABLE, _SCHEME = "servers[0].variables.env", "components.securitySchemes.key"
_HOOK = "post.requestBody.content.application/json.schema.properties.pin"
_NO_BODY = document({"/cards": {"post": operation("createCard")}})
_PIN, _BARE, _WRITTEN = {"Card": card(pin=TEXT)}, {"Card": card()}, receives(card(pin=TEXT))
_OTHER, _OTHERS = {"$ref": "#/components/schemas/Other"}, {**_PIN, "Other": card()}
_DECLINED, _CONFLICT = ({"description": "", "content": json_content(card(**{each: TEXT}))} for each in ("code", "why"))
_WITH_DEFAULT = _gets(responses={"default": _DECLINED})
_WITH_CONFLICT = _gets(responses={"default": _DECLINED, "409": _CONFLICT})
_QUOTED = _headers(Quota={"schema": TEXT})

# Changes that break, or may break, what is on the wire: the list of what tools were measured by.
WIRE = [
    _either("path removed", _beside("/old", get=operation("old")), _OPEN, "paths./old.get", "breaks"),
    _either("method removed", _beside("/cards", delete=operation("drop")), _OPEN, "paths./cards.delete", "breaks"),
    _asked("required parameter added", None, limit(required=True), "breaks"),
    _asked("parameter removed", limit(), None, "breaks"),
    _asked("parameter became required", limit(), limit(required=True), "breaks"),
    _asked("type of a parameter changed", limit(), limit({"type": "boolean"}), "breaks"),
    _asked("enum value of a parameter removed", limit(STATUSES), limit(STATUS), "breaks"),
    _asked("maximum of a parameter lowered", limit({**INTEGER, "maximum": 9}), limit({**INTEGER, "maximum": 5}),
        "breaks"),
    _asked("pattern of a parameter added", limit(TEXT), limit({**TEXT, "pattern": "^[a-z]+$"}), "breaks"),
    _asked("list of a parameter written otherwise", limit(WORDS), limit(WORDS, explode=False), "breaks"),
    _sent("required body added", _NO_BODY, sends(card()), "paths./cards.post.requestBody", "breaks"),
    _sent("content type of a body removed", _posts("a/b", "text/csv"), _posts("a/b"), f"{_BODY}.content.text/csv",
        "breaks"),
    *both("required property added", (card(), card(("id", "pin"), pin=TEXT)), of("pin"), "breaks", "fine"),
    *both("property removed", (card(pin=TEXT), card()), of("pin"), "breaks", "breaks"),
    *_pin("type changed", TEXT, INTEGER, "breaks", "breaks"),
    *_pin("enum value added", STATUS, STATUSES, "fine", "look"),
    *_pin("enum value removed", STATUSES, STATUS, "breaks", "fine"),
    *both("became required", (card(pin=TEXT), card(("id", "pin"), pin=TEXT)), of("pin"), "breaks", "fine"),
    *both("became optional", (card(("id", "pin"), pin=TEXT), card(pin=TEXT)), of("pin"), "fine", "breaks"),
    *_pin("may be null", TEXT, NULLABLE, "fine", "breaks"),
    *both("member of a union removed", (_union("Cat", "Dog", "Cow"), _PETS), SCHEMA, "breaks", None),
    _received("answer removed", _answers("200", "202"), _answers("200"), f"{_ANSWER}.202", "breaks"),
    _received("content type of an answer removed", _answers("200", content={"application/xml": {}, "text/csv": {}}),
        _answers("200", content={"application/xml": {}}), f"{_ANSWER}.200.content.text/csv", "breaks"),
    _sent("security added", secured(_BEARER, needed=False), secured(_BEARER), "security", "breaks"),
]  # fmt: skip

# What breaks in Python only: the names of generated methods, arguments, modules and classes.
CODE = [
    _either("operation id renamed", _OPEN, _gets(name="readCard"), "paths./cards.get.operationId", "none"),
    _received("schema renamed", receives(CARD, {"Card": card()}), _renamed(card()), SCHEMA, "none"),
    _either("path parameter renamed", _in_path("id"), _in_path("card_id"), "paths./c/{id}.get.parameters.path:id",
        "none"),
    _either("tag renamed", _OPEN, _gets(tags=["payment cards"]), "paths./cards.get.tags", "none"),
]  # fmt: skip

# What else there is.
MORE = [
    # Schemas
    *_word("length limited", ({}, {"maxLength": 4}), "breaks", "fine"),
    *_word("limit removed", ({"maxLength": 4}, {}), "fine", "look"),
    *_word("format changed", ({"format": "date"}, {"format": "date-time"}), "breaks", "look"),
    *_word("format added", ({}, {"format": "email"}), "look", "fine"),
    *_word("format removed", ({"format": "email"}, {}), "fine", "look"),
    *_word("date added", ({}, {"format": "date"}), "breaks", "fine"),
    *_word("date removed", ({"format": "date"}, {}), "fine", "breaks"),
    *_word("pattern changed", ({"pattern": "a"}, {"pattern": "b"}), "breaks", "look"),
    *_word("default changed", ({"default": "a"}, {"default": "b"}), "look", "fine"),
    *_word("default added", ({}, {"default": "a"}), "look", "fine"),
    *_word("constant changed", ({"enum": ["a"]}, {"const": "b"}), "breaks", "look"),
    *_word("deprecated", ({}, {"deprecated": True}), "fine", "fine"),
    _either("sunset", _gets(), _gets(**{"x-sunset": "2027-01-01"}), "paths./cards.get", "look"),
    *_word("not", ({}, {"not": {"enum": ["a"]}}), "breaks", "fine"),
    *_limit("format widened", ({"format": "int32"}, {"format": "int64"}), "fine", "look"),
    *_limit("maximum exclusive", ({"maximum": 5}, {"maximum": 5, "exclusiveMaximum": True}), "breaks", "fine"),
    *_limit("minimum exclusive", ({"minimum": 5}, {"minimum": 5, "exclusiveMinimum": True}), "breaks", "fine"),
    *_limit("multiple of another", ({"multipleOf": 5}, {"multipleOf": 7}), "breaks", "look"),
    *_pin("type widened", INTEGER, _NUMBER, "fine", "breaks"),
    *_pin("type narrowed", _NUMBER, INTEGER, "breaks", "fine"),
    *_pin("null refused", NULLABLE, TEXT, "breaks", "fine"),
    *_pin("became an enum", TEXT, STATUS, "breaks", "fine"),
    *_pin("no longer an enum", STATUS, TEXT, "fine", "look"),
    *_pin("constraint changed", {"not": {"enum": ["a"]}}, {"not": {"enum": ["b"]}}, "breaks", "look"),
    *_pin("items unique", WORDS, {**WORDS, "uniqueItems": True}, "breaks", "fine"),
    *_pin("items changed", WORDS, {**WORDS, "items": INTEGER}, "breaks", "breaks", ".items"),
    *_pin("items described", _LIST, WORDS, "breaks", "fine", ".items"),
    *_pin("items not described", WORDS, _LIST, "fine", "look", ".items"),
    *_pin("position added", _ONE_TEXT, _TWO_TEXTS, "breaks", "fine", ".prefixItems[1]"),
    *_pin("inline object changed", _ADDRESS, _CITY, "breaks", "breaks", ".properties.zip"),
    *_pin("position removed", _TWO_TEXTS, _ONE_TEXT, "look", "look", ".prefixItems[1]"),
    *_pin("any of one of", {"anyOf": [TEXT, card()]}, {"oneOf": [TEXT, card()]}, "look", "fine"),
    *_pin("type to a union", TEXT, {"oneOf": [TEXT, card()]}, "fine", "breaks"),
    *_pin("union to a type", {"oneOf": [TEXT, card()]}, TEXT, "breaks", "fine"),
    *_pin("inline member of a union changed", {"oneOf": [card(a=TEXT), card(b=TEXT, c=TEXT)]},
        {"oneOf": [card(a=TEXT), card(b=TEXT)]}, "breaks", "breaks", ".oneOf[1].properties.c"),
    *both("optional property added", (card(), card(pin=TEXT)), of("pin"), "fine", "fine"),
    *both("other properties refused", (card(), {**card(), "additionalProperties": False}), SCHEMA, "breaks", "fine"),
    *both("property removed where others are admitted", (card(pin=TEXT), {**card(), "additionalProperties": True}),
        of("pin"), "look", "breaks"),
    _either("required read-only property added", sends(CARD, {"Card": card()}),
        sends(CARD, {"Card": card(("id", "at"), at=_READ_ONLY)}), of("at"), "none"),
    *both("became read-only", (card(at=TEXT), card(at=_READ_ONLY)), of("at"), "look", None),
    *both("no longer read-only", (card(at=_READ_ONLY), card(at=TEXT)), of("at"), "fine", None),
    *both("has to be sent", (card(("at",), at=_READ_ONLY), card(("at",), at=TEXT)), of("at"), "breaks", None),
    *both("became write-only", (card(at=TEXT), card(at={**TEXT, "writeOnly": True})), of("at"), None, "breaks"),
    _received("null among the values", receives(card(word={"enum": ["a"]}), openapi="3.1.0"),
        receives(card(word={"enum": ["a", None]}), openapi="3.1.0"), f"{RECEIVED}.properties.word", "breaks"),
    _sent("pattern of the first of two members", sends({"allOf": [{**TEXT, "pattern": "a"}, {"pattern": "b"}]}),
        sends({"allOf": [{**TEXT, "pattern": "c"}, {"pattern": "b"}]}), SENT, "breaks"),
    # Unions
    *both("member of a union added", (_PETS, _union("Cat", "Dog", "Cow")), SCHEMA, "fine", "breaks"),
    *both("discriminator changed", (_kinds("kind"), _kinds("sort")), SCHEMA, "breaks", None),
    *both("discriminator added", (_PETS, _kinds("kind")), SCHEMA, "look", None),
    *both("discriminator removed", (_kinds("kind"), _PETS), SCHEMA, "look", None),
    *both("value of a discriminator changed", (_NAMED, _kinds("kind", feline="Cat", dog="Dog")), SCHEMA, "breaks",
        None),
    _sent("schema renamed that a discriminator names",
        sends(CARD, _union("Cat", "Dog", discriminator={"propertyName": "kind"})),
        sends(CARD, {"Kit": card(meow=TEXT), **_union("Kit", "Dog", discriminator={"propertyName": "kind"})}), SCHEMA,
        "breaks"),
    *both("values of a discriminator swapped", (_NAMED, _kinds("kind", cat="Dog", dog="Cat")), SCHEMA, None, "breaks"),
    _sent("a schema that changed when it became the member of a union", sends(card(a=TEXT, b=TEXT)),
        sends({"anyOf": [card(a=INTEGER, b=TEXT), TEXT]}), f"{SENT}.properties.a", "breaks"),
    _received("a member of a union that changed when it became the schema",
        receives({"anyOf": [card(a=TEXT, b=TEXT), TEXT]}), receives(card(a=INTEGER, b=TEXT)),
        f"{RECEIVED}.anyOf[0].properties.a", "breaks"),
    _received("property within a cycle removed", receives(CARD, _CYCLE), _GONE, "components.schemas.B.properties.b",
        "breaks"),
    # Names of schemas
    _received("schema renamed and changed", receives(CARD, _PIN), _renamed(card()), of("pin"), "breaks"),
    _received("schema named and changed", _WRITTEN, receives(CARD, _BARE), f"{RECEIVED}.properties.pin", "breaks"),
    _received("schema written out and changed", receives(CARD, _PIN), receives(card()), of("pin"), "breaks"),
    _received("other schema", receives(CARD, _OTHERS), receives(_OTHER, _OTHERS), RECEIVED, "breaks"),
    _either("schema that nothing uses", document({}, _PIN), document({}, _BARE), of("pin"), "none"),
    _either("unused schema removed", document({}, _BARE), document({}), SCHEMA, "none"),
    # Parameters
    _asked("items of a parameter changed", limit(WORDS), limit({**WORDS, "items": INTEGER}), "breaks",
        f"{LIMIT}.schema.items"),
    _asked("optional parameter added", None, limit(), "fine"),
    _asked("empty value refused", limit(allowEmptyValue=True), limit(), "breaks"),
    _asked("empty value allowed", limit(), limit(allowEmptyValue=True), "fine"),
    _asked("reserved characters", limit(allowReserved=True), limit(), "breaks"),
    _asked("parameter as JSON", limit(card()), {"name": "limit", "in": "query", "content": json_content(card())},
        "breaks"),
    _sent("named parameter changed", shared(limit()), shared(limit(TEXT)), "components.parameters.Limit", "breaks"),
    _sent("parameter of a path changed", document({"/cards": {"parameters": [limit()], "get": operation()}}),
        document({"/cards": {"parameters": [limit(TEXT)], "get": operation()}}), "paths./cards.parameters.query:limit",
        "breaks"),
    # Bodies and answers
    _sent("content type of a body added", _posts("text/csv"), _posts("text/csv", "a/b"), f"{_BODY}.content.a/b",
        "fine"),
    _sent("body became required", _posts(), _posts(required=True), _BODY, "breaks"),
    _sent("body removed", sends(card()), _NO_BODY, "paths./cards.post.requestBody", "breaks"),
    _sent("optional body added", document({"/c": {"post": operation("createCard")}}), _posts(), _BODY, "fine"),
    _sent("fields written otherwise", _form(), _form(encoding={"id": {"style": "deepObject"}}), f"{_BODY}.content.a/b",
        "breaks"),
    _received("answer of another status added", _answers("200"), _answers("200", "429"), f"{_ANSWER}.429", "fine"),
    _received("answer for success added", _answers("200"), _answers("200", "202"), f"{_ANSWER}.202", "look"),
    _received("answer for all others removed", _answers("200", "default"), _answers("200"), f"{_ANSWER}.default",
        "look"),
    *(_received(name, *answers, f"{_ANSWER}.409.content.application/json.schema.properties.{gone}", "breaks") for name,
        answers,
        gone in (("answer of a status that the default described", (_WITH_DEFAULT, _WITH_CONFLICT), "code"),
        ("answer of a status that the default describes now", (_WITH_CONFLICT, _WITH_DEFAULT), "why"))),
    _received("header removed", _headers(Quota={"required": True, "schema": TEXT}), _headers(), _QUOTA, "breaks"),
    _received("header of an answer changed", _QUOTED, _headers(Quota={"schema": INTEGER}), _QUOTA, "breaks"),
    _received("header added", _headers(), _QUOTED, _QUOTA, "fine"),
    _received("optional header removed", _QUOTED, _headers(), _QUOTA, "look"),
    # Operations
    _either("operation moved", _OPEN, _gets("/v2/cards"), "paths./cards.get", "breaks"),
    _either("operation deprecated", _OPEN, _gets(deprecated=True), "paths./cards.get", "fine"),
    _received("webhook changed", *(_called("webhooks", each) for each in (card(pin=TEXT), card())),
        f"webhooks.paid.{_HOOK}", "breaks"),
    _received("callback changed", _called("callbacks", card()), _called("callbacks", card(("id", "pin"), pin=TEXT)),
        f"paths./cards.post.callbacks.paid.{{$request.body#/url}}.{_HOOK}", "fine"),
    # Servers and security
    _sent("server changed", _served("a"), _served("b"), "servers[0].url", "breaks"),
    _sent("server removed", _served("a", "b"), _served("a"), "servers[1].url", "breaks"),
    _sent("servers in another order", _served("a", "b"), _served("b", "a"), "servers[0].url", "look"),
    _sent("server named", _served(), _served("a"), "servers[0].url", "look"),
    _sent("server added", _served("a"), _served("a", "b"), "servers[1].url", "fine"),
    _sent("server of an operation added", _served("a"),
        document({"/cards": {"get": operation(servers=[{"url": "https://b.example"}])}},
        servers=[{"url": "https://a.example"}]), "paths./cards.get.servers[0].url", "breaks"),
    _sent("default of a server's variable", _variable("a"), _variable("b"), _VARIABLE, "look"),
    _sent("value of a server's variable removed", _variable("a", "a", "b"), _variable("a", "a"), _VARIABLE, "breaks"),
    _sent("value of a server's variable added", _variable("a", "a"), _variable("a", "a", "b"), _VARIABLE, "fine"),
    _sent("kind of credentials changed", secured(_BEARER), secured(_KEY), _SCHEME, "breaks"),
    _sent("scope added", secured(_BEARER, "read"), secured(_BEARER, "read", "write"), "security", "breaks"),
    _sent("scope no longer needed", secured(_BEARER, "read", "write"), secured(_BEARER, "read"), "security", "fine"),
    _sent("security no longer needed", secured(_BEARER), secured(_BEARER, needed=False), "security", "fine"),
    _sent("address for tokens", _oauth("https://a"), _oauth("https://b"), _SCHEME, "look"),
    _sent("scope of a scheme removed", _oauth("https://a", read="r"), _oauth("https://a"), _SCHEME, "look"),
    _sent("way to a token removed", _oauth("https://a"), secured({"type": "oauth2", "flows": {}}), _SCHEME, "breaks"),
    _sent("cookie renamed", secured({**_KEY, "in": "cookie"}), secured({**_KEY, "in": "cookie", "name": "x-key"}),
        _SCHEME, "breaks"),
]  # fmt: skip
