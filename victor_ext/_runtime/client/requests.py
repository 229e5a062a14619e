"""What a call sends, once its arguments are checked.

In this order: bodies and the request objects in them; calls; then `extra_body` and `extra_query`,
members and filters that this package does not know yet, by their names on the wire. Nothing that a
call sends is replaced by them, and no argument is set, in any spelling of its name; all others are
sent as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from types import MappingProxyType, ModuleType
from typing import Any, ClassVar, cast
from urllib.parse import quote

from victor_ext._privacy import HIDDEN, concealed, concealed_account, is_sequence, one_line
from victor_ext._runtime.core.json_values import is_mapping, is_object
from victor_ext._runtime.core.validation import Validation
from victor_ext.errors import InvalidRequest, Problem


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
        by_hand: The arguments that code by hand checks and sends, by name.
    """

    __slots__ = ("body", "by_hand", "operation", "path")

    def __init__(
        self,
        operation: ModuleType,
        path: dict[str, Any],
        body: Any = None,
        by_hand: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.operation = operation
        self.path = path
        self.body = body
        self.by_hand = Body(by_hand)

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
        places: Where arguments stand in the body, by their names: `payment_details.amount`.
    """

    __slots__ = ("check", "places")

    body: Body

    def __init__(
        self,
        operation: ModuleType,
        check: Validation,
        path: dict[str, Any],
        body: Body,
        by_hand: Mapping[str, Any],
        places: Mapping[str, str],
    ) -> None:
        super().__init__(operation, path, body, by_hand)
        self.check = check
        self.places = places

    def arguments(self) -> dict[str, Any]:
        """The arguments of the generated function. The body has the members of an `extra_body`.

        Raises `InvalidRequest` with all problems.
        """
        extra: object = self.by_hand.get("extra_body")
        if extra is not None:
            add_extra(self.check, "extra_body", extra, self.body, self.places)
        self.check.finish()
        return super().arguments()


ExtraBody = Mapping[str, Any]
"""Members of a JSON body by their names on the wire.

An object that is sent in any case gets more members.
"""

ExtraQuery = Mapping[str, Any]
"""Filters by their names on the wire; a list sends its name once for each item, None sends nothing.
"""

_MOST_LEVELS = 64


def add_extra(
    check: Validation,
    name: str,
    extra: object,
    sent: dict[str, Any],
    places: Mapping[str, str],
) -> None:
    """Add the caller's members or filters to what is sent. What cannot be sent, is sent already, or
    is set by an argument, is noted; no message shows a value.

    `name` is that of the caller's argument, and `places` has those of the other arguments in `sent`
    by their names: `payment_details.amount`.
    """
    if not is_mapping(extra):
        check.note(name, "type", f"{name} must be a dict of names on the wire and their values.")
        return
    arguments = {folded_name(place): argument for argument, place in places.items()}
    try:
        values: dict[str, Any] = _exact_json(name, extra, _MOST_LEVELS)
    except InvalidRequest as error:
        check.problems += error.problems
    else:
        _add_members(check, f"{name}.", values, sent, arguments)


def _exact_json(place: str, value: object, levels: int) -> Any:
    """A copy of JSON, with so many levels at most. Raises `InvalidRequest` for any other value, and
    for a float, which does not hold every amount.
    """
    if is_mapping(value) and levels and all(isinstance(name, str) for name in value):
        return {
            name: _exact_json(f"{place}.{one_line(name)}", member, levels - 1)
            for name, member in value.items()
        }
    if is_sequence(value) and levels:
        return [_exact_json(place, item, levels - 1) for item in value]
    if value is None or isinstance(value, str | int | Decimal):
        return value
    message = (
        f"{place} cannot be sent: write text, int, Decimal('44.23') in place of a float, True, "
        "False, None, or lists and dicts of these."
    )
    raise InvalidRequest.of([Problem(place, "type", message)])


def _add_members(
    check: Validation,
    prefix: str,
    extra: Mapping[str, Any],
    sent: dict[str, Any],
    arguments: Mapping[str, str],
    within: str = "",
) -> None:
    """Add members to an object that is sent, and to the objects in it.

    `arguments` are the names of arguments by their folded places, `within` is the place of this
    object, such as `payee.`, and `prefix` stands before a place in messages.
    """
    names = {folded_name(name): name for name in sent}
    for name, value in extra.items():
        place = within + name
        own_name = names.get(folded_name(name), name)
        argument = arguments.get(folded_name(place))
        is_set = own_name in sent or argument is not None
        if is_object(value) and (is_object(sent.get(own_name)) or not is_set):
            inner = sent.setdefault(own_name, {})
            _add_members(check, prefix, value, inner, arguments, f"{place}.")
        elif is_set:
            field = prefix + one_line(place)
            sender = "itself" if argument is None else f"as {argument}"
            message = f"{field} is what this method sends {sender}: leave it out here."
            check.note(field, "duplicate", message)
        else:
            sent[name] = value


def with_query(url: str, extra: ExtraQuery) -> str:
    """A URL with the caller's filters, too. Raises `ValueError` for an object, which has no form
    there.
    """
    pairs: list[str] = []
    for name, value in extra.items():
        for item in value if is_sequence(value) else [value]:
            if is_object(item) or is_sequence(item):
                raise ValueError(f"extra_query.{name} is neither a value nor a list of values")
            if item is not None:
                pairs.append(f"{quote(name, safe='')}={quote(_text(item), safe='')}")
    separator = "&" if "?" in url else "?"
    return url + separator + "&".join(pairs) if pairs else url


def _text(value: object) -> str:
    """A value of a filter as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


_NO_DIFFERENCE = str.maketrans({"_": None, "-": None, " ": None, "[": ".", "]": None})


def folded_name(name: str) -> str:
    """A name in a form for comparisons: a provider may read `dueDate`, `due_date` and `DUE-DATE` as
    the same name, and `a[b]` as `a.b`.
    """
    return name.casefold().translate(_NO_DIFFERENCE).strip(".")
