"""Probes that only read. Those that need items of the list are run once more after the creates.

Of other systems, and of the APIs of `connect`, every read of their table of operations is sent
once, and nothing else.
"""

import math
from collections.abc import Iterable, Iterator
from contextlib import suppress
from email.utils import parsedate_to_datetime
from functools import partial
from itertools import pairwise
from typing import Any

from victor_ext import Status
from victor_ext.privacy import is_object, is_sequence

from .assumptions import Probe, probe
from .exchanges import Answer, Unmeasured, edge, member, moment, word
from .run import Run

_LARGE = 1000
_TOLERATED = 2.0
_FEWEST = 4  # calls after another one that show whether a connection is kept
_FAR = 1_000_000
_UNKNOWN_ID = "NOSUCHID00"


_refused_token = probe("refused-token")(lambda run: run.read(token="").status)
_unknown_id = probe("unknown-id")(lambda run: run.read(f"/{_UNKNOWN_ID}").status)
_unknown_filter = probe("unknown-filter")(
    lambda run: "ignore" if run.read("", ("conform_unknown", "1")).is_good else "refuse"
)


@probe("token-limit")
def _token_limit(run: Run) -> int:
    for life in (3600, 300):
        if run.read(token=run.token(-5, life - 5)).is_good:
            return life
    raise Unmeasured(
        "a token of 300 s was refused: check the credentials and the clock", is_failure=True
    )


@probe("token-life")
def _token_life(run: Run) -> int:
    if run.token_life is None:
        raise Unmeasured("these credentials sign their own tokens")
    return int(round(run.token_life, -1 if run.token_life > 60 else 0))


def shape_of(answer: Answer) -> str:
    """The form of the body of an error."""
    error = member(answer, "error")
    if is_sequence(member(answer, "allErrors")):
        return "validation"
    return "api" if is_object(error) else "plain" if isinstance(error, str) else "other"


def invalid_list(run: Run) -> Answer:
    """What a list with a page size of zero is answered with."""
    answer = run.read("", ("page_size", 0))
    if answer.is_good:
        raise Unmeasured(
            "a page size of zero is accepted, so that nothing shows how an error looks"
        )
    return answer


@probe("invalid-status", "error-shape")
def _errors(run: Run) -> int:
    answer = invalid_list(run)
    shape = shape_of(answer)
    run.find("error-shape", "documented" if shape == "validation" else shape, "likely")
    return answer.status


@probe("max-page-size", "large-page")
def _page_size(run: Run) -> int | None:
    answer = run.read("", ("page_size", _LARGE))
    if not answer.is_good:
        run.find("large-page", "refuse")
        return edge(lambda size: run.read("", ("page_size", size)).is_good, _LARGE, 1)
    later = [
        each for page in (1, 2) for each in run.read("", ("page_size", _LARGE), ("page", page)).ids
    ]
    echo, size = member(answer, "page_size"), len(answer.items)
    if size < _LARGE and set(later) - set(answer.ids):
        run.find("large-page", "reduce")
        return size
    if not (isinstance(echo, int) and size <= echo < _LARGE):
        raise Unmeasured("the list has fewer items than a page")
    if member(run.read("", ("page_size", 2)), "page_size") != 2:
        raise Unmeasured(
            "the list has fewer items than a page, which says the same size of itself whatever is "
            "asked"
        )
    run.find("max-page-size", echo, "likely", play=None, note="by what the page says of itself")
    run.find("large-page", "reduce", "likely", play=None)
    return None


@probe("first-page", "page-beyond")
def _pages(run: Run) -> int:
    zero, one = (run.read("", ("page", page), ("page_size", 1)) for page in (0, 1))
    items = run.items()
    far = run.read("", ("page", _FAR))
    run.find("page-beyond", far.status if not far.is_good else "last" if far.items else "empty")
    if len(items) < 2:
        raise Unmeasured("the list has one item")
    return 1 if not zero.is_good or zero.ids == one.ids else 0


@probe("order")
def _order(run: Run) -> str:
    times = [
        time
        for item in run.items()
        if (time := member(item, "payment_request", "created_at")) is not None
    ]
    if len(set(times)) < 2:
        raise Unmeasured("the list has fewer than two times")
    return (
        "oldest"
        if times == sorted(times)
        else "newest"
        if times == sorted(times, reverse=True)
        else "none"
    )


@probe("repeated-filter")
def _repeated_filter(run: Run) -> str:
    filters = [("direction", each) for each in ("inbound", "outbound")]
    both = run.read("", *filters)
    if not both.is_good:
        return "refuse"
    first, last = (run.page(each).ids == both.ids for each in filters)
    if first and last:
        raise Unmeasured("no request shows which of two filters counts")
    return "first" if first else "last" if last else "neither"


