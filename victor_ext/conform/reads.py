"""Probes that only read. Those that need items of the list are run once more after the creates.

Of other systems, and of the APIs of `connect`, every read of their table of operations is sent
once, and nothing else.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from email.utils import parsedate_to_datetime
from functools import partial
from itertools import pairwise
from typing import Any

from victor_ext import Status
from victor_ext.privacy import is_object, is_sequence

from .assumptions import Probe, probe
from .exchanges import Answer, Unmeasured, edge, id_in, member, moment, shape_of, word
from .run import Run

_LARGE = 1000
_TOLERATED = 2.0
_FEWEST = 4  # calls after another one that show whether a connection is kept
_FAR = 1_000_000
_UNKNOWN_ID = "NOSUCHID00"
_FIRST_MILLISECONDS = 1e11
"""A number of this size counts milliseconds since the epoch."""


@probe("refused-token")
def _refused_token(run: Run) -> int:
    return run.read(token="").status


@probe("unknown-id")
def _unknown_id(run: Run) -> int:
    return run.read(f"/{_UNKNOWN_ID}").status


@probe("unknown-filter")
def _unknown_filter(run: Run) -> str:
    answer = run.read("", ("conform_unknown", "1"))
    return "ignore" if answer.is_good else "refuse"


@probe("token-limit")
def _token_limit(run: Run) -> int:
    for life in (3600, 300):
        token = run.token(-5, life - 5)
        if run.read(token=token).is_good:
            return life
    reason = "a token of 300 s was refused: check the credentials and the clock"
    raise Unmeasured(reason, is_failure=True)


@probe("token-life")
def _token_life(run: Run) -> int:
    life = run.token_life
    if life is None:
        raise Unmeasured("these credentials sign their own tokens")
    digits = -1 if life > 60 else 0
    return int(round(life, digits))


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
    answer = _page_of(run, _LARGE)
    if not answer.is_good:
        run.find("large-page", "refuse")
        return edge(lambda size: _page_of(run, size).is_good, _LARGE, 1)
    later = {id for page in (1, 2) for id in _page_of(run, _LARGE, ("page", page)).named_ids}
    size = len(answer.items)
    if size < _LARGE and later - set(answer.named_ids):
        run.find("large-page", "reduce")
        return size
    echo = _echo_of(answer)
    if echo is None or not size <= echo < _LARGE:
        raise Unmeasured("the list has fewer items than a page")
    if _echo_of(_page_of(run, 2)) != 2:
        raise Unmeasured(
            "the list has fewer items than a page, which says the same size of itself whatever is "
            "asked"
        )
    run.find("max-page-size", echo, "likely", play=None, note="by what the page says of itself")
    run.find("large-page", "reduce", "likely", play=None)
    return None


def _page_of(run: Run, size: int, *query: tuple[str, int]) -> Answer:
    return run.read("", ("page_size", size), *query)


def _echo_of(page: Answer) -> int | None:
    """The size that a page says of itself."""
    size = member(page, "page_size")
    return size if isinstance(size, int) else None


@probe("first-page", "page-beyond")
def _pages(run: Run) -> int:
    zero = run.read("", ("page", 0), ("page_size", 1))
    one = run.read("", ("page", 1), ("page_size", 1))
    items = run.items()
    far = run.read("", ("page", _FAR))
    run.find("page-beyond", _beyond(far))
    if len(items) < 2:
        raise Unmeasured("the list has one item")
    return 1 if not zero.is_good or zero.named_ids == one.named_ids else 0


def _beyond(page: Answer) -> object:
    if not page.is_good:
        return page.status
    return "last" if page.items else "empty"


@probe("order")
def _order(run: Run) -> str:
    created = [_created_at(item) for item in run.items()]
    times = [time for time in created if time is not None]
    if len(set(times)) < 2:
        raise Unmeasured("the list has fewer than two times")
    if times == sorted(times):
        return "oldest"
    if times == sorted(times, reverse=True):
        return "newest"
    return "none"


def _created_at(item: dict[str, Any]) -> Any:
    return member(item, "payment_request", "created_at")


@probe("repeated-filter")
def _repeated_filter(run: Run) -> str:
    inbound = ("direction", "inbound")
    outbound = ("direction", "outbound")
    both = run.read("", inbound, outbound)
    if not both.is_good:
        return "refuse"
    is_first = run.page(inbound).named_ids == both.named_ids
    is_last = run.page(outbound).named_ids == both.named_ids
    if is_first and is_last:
        raise Unmeasured("no request shows which of two filters counts")
    if is_first:
        return "first"
    return "last" if is_last else "neither"


@probe("window-ends")
def _window(run: Run) -> str:
    item = run.items()[0]
    id = id_in(item)
    if id is None:
        raise Unmeasured("the first request in the list has no id")
    at = _created_at(item)
    if not isinstance(at, int | float):
        raise Unmeasured("the first request in the list has no time")
    has_start = id in _window_of(run, moment(at), moment(at, 1)).ids
    has_end = id in _window_of(run, moment(at, -1), moment(at)).ids
    if has_start and has_end:
        return "both"
    if has_start:
        return "start"
    return "end" if has_end else "neither"


def _window_of(run: Run, start: str, end: str) -> Answer:
    return run.page(("start_datetime", start), ("end_datetime", end))


@probe("directions", "status-words", "times", "nulls")
def _forms(run: Run) -> None:
    items = run.items()
    directions = "".join(str(item.get("direction")) for item in items)
    run.find("directions", _letters_of(directions))
    run.find("status-words", _form_of({str(item.get("status")) for item in items}))
    run.find("times", _unit_of([_created_at(item) for item in items]))
    run.find("nulls", any(_has_null(item) for item in items))


def _letters_of(directions: str) -> str:
    if directions.islower():
        return "documented"
    return "upper" if directions.isupper() else "other"


def _form_of(statuses: set[str]) -> str:
    """How the words of the document are written."""
    documented = {word(status) for status in statuses}
    if not documented <= {*Status}:
        return "other"
    forms = {
        "documented": documented,
        "title": {status.replace("-", " ").title() for status in documented},
        "upper": {status.replace("-", "_").upper() for status in documented},
    }
    for form, words in forms.items():
        if words == statuses:
            return form
    return "other"


def _unit_of(times: Sequence[Any]) -> str:
    if not all(isinstance(time, int | float) for time in times):
        return "other"
    return "milliseconds" if max(times) >= _FIRST_MILLISECONDS else "seconds"


def _has_null(value: Any) -> bool:
    if is_object(value):
        return any(_has_null(item) for item in value.values())
    if is_sequence(value):
        return any(_has_null(item) for item in value)
    return value is None


@probe("get-status")
def _get_status(run: Run) -> str:
    for item in run.items():
        listed = word(item.get("status"))
        id = id_in(item)
        if id is None or listed in ("pending", "failed", "error"):  # both readings say it
            continue
        answer = run.read(f"/{id}")
        status = word(member(answer, "status"))
        if status == listed:
            return "listed"
        if status in ("pending", "error"):
            return "documented"
    raise Unmeasured("each request in the list is pending or failed, which both readings say")


@probe("clock-skew", "date-header", "keep-alive", "http-version", "tls")
def connection(run: Run) -> None:
    """Last of all: what every answer of this measurement shows."""
    began = run.document.get("began_at", "")
    answered = [call for call in run.document["calls"] if "response" in call]
    calls = [call for call in answered if call["at"] >= began]
    if not calls:
        raise Unmeasured("no call had an answer", is_failure=True)
    ahead = _seconds_ahead(calls)
    run.find("date-header", ahead is not None)
    if ahead is not None:
        run.find("clock-skew", 0 if abs(ahead) <= _TOLERATED else round(ahead))
    last = calls[-1]
    run.find("http-version", last["response"]["http"])
    run.find("tls", last["tls"])
    timeout = last["response"]["headers"].get("keep-alive")
    is_kept = _is_connection_kept(calls, says_so=bool(timeout))
    note = f"the provider says: {timeout}" if timeout else ""
    value = "kept" if is_kept else "closed"
    run.find("keep-alive", value, play=None if is_kept else 0, note=note)


def _is_connection_kept(calls: Sequence[dict[str, Any]], *, says_so: bool) -> bool:
    """Whether connections are used again.

    One that is closed at once may serve a fast call first, and calls may take turns on two that are
    kept. `says_so`: a header has the seconds for which it is kept, such as `timeout=5`.
    """
    pairs = [pair for pair in pairwise(calls) if pair[1]["call"] == pair[0]["call"] + 1]
    kept = [pair for pair in pairs if pair[0]["connection"] == pair[1]["connection"]]
    connections = {call["connection"] for call in calls}
    if 2 * len(kept) > len(pairs) or 2 * len(connections) <= len(calls):
        return True
    if len(pairs) >= _FEWEST:
        return False
    if not says_so:
        raise Unmeasured("too few calls followed each other")
    return True


def _seconds_ahead(calls: Sequence[dict[str, Any]]) -> float | None:
    """By how much the provider's clock is ahead of this machine's; None without any `Date`.

    A `Date` has whole seconds: each bounds the difference from both sides, and all together bound
    it narrowly.
    """
    low, high = -math.inf, math.inf
    for call in calls:
        header = call["response"]["headers"].get("date", "")
        with suppress(ValueError):
            date = parsedate_to_datetime(header).timestamp()
            low = max(low, date - call["received"])
            high = min(high, date + 1 - call["sent"])
    return None if high == math.inf else (low + high) / 2


def probes_of(client: Any) -> Iterator[Probe]:
    """A probe of each read of another system: lists as they are, and an id that does not exist."""
    for operation in client.reads:
        yield Probe((operation,), partial(_status_of, operation))
    yield connection


def _status_of(operation: str, run: Run) -> object:
    _, _, template = operation.partition(" ")
    answer = run.get(template.replace("{}", _UNKNOWN_ID))
    return answer.status if answer.is_good else f"{answer.status}, {shape_of(answer)}"
