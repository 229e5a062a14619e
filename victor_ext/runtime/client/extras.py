"""`extra_body` and `extra_query`: members and filters that this package does not know yet, by their
names on the wire.

What this package sends itself is not replaced, in any spelling: a check that was passed would say
nothing.
"""

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import FunctionType, ModuleType
from typing import Any, TypeGuard, TypeVar
from urllib.parse import quote

import attrs

from victor_ext.errors import ConfigurationError, InvalidRequest, Problem
from victor_ext.ids import HALF_CHARACTER
from victor_ext.privacy import is_sequence, kind_of, one_line
from victor_ext.runtime.core.json_values import is_mapping, is_object
from victor_ext.runtime.core.validation import is_encodable

ExtraBody = Mapping[str, Any]
"""Members of a JSON body by their names on the wire.

An object that is sent in any case gets more members.
"""

ExtraQuery = Mapping[str, Any]
"""Filters by their names on the wire; a list sends its name once for each item, None sends nothing.
"""

_FORM = "application/x-www-form-urlencoded"
_MOST_LEVELS = 64
_MOST_DIGITS = 300  # of a number: about what a JSON reader with floats can read at all

M = TypeVar("M")


def with_extra_body(
    body: M, extra: ExtraBody | None, taken: Mapping[str, str] | None = None, *, doing: str = ""
) -> M:
    """The body of a call, a generated model, with the caller's own members; or `InvalidRequest`.

    `taken` are places that cannot be given (see `extra_body_problems`); None: those that are set in
    `body`, and those that the document declares, which have arguments. `doing` says what was not
    done when it raises.
    """
    if extra is None:
        return body
    model: Any = body
    known = model.to_dict()
    places = (
        dict.fromkeys([*_places(known), *_declared(type(body))], "") if taken is None else taken
    )
    problems = extra_body_problems(extra, places)
    if problems:
        raise InvalidRequest.of(problems, doing=doing)
    made: M = model.from_dict(_merged(known, extra))
    return made


def extra_body_problems(extra: object, taken: Mapping[str, str]) -> list[Problem]:
    """What is wrong with an `extra_body`. No message shows a value.

    `taken` has each place that this package sends itself, such as `payment_details.amount`, with
    the argument for it (an empty text: with no argument whose name is known).
    """
    if not is_mapping(extra):
        return _no_mapping("extra_body", extra, "JSON values")
    arguments = {_path_of(place): argument for place, argument in taken.items()}
    return list(_member_problems(extra, "extra_body", (), arguments))


def _no_mapping(name: str, extra: object, what: str) -> list[Problem]:
    message = f"{name} must be a dict of names on the wire and {what}, not {kind_of(extra)}."
    return [] if extra is None else [Problem(name, "type", message)]


def _member_problems(
    extra: Mapping[Any, Any],
    field: str,
    path: tuple[str, ...],
    arguments: Mapping[tuple[str, ...], str],
) -> Iterator[Problem]:
    for name, value in extra.items():
        if not _is_name(name):
            yield Problem(
                field, "name", f"{field} has a name that is not a text: write the name on the wire."
            )
            continue
        place = f"{field}.{one_line(name)}"
        inner = (*path, *_path_of(name))
        is_ours = any(taken[: len(inner)] == inner for taken in arguments)
        if is_ours and inner not in arguments and is_mapping(value):
            yield from _member_problems(value, place, inner, arguments)
        elif is_ours:
            use = f": use the argument {arguments[inner]}" if arguments.get(inner) else ""
            yield Problem(place, "duplicate", f"{place} is set already by this method{use}.")
        else:
            yield from _type_problems(place, _complaint(value))


def _type_problems(place: str, *complaints: str | None) -> Iterator[Problem]:
    for complaint in complaints:
        if complaint is not None:
            yield Problem(place, "type", f"{place} {complaint}.")


def _complaint(value: object, levels: int = _MOST_LEVELS) -> str | None:
    """Why JSON cannot have a value, or None."""
    if is_mapping(value) and levels:
        if not all(map(_is_name, value)):
            return "has a name that is not a text"
        return _first_complaint(value.values(), levels - 1)
    if is_sequence(value) and levels:
        return _first_complaint(value, levels - 1)
    return _scalar_complaint(value)


def _first_complaint(values: Iterable[object], levels: int) -> str | None:
    complaints = (_complaint(value, levels) for value in values)
    return next(filter(None, complaints), None)


def _scalar_complaint(value: object) -> str | None:
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
    """A checked value as JSON: a copy, which the caller changes no more.

    The generated package writes each digit.
    """
    if is_mapping(value):
        return {name: _json(member) for name, member in value.items()}
    if is_sequence(value):
        return [_json(item) for item in value]
    return value


