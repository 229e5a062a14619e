"""Whether JSON has what a document declares, by the generated table of members.

The table answers without a model of the body, which takes longer to load and to make. Of some
values the model alone can tell: a union, a time, a map, and `error` and `errors`, which prove
nothing. Where they decide, the answer is None.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeGuard

from victor_ext.runtime.core.json_values import is_list, is_object

Tables = Mapping[str, Mapping[str, Any]]
"""The kinds of the members of each model, as `MEMBERS` of a generated package has them."""


def has_declared_member(body: Mapping[str, Any], model: str, tables: Tables) -> bool | None:
    """Whether a member of an object has a value that the document declares for it. None: the model
    decides.

    Args:
        body: The object.
        model: The name of the model that the document declares for the object.
        tables: The members of all models.
    """
    members = tables[model].items()
    return _any_of(_is_of_kind(body.get(name), kind, tables) for name, kind in members)


NOT_ITEMS = frozenset({"errors", "warnings", "links", "_links"})
"""The names, in lower case, of members of a page that never have its items."""


def undeclared_list(body: Mapping[str, Any], model: str, tables: Tables) -> str | None:
    """The place of a list with items that the document does not declare in an object of a model; it
    may be in an object. None: there is none.
    """
    declared = tables[model]
    for name, value in body.items():
        if name not in declared:
            if _lists_something(name, value):
                return name
            continue
        if not is_object(value):
            continue
        kind = declared[name]
        if not isinstance(kind, str) or not tables.get(kind):
            if _lists_something(name, value):  # its members are declared nowhere
                return name
            continue
        place = undeclared_list(value, kind, tables)
        if place is not None:
            return f"{name}.{place}"
    return None


def _lists_something(name: str, value: Any) -> bool:
    """Whether a member has a list that is not empty: it may be that of a page's items."""
    if name.lower() in NOT_ITEMS:
        return False
    if is_object(value):
        return any(_lists_something(*member) for member in value.items())
    return is_list(value) and bool(value)


def _any_of(answers: Iterable[bool | None]) -> bool | None:
    """Whether one of the answers is yes; None: none is, and the model decides about one of them."""
    result: bool | None = False
    for answer in answers:
        if answer:
            return True
        if answer is None:
            result = None
    return result


def _is_of_kind(value: Any, kind: Any, tables: Tables) -> bool | None:
    """Whether a value is of a kind, and says something. None: the model decides."""
    if value is None:
        return False
    if _are_words(kind):
        return _is_word(value, kind)
    if is_list(kind):
        return is_list(value) and _has_item_of_kind(value, kind[0], tables)
    is_scalar = _SCALARS.get(kind)
    if is_scalar is not None:
        return is_scalar(value)
    if kind not in tables:
        return None
    return is_object(value) and _is_of_model(value, kind, tables)


def _is_of_model(value: dict[str, Any], model: str, tables: Tables) -> bool | None:
    """Whether an object says something; one without members says that there are none."""
    if not value:
        return True
    # A model without members is a map: it has the kind of its values.
    return has_declared_member(value, model, tables) if tables[model] else None


def _has_item_of_kind(items: list[Any], kind: Any, tables: Tables) -> bool | None:
    """Whether a list has an item of a kind; one without items says that there are none."""
    return not items or _any_of(_is_of_kind(item, kind, tables) for item in items)


def _are_words(kind: Any) -> TypeGuard[tuple[Any, ...]]:
    return isinstance(kind, tuple)


def _is_word(value: Any, words: tuple[Any, ...]) -> bool | None:
    """Whether a value is one of the words.

    An enum has them in any letter case. A single word may be a constant, which is exact.
    """
    if isinstance(value, bool):
        return False
    if value in words:
        return True
    if not isinstance(value, str):
        return None if isinstance(value, float) else False
    folded = value.casefold()
    is_like_one = any(isinstance(word, str) and word.casefold() == folded for word in words)
    if is_like_one and len(words) == 1:
        return None
    return is_like_one


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool | None:
    if isinstance(value, float):
        return None if value.is_integer() else False  # JSON also writes 3 as 3.0
    return isinstance(value, int) and not isinstance(value, bool)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_anything(value: Any) -> bool:
    return not isinstance(value, str) or _is_text(value)


_SCALARS: Mapping[Any, Callable[[Any], bool | None]] = {
    "text": _is_text,
    "flag": _is_flag,
    "whole": _is_whole,
    "number": _is_number,
    "any": _is_anything,
}
"""The kinds of scalars of which a look at the value is enough."""
