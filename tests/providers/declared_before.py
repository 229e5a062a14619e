"""What the request objects of before were declared with: the fixtures `queries_before` and
`requests_before` use it.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple, TypeVar, cast

from victor_ext.runtime.core.validation import Validation, declared

T = TypeVar("T")


class Sent(NamedTuple):
    """In an annotation: the name of the argument in the generated layer, if it is another one."""

    name: str


class After(NamedTuple):
    """In an annotation of an argument that ends a range: the name of the one that begins it."""

    first: str


@cache
def sent_names(kind: Any) -> Mapping[str, str]:
    """The names in the generated layer of those fields of a request object that have another name
    there.
    """
    return {name: sent.name for name, sent in declared(kind, Sent).items()}


def plainly_signed(kind: type[T]) -> type[T]:
    """Leave a dataclass as it is: its signature is compared with nothing."""
    return kind


def checked(validation: Validation, request: Any) -> dict[str, Any]:
    """What is sent of a request object, whose ranges are checked, too."""
    sent = validation.checked(request)
    for last, (first,) in declared(cast("Any", type(request)), After).items():
        validation.range(first, getattr(request, first), last, getattr(request, last))
    return sent
