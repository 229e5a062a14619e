"""Whether a style of pages fits what the document declares of a list."""

import inspect
from collections.abc import Sequence
from typing import Any

from .declared_models import classes_in, fields_of_model, hints_of, types_at, types_of_items
from .paging import PageStyle, ParameterPages
from .places import Place, same_name


def undeclared_in(style: PageStyle, operation: Any) -> str | None:
    """Why a style does not fit what the document declares of an operation, or None.

    It names the first place or parameter of the style that the document does not declare, and that
    the style does not list in `undeclared`.
    """
    hints = hints_of(operation)
    pages = classes_in(hints.get("return"))
    for place in (style.items, *style.places()):
        why = _undeclared(style, place, pages, "the response")
        if why is not None:
            return why
    if style.items is None:
        lists = pages
    elif isinstance(style.items, str):
        lists = types_at(pages, style.items) or []
    else:  # of a function nothing is known
        lists = []
    items = types_of_items(lists)
    for place in style.places_in_item():
        why = _undeclared(style, place, items, "an item")
        if why is not None:
            return why
    if not isinstance(style, ParameterPages):
        return None
    if style.in_body:
        return _undeclared(style, style.parameter, classes_in(hints.get("body")), "the body")
    takes = inspect.signature(operation._get_kwargs)  # noqa: SLF001 - as of the caller's arguments
    names = [name for name in takes.parameters if name != "body"]
    is_declared = any(same_name(name, style.parameter) for name in names)
    if is_declared or style.parameter in style.undeclared:
        return None
    return _complaint(style.parameter, "the parameters", names)


def _undeclared(
    style: PageStyle, place: Place | None, holders: Sequence[Any], where: str
) -> str | None:
    """Why a place is undeclared in all of these classes; None: one of them declares the place, or
    nothing is known of it.
    """
    if not isinstance(place, str) or place in style.undeclared or not holders:
        return None
    if types_at(holders, place) != []:
        return None
    known: dict[str, None] = {}
    for holder in holders:
        known |= dict.fromkeys(fields_of_model(holder))
    return _complaint(place, where, [*known])


def _complaint(name: str, where: str, known: Sequence[str]) -> str:
    known_names = f" ({', '.join(known)})" if known else ""
    return (
        f"the document declares no {name!r} in {where}{known_names}. Write a name that it has, or "
        f"undeclared=({name!r},) if the provider has this one all the same"
    )
