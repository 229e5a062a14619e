"""Whether JSON has what a document declares, by the generated table of members.

The table answers without a model of the body. It says yes alone: what it leaves open (a union, a
time, a word in another letter case, and `error` and `errors`, which prove nothing) the model
decides.
"""

from collections.abc import Callable, Mapping
from typing import Any

from victor_ext.runtime.core.json_values import is_list, is_object

Tables = Mapping[str, Mapping[str, Any]]
"""The kinds of the members of each model, as `MEMBERS` of a generated package has them."""


def has_declared_member(body: Mapping[str, Any], model: str, tables: Tables) -> bool:
    """Whether a member of an object surely has a value that the document declares for it.

    Args:
        body: The object.
        model: The name of the model that the document declares for the object.
        tables: The members of all models.
    """
    members = tables[model].items()
    return any(_is_of_kind(body.get(name), kind, tables) for name, kind in members)


def _is_of_kind(value: Any, kind: Any, tables: Tables) -> bool:
    """Whether a value surely is of a kind, and says something."""
    if value is None:
        return False
    if isinstance(kind, tuple):
        return not isinstance(value, bool) and value in kind
    if is_list(kind):
        return is_list(value) and _has_item_of_kind(value, kind[0], tables)
    is_scalar = _SCALARS.get(kind)
    if is_scalar is not None:
        return is_scalar(value)
    if kind not in tables or not is_object(value):
        return False
    return not value or has_declared_member(value, kind, tables)


def _has_item_of_kind(items: list[Any], kind: Any, tables: Tables) -> bool:
    """Whether a list surely has an item of a kind; one without items says that there are none."""
    return not items or any(_is_of_kind(item, kind, tables) for item in items)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_anything(value: Any) -> bool:
    return not isinstance(value, str) or _is_text(value)


_SCALARS: Mapping[str, Callable[[Any], bool]] = {
    "text": _is_text,
    "flag": _is_flag,
    "whole": _is_whole,
    "number": _is_number,
    "any": _is_anything,
}
"""The kinds of scalars of which a look at the value is enough."""
