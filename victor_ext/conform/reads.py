"""Probes that only read. Those that need items of the list are run once more after the creates.

Of other systems, and of the APIs of `connect`, every read of their table of operations is sent
once, and nothing else.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import pairwise
from typing import Any

from victor_ext import Status
from victor_ext.privacy import is_object, is_sequence

from .assumptions import Probe, probe
from .exchanges import (
    Response,
    Unmeasured,
    date_of,
    edge,
    id_in,
    is_number,
    is_text,
    member,
    moment,
    odd,
    shape_of,
    word,
)
from .redaction import UNKNOWN_ID
from .run import Run

_LARGE = 1000
_TOLERATED = 2.0
_FEWEST = 4  # calls after another one that show whether a connection is kept
_FAR = 1_000_000
_WINDOWS = 3  # requests whose moment is made an end of a window
_WINDOW_PAGES = 10
_STATUSES = 3  # requests whose status is read
_FIRST_MILLISECONDS = 1e11
"""A number of this size counts milliseconds since the epoch."""
_FIRST_MICROSECONDS = 1e14
"""A number of this size counts something smaller."""


@probe("refused-token")
def _refused_token(run: Run) -> int:
    answer = run.read(token="")
    if not answer.has_challenge:
        run.page()
    return answer.status


@probe("unknown-id")
def _unknown_id(run: Run) -> None:
    answer = run.read(f"/{UNKNOWN_ID}")
    is_beside_a_known_one = answer.is_good or _is_known_read(run)
    certainty = "certain" if is_beside_a_known_one else "likely"
    run.find("unknown-id", answer.status, certainty)


def _is_known_read(run: Run) -> bool:
    """Whether an id that exists is read; False where the list has none.

    Raises `Unmeasured` if none of some is read: a refusal says nothing then. A new one may need a
    while.
    """
    ids = [id for id in map(id_in, run.listed_items()) if id]
    for id in dict.fromkeys([*ids[-1:], *ids[:2]]):
        answer = run.read(f"/{id}")
        if answer.is_good:
            return True
    if ids:
        raise Unmeasured("ids of the list are refused as unknown ones are", is_failure=True)
    return False


@probe("unknown-filter")
def _unknown_filter(run: Run) -> str | None:
    before = run.page()
    answer = run.read("", ("conform_unknown", "1"))
    if not answer.is_good:
        run.control(run.read("", ("direction", "outbound")), "a list with a known filter")
        return "refuse"
    after = run.page()
    if answer.named_ids in (before.named_ids, after.named_ids):
        run.find("unknown-filter", "ignore", seen=len(answer.items))
        return None
    if answer.items:
        raise Unmeasured("the list changes while it is read")
    return "empty"


@probe("token-limit")
def _token_limit(run: Run) -> int:
    for life in (3600, 300):
        token = run.token(-5, life - 5)
        if run.read(token=token).is_good:
            return life
    reason = "a token of 300 s was refused: check the credentials and the clock"
    raise Unmeasured(reason, is_failure=True)


@probe("token-life")
def _token_life(run: Run) -> None:
    life = run.token_life
    if life is None:
        raise Unmeasured("these credentials sign their own tokens")
    digits = -1 if life > 60 else 0
    seconds = int(round(life, digits))
    if run.is_token_life_known:
        run.find("token-life", seconds)
    else:
        note = "the token came without a Date: it is by this machine's clock"
        run.find("token-life", seconds, "likely", note=note)


def invalid_list(run: Run) -> Response:
    """What a list with a page size of zero is answered with."""
    answer = run.read("", ("page_size", 0))
    if answer.is_good:
        raise Unmeasured(
            "a page size of zero is accepted, so that nothing shows how an error looks"
        )
    run.control(_page_of(run, 1), "a page of one item")
    return answer


@probe("invalid-status", "error-shape")
def _errors(run: Run) -> int:
    answer = invalid_list(run)
    shape = shape_of(answer)
    if shape == "validation":  # as the document has it for lists: a create may have the same
        reason = "the error of a list is as documented, and no error of a create is known"
        run.find_nothing("error-shape", reason, "not shown")
    elif not run.is_by_creates("error-shape"):  # which have seen the errors of both operations
        run.find("error-shape", shape, seen=1)
    return answer.status


@probe("max-page-size", "large-page")
def _page_size(run: Run) -> int | None:
    answer = _page_of(run, _LARGE)
    if not answer.is_good:
        run.control(_page_of(run, 1), "a page of one item")
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
    run.find("max-page-size", echo, "likely", note="by what the page says of itself")
    run.find("large-page", "reduce", "likely")
    return None


def _page_of(run: Run, size: int, *query: tuple[str, int]) -> Response:
    return run.read("", ("page_size", size), *query)


def _echo_of(page: Response) -> int | None:
    """The size that a page says of itself."""
    size = member(page, "page_size")
    return size if isinstance(size, int) and not isinstance(size, bool) else None


@probe("first-page", "page-beyond")
def _pages(run: Run) -> None:
    zero, one, two = (_single(run, number) for number in (0, 1, 2))
    again = _single(run, 0 if zero.items else 1)
    far = _single(run, _FAR)
    if not zero.is_good:
        run.control(one, "page 1")
    first = zero if zero.items else one
    if not first.items:
        raise Unmeasured("the list has no payment request that shows it")
    seen = len(run.items())
    if far.items:
        _check_same(first, again)
        _check_steady(run, zero)
    run.find("page-beyond", _beyond(far, first, one, two), seen=seen)
    _check_same(first, again)
    _check_steady(run, zero)
    run.find("first-page", _first_page(zero, one, two), seen=seen)


def _check_same(page: Response, again: Response) -> None:
    """Raise `Unmeasured` where a page that is read again has others."""
    if page.named_ids != again.named_ids:
        raise Unmeasured("the list changes while it is read")


def _check_steady(run: Run, zero: Response) -> None:
    """Raise `Unmeasured` where the order changes while the list is read.

    Two pages of the plain size share a request then, and are not the same page; or the first one
    begins otherwise than that of one item. A page that is refused shows nothing.
    """
    plain, next_one = _plain_pages(run)
    begins_otherwise = plain and plain[:1] != (zero.named_ids or plain[:1])
    if _share_some(plain, next_one) or begins_otherwise:
        raise Unmeasured("the order of the list changes while it is read")


def _plain_pages(run: Run) -> tuple[list[str], list[str]]:
    """The ids of pages 0 and 1 of the plain size."""
    plain = run.read("", ("page", 0)).named_ids
    next_one: list[str] = []
    with suppress(Unmeasured):  # perhaps a proxy refuses what is beyond the end
        next_one = run.read("", ("page", 1)).named_ids
    return plain, next_one


def _share_some(page: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two pages have requests in common, and are not the same page."""
    return page != other and not {*page}.isdisjoint(other)


