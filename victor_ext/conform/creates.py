"""Probes that ask for money: a few requests for the smallest amount, each counted in the file
before it is sent.
"""

from collections.abc import Callable
from decimal import Decimal

from .assumptions import probe
from .exchanges import Answer, Unmeasured, edge, member, moment, word
from .reads import invalid_list, shape_of
from .run import LEAST, MORE, NOBODY, NOTES, PAUSES, Run

_MEMBERS = {
    "notes": ("payment_request", "payment_details", "notes"),
    "reference": ("client_reference_id",),
}
_CHARACTERS = {"any": "€漢😀", "latin-1": "éß", "ascii": "&_#/", "basic": ""}
"""What each word for a set of characters has more than the next one."""
AGES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1)
"""The ages at which keys are repeated, as parts of the longest.

Each has a key of its own: a repeat may renew one.
"""


@probe("get-lag", "list-lag", sends=1, makes=1)
def _lags(run: Run) -> None:
    id = str(run.made("lag").id)
    since, waited = ("start_datetime", moment(run.now(), -3600)), 0
    looks: dict[str, Callable[[], bool]] = {
        "get-lag": lambda: run.read(f"/{id}").is_good,
        "list-lag": lambda: id in run.page(since, ("victor_id", id)).ids,
    }
    for pause in PAUSES:
        run.sleep(pause)
        waited += pause
        for name in [name for name, is_shown in looks.items() if is_shown()]:
            run.find(name, waited)
            del looks[name]
    if looks:
        raise Unmeasured(f"the new request was not shown within {waited} s")


@probe("key-repeat", "key-in-progress", sends=len(PAUSES) + 2, makes=1)
def _repeats(run: Run) -> object:
    first, waited = run.made("repeat 1"), 0
    for pause in PAUSES:
        run.sleep(pause)
        waited += pause
        answer = run.create(f"repeat after {waited} s", like="repeat 1")
        if answer.status != 409:
            break
    else:
        return 409
    run.find("key-in-progress", waited)
    if answer.id != first.id:
        return "new" if answer.is_good else answer.status
    run.find("key-repeat", "replay", "likely", note="the request has not changed since")
    for pause in PAUSES[:5]:
        run.sleep(pause)
        if any(word(item.get("status")) != "created" for item in run.listed(str(first.id))):
            last = run.create("repeat of a changed one", like="repeat 1")
            return "replay" if word(member(last, "status")) == "created" else "current"
    return None


@probe("key-conflict", sends=1)
def _conflict(run: Run) -> object:
    run.made("repeat 1")
    run.rest("key-in-progress")
    ids = {entry["id"] for entry in run.writes.values()}
    answer = run.create("conflict", like="repeat 1", amount=MORE)
    return answer.status if not answer.is_good else "replay" if answer.id in ids else "new"


@probe("two-at-once", sends=2, makes=1)
def _two_at_once(run: Run) -> str:
    ids = {answer.id for answer in run.create_both("both 1", "both 2") if answer.is_good}
    if not ids:
        raise Unmeasured("both of two creates at once were refused")
    return "one" if len(ids) == 1 else "two"


@probe("refused-key", "error-code", "error-shape", sends=2, makes=1)
def _refused_key(run: Run) -> str:
    refused = run.create("refused", amount="x")
    if refused.is_good:
        raise Unmeasured("an amount that is no number is accepted")
    if (code := member(refused, "error", "code")) is not None:
        run.find("error-code", code)
    shapes = shape_of(invalid_list(run)), shape_of(refused)
    is_documented = shapes == ("validation", "api")
    run.find(
        "error-shape",
        "documented" if is_documented else shapes[0] if shapes[0] == shapes[1] else "other",
    )
    return (
        "free"
        if run.create("refused, corrected", like="refused", amount=LEAST).is_good
        else "bound"
    )


@probe("key-shortest", "key-longest", sends=17, makes=2)
def _key_lengths(run: Run) -> None:
    def is_taken(length: int) -> bool:
        key = f"{run.plan['marker']}{length}".ljust(length, "k")[-length:]
        return run.create(f"key of {length}", key=key).is_good

    for name, documented, beyond, farthest in (
        ("key-shortest", 20, 19, 8),
        ("key-longest", 128, 129, 256),
    ):
        found = edge(is_taken, documented, safe=36, beyond=beyond, farthest=farthest)
        run.find(name, found, "likely" if found == farthest else "certain")


_no_key = probe("require-key", sends=1, makes=1)(
    lambda run: not run.create("no key", key=None).is_good
)
_padded = probe("trim-texts", sends=1, makes=1)(
    lambda run: _kept(run, run.made("padded notes", notes=f"  {NOTES}  "), "notes") == NOTES
)


def _kept(run: Run, answer: Answer, name: str) -> str:
    """A text as the provider keeps it."""
    text = member(answer, *_MEMBERS[name])
    text = text if text is not None else member(run.read(f"/{answer.id}"), *_MEMBERS[name])
    if not isinstance(text, str):
        raise Unmeasured(f"the response does not repeat the {name}")
    return text


def _begin(run: Run, name: str) -> str:
    return NOTES if name == "notes" else run.plan["marker"]


@probe("long-texts", "notes-limit", "reference-limit", sends=18, makes=2)
def _lengths(run: Run) -> str:
    return _first(
        [_becomes_of_long(run, name, limit) for name, limit in (("notes", 150), ("reference", 128))]
    )


