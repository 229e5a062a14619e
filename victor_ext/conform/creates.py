"""Probes that ask for money: a few requests for the smallest amount, each counted in the file before it is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from .exchanges import Answer, Unmeasured
from .reads import invalid_list, shape_of
from .run import LEAST, MORE, NOBODY, NOTES, PAUSES, Run, edge, member, moment, probe, word

_MEMBERS = {"notes": ("payment_request", "payment_details", "notes"), "reference": ("client_reference_id",)}
_CHARACTERS = {"any": "€漢😀", "latin-1": "éß", "ascii": "&_#/", "basic": ""}
"""What each word for a set of characters has more than the next one."""
AGES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1)
"""The ages at which keys are repeated, as parts of the longest. Each has a key of its own: a repeat may renew one."""


@probe("get-lag", "list-lag", sends=1, makes=1)
def _lags(run: Run) -> None:
    id = str(run.made("lag").id)
    since, waited = ("start_datetime", moment(run.now(), -3600)), 0

    def is_known() -> bool:
        return run.read(f"/{id}").is_good

    def is_listed() -> bool:
        return id in run.page(since, ("victor_id", id)).ids

    looks = {"get-lag": is_known, "list-lag": is_listed}
    for pause in PAUSES:
        run.sleep(pause)
        waited += pause
        for name in [name for name, is_shown in looks.items() if is_shown()]:
            run.find(name, waited)
            del looks[name]
    if looks:
        raise Unmeasured(f"the new request was not shown within {waited} s")


@probe("key-repeat", "key-in-progress", sends=len(PAUSES) + 2, makes=1)
def _repeats(run: Run) -> None:
    first, waited = run.made("repeat 1"), 0
    for pause in PAUSES:
        run.sleep(pause)
        waited += pause
        answer = run.create(f"repeat after {waited} s", like="repeat 1")
        if answer.status != 409:
            break
    else:
        run.find("key-repeat", 409)
        return
    run.find("key-in-progress", waited)
    if answer.id != first.id:
        run.find("key-repeat", "new" if answer.is_good else answer.status)
        return
    run.find("key-repeat", "replay", "likely", note="the request has not changed since")
    for pause in PAUSES[:5]:
        run.sleep(pause)
        if any(word(item.get("status")) != "created" for item in run.listed(str(first.id))):
            last = run.create("repeat of a changed one", like="repeat 1")
            run.find("key-repeat", "replay" if word(member(last, "status")) == "created" else "current")
            return


@probe("key-conflict", sends=1)
def _conflict(run: Run) -> None:
    run.made("repeat 1")
    run.rest("key-in-progress")
    ids = {entry["id"] for entry in run.document["made"]}
    answer = run.create("conflict", like="repeat 1", amount=MORE)
    run.find("key-conflict", answer.status if not answer.is_good else "replay" if answer.id in ids else "new")


@probe("two-at-once", sends=2, makes=1)
def _two_at_once(run: Run) -> None:
    answers = run.create_both("both 1", "both 2")
    ids = {answer.id for answer in answers if answer.is_good}
    if not ids:
        raise Unmeasured("both of two creates at once were refused")
    run.find("two-at-once", "one" if len(ids) == 1 else "two")


@probe("refused-key", "error-code", "error-shape", sends=2, makes=1)
def _refused_key(run: Run) -> None:
    refused = run.create("refused", amount="x")
    if refused.is_good:
        raise Unmeasured("an amount that is no number is accepted")
    if (code := member(refused, "error", "code")) is not None:
        run.find("error-code", code)
    shapes = shape_of(invalid_list(run)), shape_of(refused)
    is_documented = shapes == ("validation", "api")
    run.find("error-shape", "documented" if is_documented else shapes[0] if shapes[0] == shapes[1] else "other")
    again = run.create("refused, corrected", like="refused", amount=LEAST)
    run.find("refused-key", "free" if again.is_good else "bound")


def _takes_key(run: Run, length: int) -> bool:
    key = f"{run.plan['marker']}{length}".ljust(length, "k")[-length:]
    return run.create(f"key of {length}", key=key).is_good


@probe("key-shortest", sends=7, makes=1)
def _shortest_key(run: Run) -> None:
    shortest = edge(lambda length: _takes_key(run, length), 20, safe=36, beyond=19, farthest=8)
    run.find("key-shortest", shortest, "likely" if shortest == 8 else "certain")


@probe("key-longest", sends=10, makes=1)
def _longest_key(run: Run) -> None:
    longest = edge(lambda length: _takes_key(run, length), 128, safe=36, beyond=129, farthest=256)
    run.find("key-longest", longest, "likely" if longest == 256 else "certain")


@probe("require-key", sends=1, makes=1)
def _no_key(run: Run) -> None:
    run.find("require-key", not run.create("no key", key=None).is_good)


def _kept(run: Run, answer: Answer, name: str) -> str:
    """A text as the provider keeps it."""
    text = member(answer, *_MEMBERS[name])
    text = text if text is not None else member(run.read(f"/{answer.id}"), *_MEMBERS[name])
    if not isinstance(text, str):
        raise Unmeasured(f"the response does not repeat the {name}")
    return text


def _begin(run: Run, name: str) -> str:
    return NOTES if name == "notes" else run.plan["marker"]


@probe("notes-limit", "reference-limit", "long-texts", sends=18, makes=2)
def _lengths(run: Run) -> None:
    what = None
    for name, documented in (("notes", 150), ("reference", 128)):
        answers: list[Answer] = []

        def is_good(length: int, name: str = name, answers: list[Answer] = answers) -> bool:
            answers.append(run.create(f"{name} of {length}", **{name: _begin(run, name).ljust(length, "n")}))
            return answers[-1].is_good

        accepted = edge(is_good, documented, safe=20)
        kept = len(_kept(run, answers[0], name)) if accepted == documented else accepted
        run.find(f"{name}-limit", kept)
        what = what or (None if kept == documented else "cut" if accepted == documented else "refuse")
    if what is None:
        raise Unmeasured("texts of the documented lengths are kept")
    run.find("long-texts", what)


@probe("notes-characters", "reference-characters", "other-characters", sends=8, makes=2)
def _characters(run: Run) -> None:
    others = [_characters_of(run, name) for name in _MEMBERS]
    if not any(others):
        raise Unmeasured("all characters are kept")
    run.find("other-characters", next(filter(None, others)))


def _characters_of(run: Run, name: str) -> str | None:
    """Find which characters of a text are kept; returns what becomes of others, if that shows."""
    words = [*_CHARACTERS]
    for i, characters in enumerate(words):
        text = " ".join(filter(None, [_begin(run, name), *(_CHARACTERS[each] for each in words[i:]), "end"]))
        answer = run.create(f"{name} of {characters} characters", **{name: text})
        if answer.is_good:
            kept = _kept(run, answer, name)
            lost = [each for each in words[i:] if not set(_CHARACTERS[each]) <= {*kept}]
            is_set = lost == words[i : i + len(lost)]
            run.find(f"{name}-characters", words[i + len(lost)] if is_set else f"without {', '.join(lost)}")
            return "refuse" if i else None if not lost else "replace" if "?" in kept else "strip"
    raise Unmeasured(f"plain {name} were refused")


@probe("trim-texts", sends=1, makes=1)
def _trim(run: Run) -> None:
    run.find("trim-texts", _kept(run, run.made("padded notes", notes=f"  {NOTES}  "), "notes") == NOTES)


@probe("zero-amount", "past-due-date", "no-due-date", "unknown-payer", sends=4, makes=1)
def _oddities(run: Run) -> None:
    past = datetime.fromtimestamp(run.now(), UTC).date() - timedelta(days=3)
    odd: dict[str, dict[str, str | None]] = {
        "zero-amount": {"amount": "0.00"},
        "past-due-date": {"due_date": past.isoformat()},
        "no-due-date": {"due_date": None},
        "unknown-payer": {"payer": NOBODY},
    }
    for name, details in odd.items():
        run.find(name, "accepted" if run.create(name, **details).is_good else "refused")
    run.rest("list-lag", "get-lag")  # the reads that come once more need what was created


# Twins and responses


@probe("twins", "accepted-amount", "second-answer", sends=6, makes=2)
def _responses(run: Run) -> None:
    child = _twin(run, "twin to accept")
    accept = {"status": "Accepted", "notes": NOTES, "modified_amount": LEAST}
    accepted = _responded_twice(run, "accept", child, accept)
    run.rest("get-lag")
    amount = member(run.read(f"/{child}"), "payment_request", "payment_details", "amount")
    if amount is not None:
        run.find("accepted-amount", "modified" if Decimal(str(amount)) == Decimal(LEAST) else "requested")
    child = _twin(run, "twin to decline")
    declined = _responded_twice(run, "decline", child, {"status": "Declined", "notes": NOTES})
    run.find("second-answer", accepted if accepted == declined else f"{accepted} an accept, {declined} a decline")


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
        raise Unmeasured(f"call {first.call}, the {step} of a twin, was answered with {first.status}")
    return "replay" if second.is_good else "refuse"


# By choice


@probe("leeway")
def _leeway(run: Run) -> None:
    if run.token is None:
        raise Unmeasured("these credentials do not sign their own tokens")
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
        age, began = part * longest, run.sent_at(f"key to keep {i}")
        run.sleep(max(0.0, began + age - run.now()))
        answer = run.create(f"kept key {i}", like=f"key to keep {i}")
        if not answer.is_good:
            raise Unmeasured(f"call {answer.call}, a repeat with its key, was answered with {answer.status}")
        late = run.sent_at(f"kept key {i}") - began
        age = age if late < 1.01 * age + 1 else float(round(late))  # it was started again long after
        if answer.id != made[i].id:
            gone = age
            break
        kept = age
    value, play = ("kept", None) if gone is None else (f"{kept:g} to {gone:g} s", (kept + gone) / 2)
    run.find("key-life", value, play=play, note=f"a repeat after {kept:g} s was a replay" if kept else "")
