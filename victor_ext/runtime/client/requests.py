"""Request objects: the arguments of an operation, declared once as the fields of a frozen dataclass.

@dataclass(frozen=True, kw_only=True)
class CreateRequest:
    amount: Money
    memo: str | None = None

class Payments(Resource[Mode]):
    @operation
    @arguments_of(CreateRequest)
    def create(self, request: CreateRequest) -> OperationFlow[Payment]:
        ...

client.payments.create(amount=..., memo=...)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
RequestT = TypeVar("RequestT")
T = TypeVar("T")


def arguments_of(
    request: Callable[P, RequestT],
) -> Callable[[Callable[[Any, RequestT], T]], Callable[Concatenate[Any, P], T]]:
    """Give a method the arguments of a request object; the method itself receives the object.

    Type checkers and `inspect.signature` see the arguments.
    """

    def decorate(method: Callable[[Any, RequestT], T]) -> Callable[Concatenate[Any, P], T]:
        def call(resource: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
            try:
                made = request(*args, **kwargs)
            except TypeError as error:
                # A missing or unknown argument is one of the method, not of a constructor that the caller never saw.
                raise TypeError(str(error).replace(constructor, f"{method.__qualname__}()")) from None
            return method(resource, made)

        constructor = f"{getattr(request, '__qualname__', '')}.__init__()"
        own, arguments = inspect.signature(method), inspect.signature(request)
        resource = next(iter(own.parameters.values()))
        signature = own.replace(parameters=[resource, *arguments.parameters.values()])
        update_wrapper(call, method).__signature__ = signature  # type: ignore[attr-defined]
        return call

    return decorate


def members_of(request: Any, *left_out: str, **renamed: str) -> dict[str, Any]:
    """The arguments of a generated model: the fields of a request object that are not None.

    Args:
        request: An instance of a dataclass.
        left_out: Fields that the model lacks, or has in another form.
        renamed: The model's names of fields, where they differ.
    """
    given = {each.name: getattr(request, each.name) for each in fields(request) if each.name not in left_out}
    return {renamed.get(name, name): value for name, value in given.items() if value is not None}
