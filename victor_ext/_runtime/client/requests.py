"""What a call sends, once its arguments are checked.

In this order: bodies and the request objects in them; then `extra_body` and `extra_query`, members
and filters that this package does not know yet, by their names on the wire. What this package sends
itself is not replaced, in any spelling of its name: what was checked is sent. `Extras` adds both to
the calls of a client.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from types import FunctionType, MappingProxyType, ModuleType
from typing import Any, ClassVar, TypeGuard, TypeVar, cast
from urllib.parse import quote

from victor_ext._privacy import HIDDEN, concealed, concealed_account, is_sequence, kind_of, one_line
from victor_ext._runtime.core.json_values import is_mapping, is_object
from victor_ext._runtime.core.validation import Validation, is_encodable
from victor_ext._runtime.loop.evidence import fields_of
from victor_ext._values.ids import HALF_CHARACTER
from victor_ext._values.opaque import FrozenStruct
from victor_ext.errors import ConfigurationError, InvalidRequest, Problem


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
    """

    __slots__ = ("check",)

    body: Body

    def __init__(
        self,
        operation: ModuleType,
        check: Validation,
        path: dict[str, Any],
        body: Body,
        by_hand: Mapping[str, Any],
    ) -> None:
        super().__init__(operation, path, body, by_hand)
        self.check = check

    def arguments(self) -> dict[str, Any]:
        """The arguments of the generated function. Raises `InvalidRequest` with all problems."""
        self.check.finish()
        return super().arguments()


ExtraBody = Mapping[str, Any]
"""Members of a JSON body by their names on the wire.

An object that is sent in any case gets more members.
"""

ExtraQuery = Mapping[str, Any]
"""Filters by their names on the wire; a list sends its name once for each item, None sends nothing.
"""

_FORM = "application/x-www-form-urlencoded"
_MOST_LEVELS = 64
_MOST_DIGITS = 300  # of a number: about as many as a JSON reader with floats can read at all

M = TypeVar("M")


def with_extra_body(
    body: M,
    extra: ExtraBody | None,
    own_places: Mapping[str, str] | None = None,
    *,
    declared: type[Any] | None = None,
    doing: str = "",
) -> M:
    """The body of a call with the caller's own members: a generated model, or a `Body` in place of
    the model `declared`.

    `own_places` are the places that the caller cannot set (see `extra_body_problems`); None: those
    that are set in `body`, and those that the document declares, which have arguments. Raises
    `InvalidRequest`, whose message begins with `doing`.
    """
    if extra is None:
        return body
    model: Any = body
    known = model.to_dict()
    if own_places is None:
        places = _places_declared(type(body) if declared is None else declared)
        own_places = dict.fromkeys([*_places_set(known), *places], "")
    problems = extra_body_problems(extra, own_places)
    if problems:
        raise InvalidRequest.of(problems, doing=doing)
    merged: M = model.from_dict(_merge(known, extra))
    return merged


def extra_body_problems(extra: object, own_places: Mapping[str, str]) -> list[Problem]:
    """What is wrong with an `extra_body`; with None, nothing. No message shows a value.

    `own_places` has each place that this package sends itself, such as `payment_details.amount`,
    with the name of the argument for it (empty: not known).
    """
    if not is_mapping(extra):
        return _mapping_problems("extra_body", extra, "JSON values")
    arguments = {_path_of(place): argument for place, argument in own_places.items()}
    return list(_member_problems(extra, "extra_body", (), arguments))


def _mapping_problems(name: str, extra: object, values: str) -> list[Problem]:
    """What is wrong with an argument that is no mapping; with None, nothing. `values` says what the
    values of a mapping would be.
    """
    if extra is None:
        return []
    message = f"{name} must be a dict of names on the wire and {values}, not {kind_of(extra)}."
    return [Problem(name, "type", message)]


