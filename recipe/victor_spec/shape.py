"""The shape of an OpenAPI document: which keys hold mappings, lists, texts and flags.

Every rewrite relies on it. What is empty (`parameters:` in YAML is null) counts as absent, and a
schema that is `true` or `false` is written as a mapping. Words of another type (a title that is a
number) are text; other keys that do not decide what is generated are dropped. Anything else of
another type is an error that names its place.
"""

import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import yaml

from .tree import METHODS, PlaceError, Tree, boolean_schema, is_list, is_mapping, step, types_of

PLACES = ("query", "path", "header", "cookie", "querystring")


_WORDS = {"description": "text", "summary": "text", "title": "text"}
KINDS: dict[str, dict[str, str]] = {
    kind: _WORDS | keys | (dict.fromkeys(METHODS, "Operation") if kind == "PathItem" else {})
    for kind, keys in yaml.safe_load(
        (files("victor_spec") / "shape.yaml").read_text(encoding="utf-8")
    ).items()
}
"""The keys of each kind of mapping, with the shape of their values."""
_WITH_EXTENSIONS = ("PathItem", "Response")
"""What a key that begins with `x-` is no name of."""


def check_shape(document: Tree) -> None:
    """Complete and simplify a document in place. Raises PlaceError."""
    _mapping(document, "Document", "")


def _mapping(tree: Tree, kind: str, place: str) -> None:
    """Bring the values of a mapping into their shape."""
    if "$ref" in tree and tree["$ref"] is None and kind == "Schema":
        del tree["$ref"]
    elif "$ref" in tree and kind != "Document" and not isinstance(tree["$ref"], str):
        raise PlaceError(f"{place}.$ref is {_name(tree['$ref'])}: write the text of a reference.")
    if kind == "Schema":
        _place_item_schemas(tree)
    for key, expected in KINDS[kind].items():
        value = tree.get(key)
        shaped = None if value is None else _shaped(value, expected, step(place, key))
        if shaped is not None:
            tree[key] = shaped
        else:
            tree.pop(key, None)
    if kind == "Parameter" and "$ref" not in tree:
        if not tree.get("name"):
            raise PlaceError(f"{place} is a parameter without a name: write `name:`.")
        if tree.get("in") not in PLACES:
            places = ", ".join(PLACES)
            raise PlaceError(
                f"{place} ({tree['name']}) is in {tree.get('in')!r}: write `in:` with one of "
                f"{places}."
            )


def _shaped(value: Any, kind: str, place: str) -> Any:
    """A value in its shape; None when it says nothing.

    `kind` is a value of shape.yaml: a kind of mapping, a [list] or a {mapping} of a kind, or how a
    value is corrected. `additional` is a schema that stays a boolean where it is one.
    """
    if kind in _CORRECTED:
        return _CORRECTED[kind](value)
    inner = kind[1:-1]
    if kind[0] == "[":
        if not is_list(value):
            raise PlaceError(f"{place} is {_name(value)}: write a list.")
        return [_member(item, inner, f"{place}[{number}]") for number, item in enumerate(value)]
    if isinstance(value, bool) and kind in ("Schema", "additional"):
        return value if kind == "additional" else boolean_schema(value)
    if not is_mapping(value):
        raise PlaceError(f"{place} is {_name(value)}: write a mapping.")
    if kind == "Callback" and "$ref" not in value:
        return _shaped(value, "{PathItem}", place)
    if kind[0] == "{":
        is_open = inner in _WITH_EXTENSIONS
        names = [name for name in value if not (is_open and name.startswith("x-"))]
        shaped = {name: _member(value[name], inner, f"{place}.{name}") for name in names}
        return {name: each for name, each in shaped.items() if each is not None}
    _mapping(value, "Schema" if kind == "additional" else kind, place)
    return value


def _member(value: Any, kind: str, place: str) -> Any:
    return _shaped({} if value is None and kind != "Parameter" else value, kind, place)


def _place_item_schemas(schema: Tree) -> None:
    """Move a list of schemas in `items`, which was a tuple before OpenAPI 3.1, to `prefixItems`.

    Drop `items` where it says nothing that is generated.
    """
    value = schema.get("items")
    kinds = types_of(schema)
    if value is False:  # no items beside those of `prefixItems`: a package has no check of that
        del schema["items"]
        return
    if kinds and "array" not in kinds:  # no value is a list
        schema.pop("items", None)
        return
    if is_list(value):
        schema["prefixItems"] = schema.pop("items")


def _name(value: Any) -> str:
    if value is None:
        return "null"
    if is_list(value):
        return "a list"
    if is_mapping(value):
        return "a mapping"
    text = json.dumps(value)[:40]
    if isinstance(value, str):
        return f"the text {text}"
    return f"the flag {text}" if isinstance(value, bool) else f"the number {text}"


# ---- Values that are corrected; None removes one ----


def _text(value: Any) -> str | None:
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    return value if isinstance(value, str) else None


def _texts(value: Any) -> list[str] | None:
    if not is_list(value):
        return None
    present = [item for item in value if item is not None]
    return [item if isinstance(item, str) else json.dumps(item) for item in present]


def _flag(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(str(value))


_CORRECTED: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "texts": _texts,
    "flag": _flag,
    "list": lambda value: value if is_list(value) else None,
    "type": lambda value: _texts(value) if is_list(value) else _text(value),
}