def _merged(known: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(known)
    spelled = {folded_name(name): name for name in known}
    for name, value in extra.items():
        ours = spelled.get(folded_name(name), name)
        inside = merged.get(ours)
        if is_object(inside) and ours in known:
            merged[ours] = _merged(inside, value)
        else:
            merged[ours] = _json(value)
    return merged


def _places(known: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in known.items():
        if is_object(value) and value:
            yield from _places(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _declared(kind: type[Any], prefix: str = "") -> Iterator[str]:
    """The places of all members that a generated model declares, by the names of its fields."""
    for field in attrs.fields(kind) if attrs.has(kind) else ():
        inner = _model_named(field.type, kind.__module__)
        if inner is not None:
            yield from _declared(inner, f"{prefix}{field.name}.")
        elif field.init:  # not `additional_properties`
            yield f"{prefix}{field.name}"


def _model_named(annotation: object, module: str) -> type[Any] | None:
    """The generated model of an annotation such as `None | Payer | Unset` in a generated module;
    None without one.
    """
    kinds = map(vars(sys.modules[module]).get, str(annotation).split(" | "))
    return next((kind for kind in kinds if isinstance(kind, type) and attrs.has(kind)), None)


def extra_query_problems(extra: object, taken: Collection[str]) -> list[Problem]:
    """What is wrong with an `extra_query`; `taken` are the names of arguments that the operation
    has.
    """
    if not is_mapping(extra):
        return _no_mapping("extra_query", extra, "values")
    arguments = {folded_name(name): name.rstrip("_") for name in taken}
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
    """A list as it is; any other value as the only one."""
    return value if is_sequence(value) else [value]


def extra_query_text(operation: ModuleType, extra: ExtraQuery | None) -> str:
    """The caller's own filters, percent-encoded. Raises `InvalidRequest`."""
    if extra is None:
        return ""
    arguments = _builder_of(operation).__annotations__.keys() - {"body", "return"}
    problems = extra_query_problems(extra, arguments)
    if problems:
        raise InvalidRequest.of(problems)
    pairs = [(name, item) for name, value in extra.items() for item in _items_of(value)]
    return "&".join(_pair_text(name, item) for name, item in pairs if item is not None)


def _pair_text(name: str, value: object) -> str:
    return f"{quote(name, safe='')}={quote(_text(value), safe='')}"


@dataclass(frozen=True, slots=True, repr=False)
class Extras:
    """What `with_options` adds to each call: members to the bodies of writes, filters to each
    GET.
    """

    body: ExtraBody | None = None
    query: ExtraQuery | None = None

    def __post_init__(self) -> None:
        problems = [*extra_body_problems(self.body, {}), *extra_query_problems(self.query, ())]
        if problems:
            raise ConfigurationError.of(problems)

    def arguments(
        self,
        operation: ModuleType,
        arguments: dict[str, Any],
        taken: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The arguments of a generated operation, with the members (see `with_extra_body`)."""
        if self.body is None or operation.OPERATION.method == "GET":
            return arguments
        body = arguments.get("body")
        if body is None:
            build = _builder_of(operation)
            kind = _model_named(build.__annotations__.get("body"), build.__module__)
            body = kind and kind.from_dict({})
        if not hasattr(body, "to_dict"):
            name = operation.OPERATION.name
            message = f"extra_body: {name} sends no JSON object: make this call without extra_body."
            raise InvalidRequest.of([Problem("extra_body", "combination", message)])
        more = {**arguments, "body": with_extra_body(body, self.body, taken)}
        try:
            _check_form(_builder_of(operation)(**more)["headers"], self.body)
        except ValueError as error:
            message = f"extra_body: {one_line(error)}"
            raise InvalidRequest.of([Problem("extra_body", "type", message)]) from None
        return more


NO_EXTRAS = Extras()


def _check_form(headers: Mapping[str, str], extra: ExtraBody) -> None:
    """Raises ValueError for a member of a form that is an object, or has one: JSON is for what a
    document declares.
    """
    if not headers.get("Content-Type", "").startswith(_FORM):
        return
    for name, value in extra.items():
        for item in _items_of(value):
            if is_mapping(item) or is_sequence(item):
                raise ValueError(
                    f"{name}: the document does not say how an object is written in a form."
                )


def _builder_of(operation: ModuleType) -> FunctionType:
    build: FunctionType = vars(operation)["_get_kwargs"]  # which has all arguments
    return build


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


_NO_DIFFERENCE = str.maketrans({"_": None, "-": None, " ": None, "[": ".", "]": None})


def folded_name(name: str) -> str:
    """A name for comparison: a provider may read `dueDate`, `due_date` and `DUE-DATE` as one, and
    `a[b]` as `a.b`.
    """
    return name.casefold().translate(_NO_DIFFERENCE).strip(".")


def _path_of(name: str) -> tuple[str, ...]:
    """The parts of a name.

    A form has no objects, and names such as `card.number` in place of them.
    """
    return tuple(folded_name(name).split("."))


def _is_name(name: object) -> TypeGuard[str]:
    return isinstance(name, str) and bool(name) and is_encodable(name)