def _member_problems(
    extra: Mapping[Any, Any],
    field: str,
    path: tuple[str, ...],
    arguments: Mapping[tuple[str, ...], str],
) -> Iterator[Problem]:
    """What is wrong with the members of an object, which stands at `path` in the body and is called
    `field` in messages. `arguments` are those of the places that this package sends itself.
    """
    for name, value in extra.items():
        if not _is_name(name):
            yield Problem(
                field, "name", f"{field} has a name that is not a text: write the name on the wire."
            )
            continue
        place = f"{field}.{one_line(name)}"
        inner = (*path, *_path_of(name))
        is_ours = any(ours[: len(inner)] == inner for ours in arguments)
        has_free_members = inner not in arguments and is_mapping(value)
        if is_ours and has_free_members:
            yield from _member_problems(value, place, inner, arguments)
        elif is_ours:
            use = f": use the argument {arguments[inner]}" if arguments.get(inner) else ""
            yield Problem(place, "duplicate", f"{place} is set already by this method{use}.")
        else:
            yield from _type_problems(place, _complaint(value))


def _type_problems(place: str, *complaints: str | None) -> Iterator[Problem]:
    """A problem for each complaint about the value at a place; None is no complaint."""
    for complaint in complaints:
        if complaint is not None:
            yield Problem(place, "type", f"{place} {complaint}.")


def _complaint(value: object, levels: int = _MOST_LEVELS) -> str | None:
    """Why a value, of so many levels at most, cannot be sent as JSON; or None."""
    if is_mapping(value) and levels:
        if not all(map(_is_name, value)):
            return "has a name that is not a text"
        return _first_complaint(value.values(), levels - 1)
    if is_sequence(value) and levels:
        return _first_complaint(value, levels - 1)
    return _scalar_complaint(value)


def _first_complaint(values: Iterable[object], levels: int) -> str | None:
    """The complaint about the first value that cannot be sent, or None."""
    complaints = (_complaint(value, levels) for value in values)
    return next(filter(None, complaints), None)


def _scalar_complaint(value: object) -> str | None:
    """Why a value that is no list or object cannot be sent, or None."""
    if isinstance(value, float):
        return (
            "is a float, which does not hold every amount: write Decimal('44.23'), or the text "
            "that the wire wants"
        )
    if isinstance(value, int | Decimal):
        number = Decimal(value)
        if number.is_finite() and abs(number.adjusted()) <= _MOST_DIGITS:
            return None
        return "is a number that few readers of JSON can read: write it as text"
    if isinstance(value, str):
        return None if is_encodable(value) else HALF_CHARACTER
    if value is None:
        return None
    return (
        f"is {kind_of(value)}, which cannot be sent here: write text, int, Decimal, True, "
        "False or None"
    )


def _json(value: Any) -> Any:
    """A copy of a checked value, in dicts and lists. The caller cannot change it any more, and the
    generated package writes each digit of its numbers.
    """
    if is_mapping(value):
        return {name: _json(member) for name, member in value.items()}
    if is_sequence(value):
        return [_json(item) for item in value]
    return value