@probe("window-ends")
def _window(run: Run) -> str:
    item = run.items()[0]
    at, id = member(item, "payment_request", "created_at"), item.get("victor_payment_request_id")
    if not isinstance(at, int | float):
        raise Unmeasured("the first request in the list has no time")
    ends = {"start": (0, 1), "end": (-1, 0)}
    belong = [
        name
        for name, (begin, end) in ends.items()
        if id
        in run.page(("start_datetime", moment(at, begin)), ("end_datetime", moment(at, end))).ids
    ]
    return "both" if len(belong) == 2 else belong[0] if belong else "neither"


@probe("directions", "status-words", "times", "nulls")
def _forms(run: Run) -> None:
    items = run.items()
    directions = "".join(str(item.get("direction")) for item in items)
    run.find(
        "directions",
        "documented" if directions.islower() else "upper" if directions.isupper() else "other",
    )
    said = {str(item.get("status")) for item in items}
    forms = {
        "documented": {word(each) for each in said},
        "title": {word(each).replace("-", " ").title() for each in said},
        "upper": {word(each).replace("-", "_").upper() for each in said},
        "other": said,
    }
    is_known = forms["documented"] <= {*Status}
    run.find(
        "status-words",
        next(form for form, words in forms.items() if words == said) if is_known else "other",
    )
    times = [member(item, "payment_request", "created_at") for item in items]
    are_numbers = all(isinstance(each, int | float) for each in times)
    run.find(
        "times", "other" if not are_numbers else "milliseconds" if max(times) >= 1e11 else "seconds"
    )
    run.find("nulls", any(map(_has_null, items)))


def _has_null(value: Any) -> bool:
    values: Iterable[Any] = (
        value.values() if is_object(value) else value if is_sequence(value) else ()
    )
    return value is None or any(map(_has_null, values))


@probe("get-status")
def _get_status(run: Run) -> str:
    for item in run.items():
        listed = word(item.get("status"))
        if listed not in ("pending", "failed", "error"):
            said = word(member(run.read(f"/{item['victor_payment_request_id']}"), "status"))
            if said in (listed, "pending", "error"):
                return "listed" if said == listed else "documented"
    raise Unmeasured("each request in the list is pending or failed, which both readings say")


@probe("clock-skew", "date-header", "keep-alive", "http-version", "tls")
def connection(run: Run) -> None:
    """Last of all: what every answer of this measurement shows."""
    began = run.document.get("began_at", "")
    entries = [
        entry for entry in run.document["calls"] if "response" in entry and entry["at"] >= began
    ]
    if not entries:
        raise Unmeasured("no call had an answer", is_failure=True)
    ahead = _seconds_ahead(entries)
    run.find("date-header", ahead is not None)
    if ahead is not None:
        run.find("clock-skew", 0 if abs(ahead) <= _TOLERATED else round(ahead))
    run.find("http-version", entries[-1]["response"]["http"])
    run.find("tls", entries[-1]["tls"])
    adjacent = [
        (one, other) for one, other in pairwise(entries) if other["call"] == one["call"] + 1
    ]
    kept = [one["connection"] == other["connection"] for one, other in adjacent]
    # One that is closed at once may serve a fast call first, and calls may take turns on two that
    # are kept.
    used = {entry["connection"] for entry in entries}
    is_kept = 2 * sum(kept) > len(kept) or 2 * len(used) <= len(entries)
    # such as timeout=5: the seconds without a call
    said = entries[-1]["response"]["headers"].get("keep-alive")
    if not is_kept and len(kept) < _FEWEST:
        if not said:
            raise Unmeasured("too few calls followed each other")
        is_kept = True
    note = f"the provider says: {said}" if said else ""
    run.find("keep-alive", "kept" if is_kept else "closed", play=None if is_kept else 0, note=note)


def _seconds_ahead(entries: list[dict[str, Any]]) -> float | None:
    """By how much the provider's clock is ahead of this machine's; None without any `Date`.

    A `Date` has whole seconds: each bounds the difference from both sides, and all together bound
    it narrowly.
    """
    low, high = -math.inf, math.inf
    for entry in entries:
        with suppress(ValueError):
            date = parsedate_to_datetime(entry["response"]["headers"].get("date", "")).timestamp()
            low, high = max(low, date - entry["received"]), min(high, date + 1 - entry["sent"])
    return None if high == math.inf else (low + high) / 2


def probes_of(client: Any) -> Iterator[Probe]:
    """A probe of each read of another system: lists as they are, and an id that does not exist."""
    for operation in client.reads:
        yield Probe((operation,), partial(_status_of, operation))
    yield connection


def _status_of(operation: str, run: Run) -> object:
    answer = run.get(operation.partition(" ")[2].replace("{}", _UNKNOWN_ID))
    return answer.status if answer.is_good else f"{answer.status}, {shape_of(answer)}"