def _single(run: Run, number: int) -> Response:
    """A page of one item."""
    return _page_of(run, 1, ("page", number))


def _first_page(zero: Response, one: Response, two: Response) -> int:
    if not zero.items:  # it is refused, or empty, and page 1 is not
        return 1
    if not one.is_good or zero.named_ids != one.named_ids:
        return 0
    if two.named_ids == one.named_ids:
        raise Unmeasured("each page is the same one, so that none shows which is the first")
    return 1


def _beyond(far: Response, first: Response, one: Response, two: Response) -> object:
    if not far.is_good:
        return far.status
    if not far.items:
        return "empty"
    if far.named_ids != first.named_ids:
        return "last"
    if first.named_ids == one.named_ids == two.named_ids:
        raise Unmeasured("each page is the same one, so that none is beyond the end")
    return "first"


@probe("order")
def _order(run: Run) -> None:
    times = [time for item in run.items() if (time := _time_of(item)) is not None]
    run.find("order", _order_of(times), seen=len(set(times)))


def _order_of(times: Sequence[float]) -> str:
    if times == sorted(times):
        return "oldest"
    return "newest" if times == sorted(times, reverse=True) else "none"


def _created_at(item: dict[str, Any]) -> Any:
    return member(item, "payment_request", "created_at")