def _merge(known: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """The members of both, also those within an object that both have: under the name that `known`
    has for it, whatever its spelling in `extra`.
    """
    merged = dict(known)
    known_names = {folded_name(name): name for name in known}
    for name, value in extra.items():
        known_name = known_names.get(folded_name(name), name)
        member = merged.get(known_name)
        if is_object(member) and known_name in known:
            merged[known_name] = _merge(member, value)
        else:
            merged[known_name] = _json(value)
    return merged


def _places_set(known: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The places of all values in a body: `payment_details.amount`."""
    for name, value in known.items():
        if is_object(value) and value:
            yield from _places_set(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _places_declared(kind: type[Any], prefix: str = "") -> Iterator[str]:
    """The places of all members that a generated model declares, by the names of its fields."""
    for field in fields_of(kind):
        inner = _model_in(field.type, kind.__module__)
        if inner is not None:
            yield from _places_declared(inner, f"{prefix}{field.name}.")
        elif field.init:  # not `additional_properties`
            yield f"{prefix}{field.name}"


def _model_in(annotation: object, module: str) -> type[Any] | None:
    """The generated model in an annotation such as `None | Payer | Unset` of a generated module;
    None without a model.
    """
    names = vars(sys.modules[module])
    models = names.get("_models")  # those of an operation, which are imported late
    for part in str(annotation).split(" | "):
        kind = names.get(part) or getattr(models, part, None)
        if isinstance(kind, type) and fields_of(kind):
            return kind
    return None


def extra_query_problems(extra: object, argument_names: Collection[str]) -> list[Problem]:
    """What is wrong with an `extra_query`; with None, nothing. `argument_names` are the names of
    the arguments that the operation has for its filters.
    """
    if not is_mapping(extra):
        return _mapping_problems("extra_query", extra, "values")
    arguments = {folded_name(name): name.rstrip("_") for name in argument_names}
    problems: list[Problem] = []
    for name, value in extra.items():
        if not _is_name(name):
            message = "extra_query has a name that is not a text: write the name on the wire."
            problems.append(Problem("extra_query", "name", message))
            continue
        place = f"extra_query.{one_line(name)}"
        argument = arguments.get(folded_name(name))
        if argument is not None:
            message = f"{place} is known to this method: use its argument {argument}."
            problems.append(Problem(place, "duplicate", message))
        problems += _type_problems(place, *map(_scalar_complaint, _items_of(value)))
    return problems


def _items_of(value: Any) -> Sequence[Any]:
    """The items of a list; any other value is the only item."""
    return value if is_sequence(value) else [value]


def extra_query_text(operation: ModuleType, extra: ExtraQuery | None) -> str:
    """The caller's own filters for an operation, as the text of a query; empty for None.

    Raises `InvalidRequest`.
    """
    if extra is None:
        return ""
    arguments = builder_of(operation).__annotations__.keys() - {"body", "return"}
    problems = extra_query_problems(extra, arguments)
    if problems:
        raise InvalidRequest.of(problems)
    pairs = [(name, item) for name, value in extra.items() for item in _items_of(value)]
    return "&".join(
        f"{quote(name, safe='')}={quote(_text(item), safe='')}"
        for name, item in pairs
        if item is not None
    )


class Extras(FrozenStruct, frozen=True):
    """What `with_options` adds to each call: members to the bodies of writes, filters to each
    GET.
    """

    body: ExtraBody | None = None
    query: ExtraQuery | None = None

    __repr__ = object.__repr__

    def __post_init__(self) -> None:
        problems = [*extra_body_problems(self.body, {}), *extra_query_problems(self.query, ())]
        if problems:
            raise ConfigurationError.of(problems)

    def arguments(
        self,
        operation: ModuleType,
        arguments: dict[str, Any],
        own_places: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The arguments of a generated operation, with `body` added to its body. `own_places` are
        those of `with_extra_body`.

        Raises `InvalidRequest`.
        """
        if self.body is None or operation.OPERATION.method == "GET":
            return arguments
        body = arguments.get("body")
        build = builder_of(operation)
        kind = _model_in(build.__annotations__.get("body"), build.__module__)
        if body is None and kind is not None:
            body = kind.from_dict({})
        if not hasattr(body, "to_dict"):
            name = operation.OPERATION.name
            message = f"extra_body: {name} sends no JSON object: make this call without extra_body."
            raise InvalidRequest.of([Problem("extra_body", "combination", message)])
        with_extra = with_extra_body(body, self.body, own_places, declared=kind)
        extended = {**arguments, "body": with_extra}
        try:
            _check_form(build(**extended)["headers"], self.body)
        except ValueError as error:
            message = f"extra_body: {one_line(error)}"
            raise InvalidRequest.of([Problem("extra_body", "type", message)]) from None
        return extended


NO_EXTRAS = Extras()


def _check_form(headers: Mapping[str, str], extra: ExtraBody) -> None:
    """Raise `ValueError` if the body is a form, and an extra member is an object or a list of them:
    how a form has an object, a document says of the members that it declares, and of no others.
    """
    if not headers.get("Content-Type", "").startswith(_FORM):
        return
    for name, value in extra.items():
        for item in _items_of(value):
            if is_mapping(item) or is_sequence(item):
                raise ValueError(
                    f"{name}: the document does not say how an object is written in a form."
                )


def builder_of(operation: ModuleType) -> FunctionType:
    """The function of a generated operation that writes what httpx builds the request from. It has
    all arguments.
    """
    build: FunctionType = vars(operation)["_get_kwargs"]
    return build


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


def _path_of(name: str) -> tuple[str, ...]:
    """The parts of a name, folded. A form has no objects: its names, such as `card.number`, say
    where a value belongs.
    """
    return tuple(folded_name(name).split("."))


def _is_name(name: object) -> TypeGuard[str]:
    """Whether a value can be a name on the wire: text that UTF-8 has bytes for, and not empty."""
    return isinstance(name, str) and bool(name) and is_encodable(name)
