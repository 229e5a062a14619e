"""The interpreter of the rows in `<system>_api.typed.rows`: arguments are checked, and become what
is sent, as the rows say.

A row is a mapping. These columns say what becomes of a value; all others are limits of its check:

    kind                the method of `Query` that checks it; `text` without this column
    place               where it is sent, if not under its own name: `payee.account_number`
    required            None is refused; without this column it sends nothing
    leaves              an item of the list may stop matching it while the list is read
    compared            a text that a response can repeat
    compared_as         how a response is compared with it
    counts_if_left_out  a response with a value is about another request, if none was sent
    sends               the attributes of `Money` that are sent, by their places
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple

from victor_ext._runtime.client.requests import Body, CheckedCall, Part, Request, add_extra
from victor_ext._runtime.core.validation import Form

from ._checks import ListQuery, Query, Sent

Row = Mapping[str, Any]
Check = Callable[[Query, str, Any], Any]
"""Checks a value by its name in messages, and returns what is sent."""


class _ArgumentStep(NamedTuple):
    """What is done with one argument."""

    name: str
    is_required: bool
    check: Check
    is_compared: bool
    """Whether a response can repeat it."""
    within: str
    """The object in which it is sent; empty: the body itself."""
    wire: str
    """Its name there."""
    sends: Sequence[tuple[str, str, str]]
    """The same two of each attribute of `Money`, and the attribute."""


COLUMNS = frozenset(
    {"kind", "place", "required", "leaves", "compared", "compared_as", "counts_if_left_out"}
    | {"sends"}
)
OF_TEXT = ("longest", "shortest", "form")
NUMBERS = frozenset({"integer", "number", "numbers", "money"})
LEAST, MOST = -(2**63), 2**63 - 1
"""The limits of a number of which the document has none."""


class SentMembers:
    """Arguments that are sent in one object, or in objects in it.

    Of a request object, it makes the JSON object.
    """

    def __init__(self, rows: Mapping[str, Row], objects: Mapping[str, bool], of: Package) -> None:
        """`rows` are those of the arguments, in the order in which they are sent. `objects` has the
        objects in it, each with whether it is sent without members, too.
        """
        self.rows = rows
        self.places = {name: row.get("place", name) for name, row in rows.items()}
        self.leaving = {self.places[name] for name, row in rows.items() if "leaves" in row}
        self._objects = objects
        self._steps = [self._step(name, row, of) for name, row in rows.items()]

    def _step(self, name: str, row: Row, package: Package) -> _ArgumentStep:
        is_required: bool = row.get("required", False)
        is_compared: bool = row.get("compared", False)
        within, wire = _split(row.get("place", name))
        sends = [(*_split(place), member) for place, member in row.get("sends", {}).items()]
        check = package.check_of(row)
        return _ArgumentStep(name, is_required, check, is_compared, within, wire, sends)

    def __call__(self, query: Query, where: str, part: Part) -> Body:
        """What is sent of a request object; `where` stands before the names in messages."""
        return self.sent(query, partial(getattr, part), where)

    def sent(self, query: Query, value_of: Callable[[str], Any], where: str = "") -> Body:
        """What is sent of arguments. Problems are noted."""
        sent = Body()
        objects = {"": sent, **{name: Body() for name in self._objects}}
        values = map(value_of, self.rows)
        for step, value in zip(self._steps, values, strict=True):
            name, is_required, check, is_compared, within, wire, sends = step
            if value is None and not is_required:
                continue
            field = where + name
            checked = check(query, field, value)
            if not sends:
                objects[within][wire] = checked
            elif checked:
                for inner, member, attribute in sends:
                    objects[inner][member] = getattr(value, attribute)
            if is_compared:
                query.comparable(field, value)
        for name, is_required in self._objects.items():
            if is_required or objects[name]:
                sent[name] = objects[name]
        return sent


def _split(place: str) -> tuple[str, str]:
    """The object in which a place is (empty: none), and the name in it."""
    within, _, name = place.rpartition(".")
    return within, name


class _CallRows(NamedTuple):
    """One operation."""

    what: str
    members: SentMembers
    path: SentMembers
    """Beside a body, the parts of the path."""
    ranges: Sequence[tuple[str, str]]
    by_hand: Sequence[str]


class Package:
    """What the rows of one package make of arguments.

    Attributes:
        forms: The forms that texts have as a whole, by their names.
        parts: What makes the JSON objects of request objects, by the names of their schemas.
    """

    def __init__(self, rows: ModuleType, classes: ModuleType | None = None) -> None:
        """`classes` has those of request objects."""
        tables: Mapping[str, Mapping[str, Any]] = vars(rows)
        self._rows = tables["CALLS"]
        self._classes = {
            schema: getattr(classes, row["class"]) for schema, row in tables["PARTS"].items()
        }
        self.forms = {name: Form(*form) for name, form in tables["FORMS"].items()}
        self.parts = {schema: self._members(row) for schema, row in tables["PARTS"].items()}
        self._calls = {name: self._call(row) for name, row in self._rows.items()}

    def _call(self, row: Row) -> _CallRows:
        path = SentMembers(row.get("path", {}), {}, self)
        ranges, by_hand = row.get("ranges", ()), row.get("by_hand", ())
        return _CallRows(row["what"], self._members(row), path, ranges, by_hand)

    def _members(self, row: Row) -> SentMembers:
        rows = row["body"] if "body" in row else row["query"]
        return SentMembers(rows, row.get("objects", {}), self)

    def call(self, operation: ModuleType, /, **given: object) -> CheckedCall:
        """A call without a body. `given` are its arguments; one that is left out is
        None, and is not there if code by hand sends it.

        Raises `InvalidRequest` with all problems.
        """
        call = self._calls[operation.OPERATION.name]
        by_hand = {name: given[name] for name in call.by_hand if name in given}
        path = _query_of(call, given)
        return CheckedCall(operation, path, None, by_hand)

    def list(self, operation: ModuleType, /, **given: object) -> ListQuery:
        """A list that is read in pages. `given` and the errors are those of `call`."""
        call = self._calls[operation.OPERATION.name]
        sent = _query_of(call, given)
        may_be_left = "extra_query" in sent or not call.members.leaving.isdisjoint(sent)
        return ListQuery(operation, call.what, sent, may_be_left=may_be_left)

    def request(self, operation: ModuleType, /, **given: object) -> Request:
        """A call that sends an object. Its `arguments` raise the problems."""
        call = self._calls[operation.OPERATION.name]
        query = Query(f"The {call.what}")
        path = call.path.sent(query, given.get)
        body = call.members.sent(query, given.get)
        by_hand = {name: given[name] for name in call.by_hand if name in given}
        return Request(operation, query, path, body, by_hand, call.members.places)

    def compared(self, name: str) -> dict[str, Sent]:
        """The arguments of a call that are members of its body, by their names."""
        places = self._calls[name].members.places
        return {
            argument: Sent(
                places[argument], row["compared_as"], row.get("counts_if_left_out", False)
            )
            for argument, row in self._rows[name]["body"].items()
        }

    def check_of(self, row: Row) -> Check:
        """The check of a value."""
        kind: str = row.get("kind", "text")
        limits: dict[str, Any] = {name: limit for name, limit in row.items() if name not in COLUMNS}
        if kind in NUMBERS:
            limits = {"least": LEAST, "most": MOST, **limits}
        if "form" in limits:
            # The form says whether a text may be empty.
            limits = {"shortest": 0, **limits, "form": self.forms[limits["form"]]}
        if kind in ("part", "parts"):
            return self._part(kind, limits.pop("part"), limits)
        return _text(**limits) if kind == "text" else _scalar(kind, limits)

    def _part(self, kind: str, schema: str, limits: Mapping[str, Any]) -> Check:
        """The check of a request object, or of a list of them."""

        def check(query: Query, field: str, value: Any) -> Any:
            method: Callable[..., Any] = getattr(query, kind)
            return method(field, value, self._classes[schema], self.parts[schema], **limits)

        return check


def _query_of(call: _CallRows, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of the path and the query that are sent."""
    extra = given.get("extra_query")
    places = call.members.places
    with Query(f"The {call.what}") as query:
        sent = dict(call.members.sent(query, given.get))
        for first, last in call.ranges:
            query.range(first, given.get(first), last, given.get(last))
        if extra is not None:
            filters: dict[str, Any] = {}
            arguments = {name: places[name] for name in places if name in given}
            add_extra(query, "extra_query", extra, filters, arguments)
            if filters:
                sent["extra_query"] = filters
    return sent


def _text(longest: int | None = None, shortest: int = 1, form: Form | None = None) -> Check:
    """The check of a text, without `partial`: it is called most, and would take twice the time."""

    def check(query: Query, field: str, value: Any) -> Any:
        return query.text(field, value, longest, shortest=shortest, form=form)

    return check


def _scalar(kind: str, limits: Mapping[str, Any]) -> Check:
    """The check of another scalar; of one that is sent as a text, with the limits of that text."""
    of_text = {name: limit for name, limit in limits.items() if name in OF_TEXT}
    of_value = {name: limit for name, limit in limits.items() if name not in of_text}
    if kind == "reference":  # its own check measures it
        of_value["longest"] = of_text.pop("longest", None)
    method: Check = getattr(Query, kind)
    check = partial(method, **of_value) if of_value else method
    if not of_text:
        return check

    def checked(query: Query, field: str, value: Any) -> Any:
        return query.written(field, check(query, field, value), **of_text)

    return checked
