"""Hypothesis strategies: valid values of a schema, and the same with something odd done to them."""

import copy
import datetime
import re
from decimal import Decimal

from hypothesis import strategies as st

from victor_spec.tree import SCHEMAS

from .schemas import Maker, Node, Schemas, bare

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
ODD = st.tuples(SECONDS, st.sampled_from(ODD_ENDS)).map("".join) | st.uuids().map(
    lambda each: str(each).upper()
)
"""Texts that are of a format, and are not written again as they are; or are of none."""


class Values:
    """Strategies over the schemas of one document as it was written."""

    def __init__(self, document):
        self._schemas = Schemas(document)
        self.names = set(document["components"]["schemas"])

    def valid(self, name):
        """Values of a named schema, of each of its alternatives."""
        node = Node({"$ref": f"{SCHEMAS}{name}"}, name)

        def made(random, number):
            return bare(Maker(self._schemas, random).of(node, number))

        return st.builds(made, st.randoms(use_true_random=False), st.integers(0, 7))


@st.composite
def mutated(draw, valid):
    """An object that was valid before something was replaced, taken out, nulled or put in."""
    value = copy.deepcopy(draw(valid))
    for _ in range(draw(st.integers(1, 4))):
        value = _mutate(draw, value)
    return value if isinstance(value, dict) else {"value": value}


def _mutate(draw, value):
    """The value with one change somewhere in it."""
    if isinstance(value, dict | list) and value and draw(st.integers(0, 4)):
        keys = sorted(value) if isinstance(value, dict) else range(len(value))
        key = draw(st.sampled_from(keys))
        if draw(st.integers(0, 5)):
            value[key] = _mutate(draw, value[key])
        else:
            del value[key]
        return value
    if isinstance(value, str) and draw(st.booleans()):
        odd = [value.upper(), value.lower(), value.title(), value + "?"]
        return draw(st.sampled_from(odd) | ODD)
    return draw(ANY_JSON)


TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}t[0-9:]{8})(?:\.([0-9]*?)0*)?(z|[+-][0-9]{2}:[0-9]{2})"
)


def gist(value):
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
    if isinstance(value, float):
        # the digits decide: 1e23 is a one with 23 zeros, its float is not
        digits = repr(value)  # not a number is not equal to itself
        return int(Decimal(digits)) if value.is_integer() else digits
    return ("flag", value) if isinstance(value, bool) else value
