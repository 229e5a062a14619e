"""Hypothesis strategies: valid values of a schema, and the same with something odd done to them."""

import copy
import datetime
import re
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from .schemas import Schemas, Shape

Tree = dict[str, Any]

MOST_LEVELS = 3
"""Of objects and lists within each other; the next one is empty."""

WORDS = st.text(max_size=12)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | WORDS
    | st.sampled_from(["", "\ud800", "2026-03-04", "2026-W01-1", "PENDING", 10**400, -0.0, 3.0])
)
ANY_JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
SECONDS = st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31)).map(  # noqa: DTZ001 - its text
    lambda moment: moment.isoformat(timespec="seconds")
)
INSTANTS = st.tuples(
    SECONDS, st.sampled_from(["Z", ".120Z", ".123456Z", ".1234567Z", ".000000001-23:59"])
)
ODD_ENDS = [
    "z",
    ".1Z",
    ".1200+00:00",
    ".12345670-00:00",
    ".0000000000Z",
    ".1234567891z",
    ".5+05:30",
    "+2400",
    "",
]
TEXTS = {
    "date": st.dates().map(str),
    "date-time": INSTANTS.map("".join),
    "uuid": st.uuids().map(str),
    "odd": st.tuples(SECONDS, st.sampled_from(ODD_ENDS)).map("".join)
    | st.uuids().map(lambda each: str(each).upper()),
}
"""By format, the texts that are written again as they are; the odd ones are not, or are of no
format.
"""
SCALARS = {
    "integer": st.integers(),
    "number": st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "null": st.none(),
}


class Values:
    """Strategies over the schemas of one document as it was written."""

    def __init__(self, document: Tree) -> None:
        self._schemas = Schemas(document)
        self.names = set(document["components"]["schemas"])

    def schema(self, name: str) -> Tree:
        """A named schema."""
        return {"$ref": f"#/components/schemas/{name}"}

    def valid(self, schema: Tree, depth: int = 0) -> st.SearchStrategy[Any]:
        """Values of a schema, of each of its alternatives."""
        return st.one_of([self._of_shape(each, depth) for each in self._schemas.shapes(schema)])

    def _of_shape(self, shape: Shape, depth: int) -> st.SearchStrategy[Any]:
        if shape.enum:
            return st.sampled_from(shape.enum)
        if shape.only_null:
            return st.none()
        kinds = shape.types or (["object"] if shape.properties else [""])
        return st.one_of([self._of_kind(kind, shape, depth) for kind in kinds])

    def _of_kind(self, kind: str, shape: Shape, depth: int) -> st.SearchStrategy[Any]:
        if kind == "object":
            return self._object(shape, depth)
        if kind == "array":
            return self._list(shape, depth)
        if kind == "string":
            return TEXTS.get(shape.format, WORDS)
        return SCALARS.get(kind, st.integers() | WORDS)

    def _list(self, shape: Shape, depth: int) -> st.SearchStrategy[Any]:
        if depth > MOST_LEVELS:
            return st.just([])
        items = st.integers() | WORDS if shape.items is None else self.valid(shape.items, depth + 1)
        return st.lists(items, max_size=3)

    def _object(self, shape: Shape, depth: int) -> st.SearchStrategy[Any]:
        if depth > MOST_LEVELS:
            return st.just({})
        values = ANY_JSON
        if shape.additional is not None:
            values = self.valid(shape.additional, depth + 1)
        extra = st.dictionaries(WORDS.map("x-{}".format), values, max_size=1)
        declared = {
            name: self.valid(self._schemas.whole(parts), depth + 1)
            for name, parts in shape.properties.items()
        }
        fields = st.fixed_dictionaries({}, optional=declared)
        return st.tuples(fields, extra).map(lambda both: both[0] | both[1])


@st.composite
def mutated(draw: st.DrawFn, valid: st.SearchStrategy[Any]) -> Any:
    """An object that was valid before something was replaced, taken out, nulled or put in."""
    value = copy.deepcopy(draw(valid))
    for _ in range(draw(st.integers(1, 4))):
        value = _mutate(draw, value)
    return value if isinstance(value, dict) else {"value": value}


def _mutate(draw: st.DrawFn, value: Any, depth: int = 0) -> Any:
    """The value with one change somewhere in it."""
    if isinstance(value, dict) and value and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(sorted(value)))
        if draw(st.integers(0, 5)) == 0:
            return {name: child for name, child in value.items() if name != key}
        return {**value, key: _mutate(draw, value[key], depth + 1)}
    if isinstance(value, list) and value and draw(st.integers(0, 4)):
        number = draw(st.integers(0, len(value) - 1))
        return [
            _mutate(draw, each, depth + 1) if n == number else each for n, each in enumerate(value)
        ]
    if isinstance(value, str) and draw(st.booleans()):
        return draw(
            st.sampled_from([value.upper(), value.lower(), value.title(), value + "?"])
            | TEXTS["odd"]
        )
    return draw(ANY_JSON)


TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}t[0-9:]{8})(?:\.([0-9]*?)0*)?(z|[+-][0-9]{2}:[0-9]{2})"
)


def gist(value: Any) -> Any:
    """What must survive a round trip: all but the case of letters, and how numbers and times are
    written.
    """
    if isinstance(value, dict):
        return {name: gist(child) for name, child in value.items()}
    if isinstance(value, list):
        return [gist(child) for child in value]
    if isinstance(value, str):
        time = TIME.fullmatch(folded := value.casefold())
        return (
            (time[1], time[2] or "", time[3].replace("-00:00", "z").replace("+00:00", "z"))
            if time
            else folded
        )
    if isinstance(value, float) and value.is_integer():
        # the digits decide: 1e23 is a one with 23 zeros, its float is not
        return int(Decimal(repr(value)))
    if isinstance(value, float):
        return repr(value)  # not a number is not equal to itself
    return ("flag", value) if isinstance(value, bool) else value
