"""What a call sends, once its arguments are checked: bodies, and the request objects in them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from types import ModuleType
from typing import Any, ClassVar, cast

from victor_ext.privacy import HIDDEN, concealed, concealed_account
from victor_ext.runtime.core.validation import Validation


class Body(dict[str, Any]):
    """A JSON object that is sent, in place of its generated model. Its repr shows no value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({HIDDEN})"

    def to_dict(self) -> dict[str, Any]:
        """The object itself, as a generated model has it."""
        return self

    @classmethod
    def from_dict(cls, json: dict[str, Any]) -> Body:
        return cls(json)


class Part:
    """A request object: a dataclass with the members of a JSON object that callers make.

    Its repr shows the fields in `_shown` alone.
    """

    __slots__ = ()

    _shown: ClassVar[tuple[str, ...]] = ()
    _account_numbers: ClassVar[tuple[str, ...]] = ()
    """The fields with numbers of accounts or persons: what is passed as another type by mistake is
    hidden, too.
    """

    def __post_init__(self) -> None:
        for member in fields(cast("Any", self)):
            name = member.name
            if name in self._shown:
                continue
            conceal = concealed_account if name in self._account_numbers else concealed
            object.__setattr__(self, name, conceal(getattr(self, name)))

    def check(self, check: Validation, place: str) -> None:
        """Note what no rule of one field says. `place` is the name of the object in messages."""

    def __repr__(self) -> str:
        name = type(self).__name__
        shown = ", ".join(f"{field}={getattr(self, field)!r}" for field in self._shown)
        return f"{name}({shown or HIDDEN})"


class CheckedCall:
    """A call of a generated operation, with checked arguments.

    Attributes:
        operation: The module of the generated operation.
        path: The parts of the path and the query, by the names of the generated function.
        body: What is sent. None: nothing.
        untyped: What the document declares and no argument sends, because no check knows its type:
            places in the body, or arguments of the generated function.
    """

    __slots__ = ("body", "operation", "path", "untyped")

    def __init__(
        self,
        operation: ModuleType,
        path: dict[str, Any],
        body: Any = None,
        *,
        untyped: Collection[str] = (),
    ) -> None:
        self.operation = operation
        self.path = path
        self.body = body
        self.untyped = untyped

    def __repr__(self) -> str:
        return f"{type(self).__name__}({HIDDEN})"

    def arguments(self) -> dict[str, Any]:
        """The arguments of the generated function."""
        return self.path if self.body is None else {**self.path, "body": self.body}


class Request(CheckedCall):
    """A call that sends an object; `arguments` raises what is wrong with it.

    Attributes:
        check: The problems so far. Code by hand adds its own.
        body: What is sent. What has a problem is no value to use.
        by_hand: The arguments that code by hand checks and sends, by name.
    """

    __slots__ = ("by_hand", "check")

    body: Body

    def __init__(
        self,
        operation: ModuleType,
        check: Validation,
        body: Body,
        path: dict[str, Any] | None = None,
        by_hand: dict[str, Any] | None = None,
        *,
        untyped: Collection[str] = (),
    ) -> None:
        super().__init__(operation, path or {}, body, untyped=untyped)
        self.check = check
        self.by_hand = Body(by_hand or {})

    def arguments(self) -> dict[str, Any]:
        """The arguments of the generated function. Raises `InvalidRequest` with all problems."""
        self.check.finish()
        return super().arguments()
