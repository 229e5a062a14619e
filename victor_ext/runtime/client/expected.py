"""What a generated operation returned, as the one class that its caller expects."""

from __future__ import annotations

from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin

from victor_ext.errors import Outcome, UnreadableResponse

T = TypeVar("T")


def expect(kind: type[T], result: object) -> T:
    """The result of a generated operation, for type checkers too: `expect(Payment, take_payment.sync(...))`.

    The type of a generated operation is the union of all that the document declares, errors included, and None. Over a
    client of this package an error status is raised, so the class of the good response is what is left.

    Args:
        kind: The class of the good response, or a list of one: `list[Balance]`. Where the document has several good
            responses, tell them apart by `isinstance` instead.
        result: What the operation returned.

    Returns:
        The same object.

    Raises:
        UnreadableResponse: It is of another class. The call was accepted: do not repeat it.
    """
    if not is_instance(result, kind):
        raise UnreadableResponse(
            f"The call was accepted, and returned {_described(result)}, not {type_name(kind)}.",
            outcome=Outcome.ACCEPTED,
            hint="Do not repeat it: "
            + (
                "look it up at the provider."
                if result is None
                else "expect that class, or tell them apart by isinstance."
            ),
        )
    return cast("T", result)


def is_instance(value: object, kind: Any) -> bool:
    """Whether a value is of a class; for `list[Card]`, whether it is a list of cards."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return any(is_instance(value, each) for each in arguments)
    if kind is Any or not isinstance(value, origin or kind):
        return kind is Any
    return origin is not list or all(is_instance(each, arguments[0]) for each in cast("list[object]", value))


def type_name(kind: Any) -> str:
    """The name of a class for messages."""
    return str(kind) if get_args(kind) else str(getattr(kind, "__name__", kind))


def _described(result: object) -> str:
    return "nothing" if result is None else type(result).__name__


__all__ = ("expect",)