def _time_of(item: dict[str, Any]) -> float | None:
    """When an item was made; None where it does not say so. Raises `Unmeasured` for no number."""
    at = _created_at(item)
    if at is None:
        return None
    if not is_number(at):
        raise odd("created_at", at, "no number")
    return float(at)


@probe("repeated-filter")
def _repeated_filter(run: Run) -> str:
    inbound = ("direction", "inbound")
    outbound = ("direction", "outbound")
    both, turned = run.read("", inbound, outbound), run.read("", outbound, inbound)
    only_in, only_out = run.page(inbound), run.page(outbound)
    ins, outs = {*only_in.named_ids}, {*only_out.named_ids}
    if not both.is_good and not turned.is_good:
        return "refuse"
    if ins == outs:
        raise Unmeasured("no request shows which of two filters counts")
    found = {*both.named_ids}, {*turned.named_ids}
    if found == (ins, outs):
        return "first"
    if found == (outs, ins):
        return "last"
    _check_same(only_in, run.page(inbound))
    _check_same(only_out, run.page(outbound))
    return "neither" if any(found) else "both"


@probe("window-ends")
def _window(run: Run) -> None:
    timed = {_time_of(item): item for item in run.items() if id_in(item)}
    times = [time for time in timed if time is not None][:_WINDOWS]
    if not times:
        raise Unmeasured("no request in the list has an id and a time")
    ends = {_ends_of(run, time, id_in(timed[time])) for time in times}
    if len(ends) > 1:
        raise Unmeasured(f"windows of {len(times)} requests show different ends")
    # Whole seconds may be cut: then the moment of the request is not the end of the window.
    is_whole = all(time % (1 if time < _FIRST_MILLISECONDS else 1000) == 0 for time in times)
    certainty = "likely" if is_whole else "certain"
    run.find("window-ends", ends.pop(), certainty, seen=len(times))


def _ends_of(run: Run, at: float, id: str | None) -> str:
    """Which ends of a window belong to it, by a request of this time.

    Raises `Unmeasured` where a window has what is beside it, or lacks what is within it.
    """

    def has(start: float, end: float) -> bool:
        return _window_has(run, moment(at, start), moment(at, end), id)

    if not has(-1, 1):
        raise Unmeasured("a window of time does not have the request that is within it")
    if has(1, 2):
        raise Unmeasured("a window of time has a request that is not within it")
    has_start, has_end = has(0, 1), has(-1, 0)
    if has_start and has_end:
        return "both"
    if has_start:
        return "start"
    return "end" if has_end else "neither"


def _window_has(run: Run, start: str, end: str, id: str | None) -> bool:
    """Whether a window of the list has a request. It may be on a later page."""
    window = (("start_datetime", start), ("end_datetime", end))
    first = run.page(*window)
    if id in first.ids or not first.items:
        return id in first.ids
    return id in map(id_in, run.listed_items(*window, pages=_WINDOW_PAGES, is_whole=True))


@probe("directions", "status-words", "times", "nulls")
def _forms(run: Run) -> None:
    items = run.items()
    seen = len(items)
    find = partial(run.find, certainty=_certainty_of_all(run))
    has_nulls = any(_has_null(item) for item in items)
    find("nulls", has_nulls, seen=None if has_nulls else seen)
    directions = [item["direction"] for item in items if is_text(item.get("direction"))]
    find("directions", _letters_of("".join(directions)), seen=len(directions))
    statuses = [item["status"] for item in items if is_text(item.get("status"))]
    find("status-words", _form_of({*statuses}), seen=len(statuses))
    times = [time for item in items if (time := _created_at(item)) is not None]
    find("times", _unit_of(times), seen=len(times))


