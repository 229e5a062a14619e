"""What the request objects of before were declared with: the fixtures `queries_before` and
`requests_before` use it.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple, TypeVar, cast

from victor_ext.privacy import kind_of
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


class RequestObjects(Validation):
    """The check of a request object within a request, as it was."""

    def request(
        self, field: str, value: Any, kind: type[Any], *, required: bool = True, **context: Any
    ) -> None:
        """A part of the request, which is a request object of this `kind`. What the rules of its
        fields cannot say, its method `check` notes, if it has one.
        """
        if isinstance(value, kind):
            self.checked(value, f"{field}.")
            if hasattr(value, "check"):
                value.check(self, field, **context)
        elif value is not None or required:
            self.note(field, "type", f"{field} must be {kind.__name__}(...), not {kind_of(value)}.")