def _becomes_of_long(run: Run, name: str, documented: int) -> str | None:
    """Find how many characters of a text are kept; returns what becomes of more, if that shows."""

    def create(length: int) -> Answer:
        return run.create(f"{name} of {length}", **{name: _begin(run, name).ljust(length, "n")})

    first = create(documented)
    accepted = edge(lambda length: create(length).is_good, documented, safe=20)
    kept = len(_kept(run, first, name)) if accepted == documented else accepted
    run.find(f"{name}-limit", kept)
    return None if kept == documented else "cut" if accepted == documented else "refuse"


@probe("other-characters", "notes-characters", "reference-characters", sends=8, makes=2)
def _characters(run: Run) -> str:
    return _first([_becomes_of_others(run, name) for name in _MEMBERS])


def _becomes_of_others(run: Run, name: str) -> str | None:
    """Find which characters of a text are kept; returns what becomes of others, if that shows."""
    words = [*_CHARACTERS]
    for i, characters in enumerate(words):
        text = " ".join(
            filter(None, [_begin(run, name), *(_CHARACTERS[each] for each in words[i:]), "end"])
        )
        answer = run.create(f"{name} of {characters} characters", **{name: text})
        if answer.is_good:
            kept = _kept(run, answer, name)
            lost = [each for each in words[i:] if not set(_CHARACTERS[each]) <= {*kept}]
            is_set = lost == words[i : i + len(lost)]
            run.find(
                f"{name}-characters",
                words[i + len(lost)] if is_set else f"without {', '.join(lost)}",
            )
            return "refuse" if i else None if not lost else "replace" if "?" in kept else "strip"
    raise Unmeasured(f"plain {name} were refused")


def _first(becomes: list[str | None]) -> str:
    found = next(filter(None, becomes), None)
    if found is None:
        raise Unmeasured("all of it was kept")
    return found


@probe("unknown-payer", sends=1, makes=1)
def _unknown_payer(run: Run) -> str:
    is_good = run.create("unknown-payer", payer=NOBODY).is_good
    run.rest("list-lag", "get-lag")  # the reads that come once more need what was created
    return "accepted" if is_good else "refused"


# Twins and responses


@probe("twins", "accepted-amount", "second-answer", sends=6, makes=2)
def _responses(run: Run) -> None:
    child = _twin(run, "twin to accept")
    accept = {"status": "Accepted", "notes": NOTES, "modified_amount": LEAST}
    accepted = _responded_twice(run, "accept", child, accept)
    run.rest("get-lag")
    amount = member(run.read(f"/{child}"), "payment_request", "payment_details", "amount")
    if amount is not None:
        run.find(
            "accepted-amount", "modified" if Decimal(str(amount)) == Decimal(LEAST) else "requested"
        )
    child = _twin(run, "twin to decline")
    declined = _responded_twice(run, "decline", child, {"status": "Declined", "notes": NOTES})
    run.find(
        "second-answer",
        accepted if accepted == declined else f"{accepted} an accept, {declined} a decline",
    )


def _twin(run: Run, step: str) -> str:
    made = run.made(step, amount=MORE, amount_modification_allowed=True)
    places, name, child = [made.body], "victor_payment_request_child_id", None
    for pause in PAUSES:
        child = next((each for place in places if (each := member(place, name))), None)
        if child:
            break
        run.sleep(pause)
        places = run.listed(str(made.id))
    run.find("twins", bool(child))
    if not child:
        raise Unmeasured("the request to the second account has no twin")
    return str(child)


def _responded_twice(run: Run, step: str, child: str, body: dict[str, str]) -> str:
    first, second = (run.respond(each, child, **body) for each in (step, f"{step} again"))
    if not first.is_good:
        raise Unmeasured(
            f"call {first.call}, the {step} of a twin, was answered with {first.status}"
        )
    return "replay" if second.is_good else "refuse"


# By choice


@probe("leeway")
def _leeway(run: Run) -> None:
    tolerated = 0
    for seconds in (10, 60):
        for issued, expires in ((seconds, seconds + 60), (-seconds - 60, -seconds)):
            if run.read(token=run.token(issued, expires)).is_good:
                tolerated = seconds
    run.find("leeway", tolerated, play=tolerated or None)


@probe("key-life", sends=2 * len(AGES), makes=len(AGES))
def _key_life(run: Run) -> None:
    longest: float = run.plan["key_life"]
    made = [run.made(f"key to keep {i}") for i in range(len(AGES))]
    kept, gone = 0.0, None
    for i, part in enumerate(AGES):
        age, began = part * longest, run.writes[f"key to keep {i}"]["began"]
        run.sleep(max(0.0, began + age - run.now()))
        answer = run.create(f"kept key {i}", like=f"key to keep {i}")
        if not answer.is_good:
            raise Unmeasured(
                f"call {answer.call}, a repeat with its key, was answered with {answer.status}"
            )
        late = run.writes[f"kept key {i}"]["began"] - began
        # it was started again long after
        age = age if late < 1.01 * age + 1 else float(round(late))
        if answer.id != made[i].id:
            gone = age
            break
        kept = age
    value, play = ("kept", None) if gone is None else (f"{kept:g} to {gone:g} s", (kept + gone) / 2)
    run.find(
        "key-life", value, play=play, note=f"a repeat after {kept:g} s was a replay" if kept else ""
    )