def _certainty_of_all(run: Run) -> str:
    """How certain it is what all items have: a list whose order changes while it is read may never
    show one of them.
    """
    with suppress(Unmeasured):  # without ids, nothing shows that it changes
        if _share_some(*_plain_pages(run)):
            return "likely"
    return "certain"


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
    """The unit of times; `other` where all are texts. Raises `Unmeasured` for several kinds."""
    if times and all(map(is_text, times)):
        return "other"
    for time in times:
        if not is_number(time):
            raise odd("created_at", time, "no number")
        if time >= _FIRST_MICROSECONDS:
            raise odd("created_at", time, "too large for milliseconds")
    units = {"milliseconds" if time >= _FIRST_MILLISECONDS else "seconds" for time in times}
    if len(units) > 1:
        raise Unmeasured("created_at counts seconds and milliseconds", is_failure=True)
    return units.pop() if units else ""


def _has_null(value: Any) -> bool:
    if is_object(value):
        return any(_has_null(item) for item in value.values())
    if is_sequence(value):
        return any(_has_null(item) for item in value)
    return value is None


@probe("get-status")
def _get_status(run: Run) -> None:
    seen: list[str] = []
    for item in run.items():
        listed, id = word(item.get("status")), id_in(item)
        if id is None or listed in ("pending", "failed", "error"):  # both readings say it
            continue
        answer = run.read(f"/{id}")
        status = word(member(answer, "status")) if answer.is_good else ""
        if status == listed:
            seen.append("listed")
        elif status in ("pending", "error"):
            seen.append("documented")
        if len(seen) == _STATUSES:
            break
    if not seen:
        raise Unmeasured("no request of the list shows it: both readings say pending or failed")
    if len({*seen}) > 1:
        raise Unmeasured(f"get answers {len(seen)} requests by different readings")
    run.find("get-status", seen[0], seen=len(seen))


@probe("clock-skew", "date-header", "keep-alive", "http-version", "tls")
def connection(run: Run) -> None:
    """Last of all: what every answer of this measurement shows."""
    began = run.document.get("began_at", "")
    answered = [call for call in run.document["calls"] if "response" in call]
    calls = [call for call in answered if call["at"] >= began]
    if not calls:
        raise Unmeasured("no call had an answer", is_failure=True)
    ahead = _seconds_ahead(calls)
    run.find("date-header", _has_date(calls, is_read=ahead is not None), seen=len(calls))
    if ahead is not None:
        run.find("clock-skew", 0 if abs(ahead) <= _TOLERATED else round(ahead), seen=len(calls))
    last = calls[-1]
    run.find("http-version", last["response"]["http"])
    run.find("tls", last["tls"])
    timeout = last["response"]["headers"].get("keep-alive")
    reads = [call for call in calls if call["request"]["method"] == "GET"]
    is_kept = _is_connection_kept(reads, says_so=bool(timeout))
    note = f"the provider says: {timeout}" if timeout else ""
    value = "kept" if is_kept else "closed"
    play = None if is_kept else 0
    run.find("keep-alive", value, seen=len(calls), play=play, note=note)


def _has_date(calls: Sequence[dict[str, Any]], *, is_read: bool) -> bool | str:
    """Whether each response has a `Date`; `some` where only some have. A proxy may leave it out of
    what is not the provider's.
    """
    responses = [call["response"] for call in calls]
    own = [each for each in responses if each["status"] < 500 and is_object(each["body"])]
    lacks = [each for each in own if "date" not in each["headers"]]
    if is_read and lacks:
        return "some"
    return is_read


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
        date = date_of(call["response"]["headers"])
        if date is not None:
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
    answer = run.get(template.replace("{}", UNKNOWN_ID))
    return answer.status if answer.is_good else f"{answer.status}, {shape_of(answer)}"
