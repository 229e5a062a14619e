"""What is true of the second provider, of each assumption."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.conform.second.manners import CHOICES, Manners
from victor_ext.conform import ASSUMPTIONS, Phase


@dataclass(frozen=True)
class Truth:
    """What may be told of an assumption."""

    values: frozenset[str]
    """What is right. Nothing: whatever is told is wrong."""
    must: bool = True
    """Whether the calls of a plan show it, so that it should be found."""
    is_judged: bool = True


UNJUDGED = Truth(frozenset(), must=False, is_judged=False)
NOTHING = Truth(frozenset(), must=False)


def may_be(*values: str) -> Truth:
    """What may be found, and need not."""
    return Truth(frozenset(values), must=False)


def truths(manners: Manners) -> dict[str, Truth]:
    """By assumption: what may be told of a provider with these manners."""
    known = {name: Truth(frozenset({manners[name]})) for name in CHOICES if name in ASSUMPTIONS}
    known |= _of_connections(manners) | _of_errors(manners) | _of_pages(manners)
    known |= _of_lists(manners) | _of_forms(manners) | _of_keys(manners) | _of_texts(manners)
    known |= _of_twins(manners) | _of_lags(manners)
    if manners["create-id"] != "plain":
        known |= _loosened(known, (Phase.CREATE, Phase.ANSWER))
    return known | _of_proxies(manners, known)


def _loosened(known: dict[str, Truth], phases: Iterable[Phase]) -> dict[str, Truth]:
    """The same, and nothing of these phases has to be found."""
    return {
        name: Truth(truth.values, must=False, is_judged=truth.is_judged)
        for name, truth in known.items()
        if ASSUMPTIONS[name].phase in phases
    }


def _of_connections(manners: Manners) -> dict[str, Truth]:
    skew = int(manners["clock-skew"])
    has_date = manners["date-header"]
    around = {str(skew + by) for by in (-1, 0, 1)} if skew else {"0"}
    clock = Truth(frozenset(around), must=has_date == "true")
    is_json = manners["token-body"] != "html"
    return {
        "clock-skew": NOTHING if has_date == "false" else clock,
        "date-header": Truth(frozenset({has_date})),
        "tls": UNJUDGED,
        "token-life": NOTHING,
        "leeway": NOTHING
        if manners["leeway"] == "late only"
        else Truth(frozenset({manners["leeway"]}), is_json),
        "token-limit": Truth(frozenset({manners["token-limit"]}), is_json),
        "refused-token": Truth(frozenset({manners["refused-token"]}), is_json)
        if is_json or manners["refused-token"] == "200"
        else NOTHING,
    }


def _of_errors(manners: Manners) -> dict[str, Truth]:
    shape, code = manners["error-shape"], manners["error-code"]
    is_known = manners["invalid-status"] != "accepted"
    has_code = shape in ("documented", "api", "mixed")
    codes = {str(100 + length) for length in range(2, 40)} if code == "by field" else {code}
    unknown_id = Truth(frozenset({manners["unknown-id"]}))
    if manners["unknown-id"] == "200" and manners["unknown-body"] != "another":
        unknown_id = may_be("200")
    return {
        "error-shape": Truth(frozenset({shape}), must=is_known),
        "error-code": UNJUDGED
        if code == "account"
        else Truth(frozenset(codes))
        if has_code
        else NOTHING,
        "invalid-status": NOTHING
        if manners["invalid-status"] == "accepted"
        else Truth(frozenset({manners["invalid-status"]})),
        "unknown-id": unknown_id,
    }


def _of_pages(manners: Manners) -> dict[str, Truth]:
    count, maximum = int(manners["count"]), manners["max-page-size"]
    large = manners["large-page"]
    if maximum == "unlimited":
        sizes = {"max-page-size": NOTHING, "large-page": NOTHING}
    else:
        must = large == "refuse" or count > int(maximum)
        must = must and int(maximum) <= 100
        must = must and (large == "refuse" or manners["listed-id"] == "plain")
        sizes = {
            "max-page-size": Truth(frozenset({maximum}), must),
            "large-page": Truth(frozenset({large}), must),
        }
    is_plain = manners["order"] != "shuffled" and manners["listed-id"] == "plain"
    is_plain = is_plain and manners["NaN"] == "nowhere"
    first = manners["first-page"]
    has_zero = first == "0" or manners["zero-page"] == "same"
    return sizes | {
        "first-page": Truth(frozenset({first}), must=count >= 3 and is_plain and has_zero),
        "page-beyond": Truth(frozenset({manners["page-beyond"]}), must=count >= 3 and is_plain),
        "order": _of_order(manners, count),
    }


def _of_order(manners: Manners, count: int) -> Truth:
    order = manners["order"].replace("amount", "none").replace("random", "none")
    order = order.replace("shuffled", "none")
    form = manners["times"]
    is_number = form in ("seconds", "milliseconds") and manners["NaN"] == "nowhere"
    # Of few requests, chance may make an order.
    values = {order} if count >= 7 or order != "none" else {order, "newest", "oldest"}
    return Truth(frozenset(values), must=is_number and count >= 9)


def _of_lists(manners: Manners) -> dict[str, Truth]:
    count = int(manners["count"])
    is_plain = manners["listed-id"] == "plain" and manners["NaN"] == "nowhere"
    is_plain = is_plain and manners["ignores"] == "nothing"
    is_plain = is_plain and manners["order"] != "shuffled"
    repeated = manners["repeated-filter"].replace("union", "neither")
    ends = Truth(
        frozenset({manners["window-ends"]}),
        must=is_plain
        and count >= 9
        and manners["times"] in ("seconds", "milliseconds")
        and manners["precision"] in ("micro", "milli")
        and manners["window-format"] == "any",
    )
    if manners["precision"] == "hidden" and manners["times"] != "microseconds":
        # A window begins and ends at what is shown, a little before what is kept.
        ends = may_be("start")
    if manners["ignores"] == "window":
        ends = NOTHING
    return {
        "unknown-filter": Truth(
            frozenset({manners["unknown-filter"]}),
            must=is_plain and (count >= 3 or manners["unknown-filter"] == "refuse"),
        ),
        "repeated-filter": Truth(
            frozenset({repeated}),
            must=repeated == "refuse" or (is_plain and count >= 14),
        ),
        "window-ends": ends,
    }


def _of_forms(manners: Manners) -> dict[str, Truth]:
    count = int(manners["count"])
    must = count >= 3 and manners["NaN"] == "nowhere"
    direction = manners["directions"]
    words = manners["status-words"].replace("number", "other")
    form = manners["times"]
    times = {
        "seconds": Truth(frozenset({"seconds"}), must),
        "milliseconds": Truth(frozenset({"milliseconds"}), must),
        "mixed": may_be("other", "seconds") if count < 2 else NOTHING,
        "microseconds": NOTHING,
    }
    status = manners["get-status"]
    nulls = manners["nulls"]
    return {
        "directions": NOTHING if direction == "absent" else Truth(frozenset({direction}), must),
        "status-words": Truth(frozenset({words}), must and words != "other"),
        "get-status": NOTHING
        if status == "other"
        else Truth(
            frozenset({status}),
            must and count >= 9 and words != "other" and manners["listed-id"] == "plain",
        ),
        "times": times.get(form, Truth(frozenset({"other"}), must and form != "text")),
        "nulls": may_be("true")
        if nulls == "some"
        else Truth(frozenset({nulls}), must and count >= 5),
    }


def _of_keys(manners: Manners) -> dict[str, Truth]:
    repeat, busy = manners["key-repeat"], manners["key-in-progress"]
    is_seen = repeat not in ("409", "422")
    life = manners["key-life"]
    return {
        "key-repeat": Truth(
            frozenset({repeat}),
            must=repeat not in ("replay", "current") or manners["moves"] in ("1", "5"),
        ),
        "key-in-progress": Truth(frozenset(_about(busy)), must=is_seen and repeat != "new"),
        "key-life": NOTHING if life == "not asked" else UNJUDGED,
    }


def _about(seconds: str) -> set[str]:
    number = int(seconds)
    return {str(number + by) for by in (0, 1, 2)} if number else {"0"}


def _of_lags(manners: Manners) -> dict[str, Truth]:
    listed, known = manners["list-lag"], manners["get-lag"]
    has_reference = manners["reference"] == "shown"
    is_hidden = manners["proxy"] == "html unknown-id"
    return {
        "list-lag": NOTHING
        if listed == "never"
        else Truth(frozenset(_about(listed)), must=has_reference and manners["NaN"] == "nowhere"),
        "get-lag": Truth(frozenset(_about(known)), must=known == "0" or not is_hidden),
    }


def _of_texts(manners: Manners) -> dict[str, Truth]:
    told: dict[str, Truth] = {}
    for member in ("notes", "reference"):
        must = manners[member] == "shown"
        for name in (f"{member}-limit", f"{member}-characters"):
            told[name] = Truth(frozenset({manners[name]}), must)
    if manners["notes"] == "absent":
        told["trim-texts"] = may_be(manners["trim-texts"])
    limits = (("notes-limit", "150"), ("reference-limit", "128"))
    is_shorter = any(manners[name] != longest for name, longest in limits)
    has_others = any(manners[f"{name}-characters"] != "any" for name in ("notes", "reference"))
    is_shown = manners["notes"] == manners["reference"] == "shown"
    long, other = manners["long-texts"], manners["other-characters"]
    told["long-texts"] = Truth(frozenset({long}), is_shown) if is_shorter else may_be(long)
    told["other-characters"] = Truth(frozenset({other}), is_shown) if has_others else NOTHING
    if other == "translate":
        told["other-characters"] = NOTHING
        told |= {
            f"{name}-characters": Truth(frozenset({manners[f"{name}-characters"]}), must=False)
            for name in ("notes", "reference")
        }
    return told


def _of_twins(manners: Manners) -> dict[str, Truth]:
    if manners["twins"] == "false":
        # Only a list that shows the request shows that it has no twin.
        twins = Truth(frozenset({"false"}), must=manners["list-lag"] != "never")
        return {"second-answer": NOTHING, "accepted-amount": NOTHING, "twins": twins}
    is_linked = manners["links"] == "both" and manners["amounts"] == "plain"
    # Nobody sees how long a new request is unknown, and what is unknown cannot be answered.
    is_linked = is_linked and (manners["get-lag"] == "0" or manners["proxy"] != "html unknown-id")
    return {
        name: Truth(frozenset({manners[name]}), must=is_linked)
        for name in ("second-answer", "accepted-amount")
    } | {"twins": Truth(frozenset({"true"}), must=is_linked)}


HIDDEN = {
    "unknown-id": ("unknown-id",),
    "page-beyond": ("page-beyond",),
    "key-longest": ("key-longest",),
    "long-texts": ("long-texts", "notes-limit", "reference-limit"),
    "other-characters": ("other-characters", "notes-characters", "reference-characters"),
    "key-conflict": ("key-conflict", "refused-key"),
    "unknown-payer": ("unknown-payer",),
    "invalid-status": ("invalid-status", "error-shape"),
    "unknown-filter": ("unknown-filter",),
}
"""By what a proxy answers: what nobody sees then."""


def _of_proxies(manners: Manners, known: dict[str, Truth]) -> dict[str, Truth]:
    kind, _, what = manners["proxy"].partition(" ")
    hidden = {
        name: Truth(known[name].values, must=False, is_judged=known[name].is_judged)
        for name in HIDDEN.get(what, ())
    }
    is_refused = manners.get(what, "") in ("refuse", "refused") or manners.get(what, "").isdigit()
    if kind == "html" and is_refused and manners[what] != "200":
        hidden[what] = NOTHING
    return hidden


def is_of_a_proxy(manners: Manners, name: str) -> bool:
    """Whether a proxy answered in the place of the provider, with JSON of another shape: what that
    shows is likely at most.
    """
    kind, _, what = manners["proxy"].partition(" ")
    is_refused = manners[what] == "refuse" or manners[what].isdigit() if what else False
    is_own_shape = manners["error-shape"] == "other"
    return kind == "json" and what == name and is_refused and not is_own_shape
