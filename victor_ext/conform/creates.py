"""Probes that ask for money: a few requests for the smallest amount, each counted in the file
before it is sent.
"""

import math
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import accumulate

from victor_ext import Status

from .assumptions import probe
from .exchanges import (
    Response,
    Unmeasured,
    code_of,
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
from .reads import invalid_list
from .redaction import NOBODY, NOTES
from .run import ELSEWHERE, LEAST, MORE, PAUSES, Run

_TEXTS = {
    "notes": ("payment_request", "payment_details", "notes"),
    "reference": ("client_reference_id",),
}
"""Where a response has them."""
_CHARACTERS = {"any": "€漢😀", "latin-1": "éß", "ascii": "&_#/", "basic": ""}
"""What each word for a set of characters has more than the next one."""
AGES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1)
"""The ages at which keys are repeated, as parts of the longest.

Each has a key of its own: a repeat may renew one.
"""
_LOOKS = tuple(accumulate(PAUSES))
"""The seconds after which is looked."""
_BRIEF = 0.25
"""Seconds of a call that are not counted."""
_SOON = 30
"""Seconds that calls may take beside the pauses between them."""
_CLOCK_ERROR = 2
"""Seconds by which the provider's clock may be known wrongly: it is read in whole seconds."""
_SAFE_KEY = 36
_SAFE_TEXT = 20


@probe("get-lag", "list-lag", sends=1, makes=1)
def _lags(run: Run) -> None:
    """After how many seconds a new request can be read by its id, and is in the list."""
    made = run.made("lag")
    answered = run.now()
    if made.is_earlier or made.call != run.writes["lag"]["call"]:
        raise Unmeasured(f"only looks right after the create show it: {ELSEWHERE}", is_failure=True)
    id = made.named_id
    since = ("start_datetime", moment(int(run.now()), -3600))

    def is_read() -> bool:
        answer = run.read(f"/{id}")  # what is answered to any id says nothing of this one
        return answer.is_good and answer.id == id

    def is_listed() -> bool:
        return id in run.page(since, ("victor_id", id)).ids

    looks = {"get-lag": is_read, "list-lag": is_listed}
    hidden: dict[str, float] = {}
    for waited in _LOOKS:
        run.sleep(max(0.0, answered + waited - run.now()))
        for name, is_shown in [*looks.items()]:  # a copy: what has been shown is not looked for
            asked = run.now() - answered
            if is_shown():
                _find_wait(run, name, hidden.get(name), run.now() - answered)
                del looks[name]
            hidden[name] = asked
    if looks:
        raise Unmeasured(f"the new request was not shown within {sum(PAUSES)} s")


def _find_wait(run: Run, name: str, least: float | None, most: float) -> None:
    """Find how long something takes: longer than the last look that did not show it, and no longer
    than the first one that did, which is the value. Without the former it takes no time.
    """
    if least is None:
        run.find(name, 0)
        return
    seconds = max(1, math.ceil(most - _BRIEF))
    run.find(name, seconds, note=f"it takes between {max(0, math.floor(least))} and {seconds} s")


@probe("key-repeat", "key-in-progress", sends=len(PAUSES) + 2, makes=1)
def _repeats(run: Run) -> object:
    first = run.made("repeat 1")
    since = run.writes["repeat 1"]["began"] if first.is_earlier else run.now()
    refused: float | None = None
    for waited in _LOOKS:
        step = f"repeat after {waited} s"
        if step not in run.writes:
            run.sleep(max(0.0, since + waited - run.now()))
        answer = run.create(step, like="repeat 1")
        age = run.writes[step]["began"] - since  # it may be of a later run
        if answer.status != 409:
            break
        refused = age
    else:
        return 409
    if age <= 2 * waited + _SOON:
        _find_wait(run, "key-in-progress", refused, age)
    if not answer.is_good:
        return answer.status
    if answer.named_id != first.named_id:
        return "new"
    return _repeated_status(run, first, answer)


def _repeated_status(run: Run, first: Response, repeat: Response) -> str | None:
    """Compare the status of repeats with that of the first answer. Another one is no replay."""
    before = _status_of(first)
    if not before or not _status_of(repeat):
        raise Unmeasured("the answers have no status that can be compared")
    if _status_of(repeat) != before:
        return "current"
    change = _change_of(run, first.named_id, before)
    repeated = _status_of(run.create("repeat of a changed one", like="repeat 1"))
    if repeated and repeated != before:
        return "current"
    if repeated and change == "changed":
        return "replay"
    if change == "unknown":
        raise Unmeasured(f"neither list nor get shows the status within {sum(PAUSES)} s")
    run.find("key-repeat", "replay", "likely", note="the request has not changed since")
    return None


def _status_of(answer: Response) -> str:
    """The status of a request; empty where it cannot be compared.

    The file of an earlier run has no words of the provider's own.
    """
    status = member(answer, "status")
    is_shown = not answer.is_earlier or word(status) in {*Status}
    return word(status) if is_shown and status is not None else ""


def _change_of(run: Run, id: str, before: str) -> str:
    """Wait until the status of a request is another one than before.

    The list says it, or get. The words of get may be others than those of a create: a change
    between two looks shows it. Returns `changed` or `unchanged`; `unknown` where neither shows it.
    """
    got = ""
    is_shown = False
    for pause in PAUSES:
        run.sleep(pause)
        statuses = [item.get("status") for item in run.listed(id)]
        listed = {word(status) for status in statuses if status is not None}
        now = _got_status(run, id)
        if listed - {before} or (got and now and now != got):
            return "changed"
        got = now or got
        is_shown = is_shown or before in (*listed, got)
    return "unchanged" if is_shown else "unknown"


def _got_status(run: Run, id: str) -> str:
    """The status that get answers; empty where it does not know the request."""
    with suppress(Unmeasured):
        answer = run.read(f"/{id}")
        if answer.is_good and answer.id == id:
            return _status_of(answer)
    return ""


@probe("key-conflict", sends=2, makes=1)
def _conflict(run: Run) -> object:
    first = run.made("repeat 1").named_id
    run.rest("key-in-progress")
    ids = {first, *(call["id"] for call in run.writes.values())}
    answer = run.create("conflict", like="repeat 1", amount=MORE)
    if not answer.is_good:
        run.made_in_order("conflict, in order", amount=MORE)
        return answer.status
    return "replay" if answer.named_id in ids else "new"


@probe("two-at-once", sends=2, makes=1)
def _two_at_once(run: Run) -> str | None:
    answers = run.create_both("both 1", "both 2")
    ids = {answer.named_id for answer in answers if answer.is_good}
    if not ids:
        raise Unmeasured("both of two creates at once were refused")
    if len(ids) > 1:
        return "two"
    run.find("two-at-once", "one", seen=1)
    return None


@probe("refused-key", "error-code", "error-shape", sends=3, makes=1)
def _refused_key(run: Run) -> str:
    refused = run.create("refused", amount="x")
    if refused.is_good:
        raise Unmeasured("an amount that is no number is accepted")
    code = member(refused, "error", "code")
    if code is not None:
        run.find("error-code", code_of(code))
    with suppress(Unmeasured):  # what a list says is of no account to the key
        run.find("error-shape", _shape_of_both(invalid_list(run), refused), seen=2)
    run.rest("key-in-progress")
    corrected = run.create("refused, corrected", like="refused", amount=LEAST)
    if corrected.is_good:
        return "free"
    run.made_in_order("refused, in order")
    return "bound"


def _shape_of_both(validation: Response, refusal: Response) -> str:
    shapes = (shape_of(validation), shape_of(refusal))
    if shapes == ("validation", "api"):
        return "documented"
    return shapes[0] if shapes[0] == shapes[1] else "mixed"


@probe("key-shortest", "key-longest", sends=18, makes=3)
def _key_lengths(run: Run) -> None:
    run.made_in_order("key in order")
    _find_edge(run, "key-shortest", documented=20, beyond=19, farthest=8)
    _find_edge(run, "key-longest", documented=128, beyond=129, farthest=256)


def _find_edge(run: Run, name: str, *, documented: int, beyond: int, farthest: int) -> None:
    def is_accepted(length: int) -> bool:
        key = f"{run.plan['marker']}{length}".ljust(length, "k")[-length:]
        return run.create(f"key of {length}", key=key).is_good

    length = edge(is_accepted, documented, safe=_SAFE_KEY, beyond=beyond, farthest=farthest)
    run.find(name, length, "likely" if length == farthest else "certain")


@probe("require-key", sends=2, makes=1)
def _no_key(run: Run) -> bool:
    if run.create("no key", key=None).is_good:
        return False
    run.made_in_order("with a key")
    return True


@probe("trim-texts", sends=1, makes=1)
def _padded(run: Run) -> bool:
    answer = run.made("padded notes", notes=f"  {NOTES}  ")
    kept = _kept(run, answer, "notes")
    if kept.strip() != NOTES:
        raise Unmeasured("the notes come back as others than were sent")
    return kept == NOTES


def _kept(run: Run, answer: Response, name: str) -> str:
    """A text as the provider keeps it. The file of an earlier run does not show it."""
    text = None if answer.is_earlier else member(answer, *_TEXTS[name])
    if text is None:
        text = member(run.read(f"/{answer.named_id}"), *_TEXTS[name])
    if not isinstance(text, str):
        raise Unmeasured(f"the response does not repeat the {name}")
    return text


def _begin(run: Run, name: str) -> str:
    """What a text begins with, so that it is known as ours."""
    marker: str = run.plan["marker"]
    return NOTES if name == "notes" else marker


@probe("long-texts", "notes-limit", "reference-limit", sends=20, makes=2)
def _lengths(run: Run) -> str:
    documented = {"notes": 150, "reference": 128}
    return _of_each_text(lambda name: _becomes_of_long(run, name, documented[name]))


def _becomes_of_long(run: Run, name: str, documented: int) -> str | None:
    """Find how many characters of a text are kept; returns what becomes of more, if that shows."""

    def create(length: int) -> Response:
        text = _begin(run, name).ljust(length, "n")
        return run.create(f"{name} of {length}", **{name: text})

    def is_accepted(length: int) -> bool:
        return create(length).is_good

    first = create(documented)
    accepted = edge(is_accepted, documented, safe=_SAFE_TEXT)
    if accepted < documented:
        run.control(create(accepted), f"{name} of {accepted} characters")
        run.find(f"{name}-limit", accepted)
        return "refuse"
    kept = len(_kept(run, first, name))
    run.find(f"{name}-limit", kept)
    return None if kept == documented else "cut"


@probe("other-characters", "notes-characters", "reference-characters", sends=8, makes=2)
def _characters(run: Run) -> str:
    return _of_each_text(lambda name: _becomes_of_others(run, name))


def _becomes_of_others(run: Run, name: str) -> str | None:
    """Find which characters of a text are kept; returns what becomes of others, if that shows."""
    sets = [*_CHARACTERS]
    while sets:
        text = _text_with(run, name, sets)
        answer = run.create(f"{name} of {sets[0]} characters", **{name: text})
        if answer.is_good:
            kept = _kept(run, answer, name)
            if len(kept) < len(text) and not kept.lower().endswith(text[-1]):
                raise Unmeasured(f"the {name} are cut, so that nothing shows which they keep")
            lost = [label for label in sets if not set(_CHARACTERS[label]) <= set(kept)]
            run.find(f"{name}-characters", _kept_set(sets, lost))
            if len(sets) < len(_CHARACTERS):  # more of them were refused
                return "refuse"
            return _made_of(text, kept, "".join(_CHARACTERS[label] for label in lost))
        del sets[0]
    raise Unmeasured(f"plain {name} were refused")


def _text_with(run: Run, name: str, sets: list[str]) -> str:
    """A text with the characters of these sets. It has no more than the limit that was found.

    All of them are as long, so that the length of none is why it is refused.
    """
    limit = run.finding(f"{name}-limit").get("value")
    parts = [_begin(run, name), *map(_CHARACTERS.get, sets), "end"]
    text = " ".join(part for part in parts if part)
    every = "".join(_CHARACTERS.values())
    longest = f"{_begin(run, name)}     {every} end"
    if limit is not None and len(longest.encode()) <= int(limit):
        return text.removesuffix("end").ljust(len(longest) - 3, "0") + "end"
    others = "".join(_CHARACTERS[label] for label in sets)
    return others.ljust(len(every), "0") + "d"


def _made_of(text: str, kept: str, lost: str) -> str | None:
    """What became of the characters of a text that were lost; None where none was.

    Raises `Unmeasured` for anything else than leaving them out, or a question mark for each. Spaces
    do not count: they may be joined where something between them is left out.
    """
    if not lost:
        return None
    becomes = {"strip": "", "replace": "?"}
    for outcome, sign in becomes.items():
        expected = text.translate(dict.fromkeys(map(ord, lost), sign))
        if "".join(kept.split()) == "".join(expected.split()):
            return outcome
    raise Unmeasured("other characters become something else, or the text is changed elsewhere")


def _kept_set(sets: list[str], lost: list[str]) -> str:
    """The largest set of characters that was kept; the lost ones, if they are no whole set."""
    if lost == sets[: len(lost)]:
        return sets[len(lost)]
    return f"without {', '.join(lost)}"


def _of_each_text(becomes: Callable[[str], str | None]) -> str:
    """Measure each text; returns what becomes of what is not kept, as the first one shows it.

    Where one cannot be measured, the others are. Raises `Unmeasured` where none shows it.
    """
    outcomes: list[str | None] = []
    reasons: list[Unmeasured] = []
    for name in _TEXTS:
        try:
            outcomes.append(becomes(name))
        except Unmeasured as error:
            reasons.append(error)
    shown = [outcome for outcome in outcomes if outcome is not None]
    if shown:
        return shown[0]
    raise reasons[0] if reasons else Unmeasured("all of it was kept")


@probe("unknown-payer", sends=2, makes=1)
def _unknown_payer(run: Run) -> str:
    is_good = run.create("unknown-payer", payer=NOBODY).is_good
    if not is_good:
        run.made_in_order("known payer")
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
        is_modified = _decimal_of(amount) == Decimal(LEAST)
        run.find("accepted-amount", "modified" if is_modified else "requested")
    child = _twin(run, "twin to decline")
    decline = {"status": "Declined", "notes": NOTES}
    declined = _responded_twice(run, "decline", child, decline)
    both = f"{accepted} an accept, {declined} a decline"
    run.find("second-answer", accepted if accepted == declined else both)


def _decimal_of(amount: object) -> Decimal:
    if is_text(amount) or is_number(amount):
        with suppress(InvalidOperation):
            return Decimal(str(amount))
    raise odd("the amount", amount, "no number")


def _twin(run: Run, step: str) -> str:
    made = run.made(step, amount=MORE, amount_modification_allowed=True)
    child = _child_of([made.body])
    is_listed = False
    for pause in PAUSES:
        if child:
            break
        run.sleep(pause)
        listed = run.listed(made.named_id)
        is_listed = is_listed or bool(listed)
        child = _child_of(listed) or _listed_child(run, made.named_id)
    if not child and not is_listed:
        raise Unmeasured("the list does not show the request that may have a twin", is_failure=True)
    run.find("twins", bool(child))
    if not child:
        raise Unmeasured("the request to the second account has no twin")
    return child


def _listed_child(run: Run, parent: str) -> str | None:
    """The id of the request that names this one as its parent; None if the list has none, or may
    not be asked so.
    """
    name = "victor_payment_request_parent_id"
    answer = run.read("", (name, parent))
    for item in answer.items if answer.is_good else ():
        if id_in(item, name) == parent:
            return id_in(item)
    return None


def _child_of(records: Iterable[object]) -> str | None:
    for record in records:
        child = id_in(record, "victor_payment_request_child_id")
        if child:
            return child
    return None


def _responded_twice(run: Run, step: str, child: str, body: dict[str, str]) -> str:
    run.rest("get-lag")  # before, nobody may know the twin
    first = run.respond(step, child, **body)
    second = run.respond(f"{step} again", child, **body)
    if not first.is_good:
        reason = f"call {first.call}, the {step} of a twin, was answered with {first.status}"
        raise Unmeasured(reason)
    return "replay" if second.is_good else "refuse"


# By choice


@probe("leeway")
def _leeway(run: Run) -> None:
    run.control(run.read(token=run.token(-5, 295)), "a token in order")
    tolerated = 0
    for seconds in (10, 60):
        by = seconds - _CLOCK_ERROR
        is_early = run.read(token=run.token(by, by + 60)).is_good
        is_late = run.read(token=run.token(-by - 60, -by)).is_good
        if is_early is not is_late:
            accepted, refused = ("early", "late") if is_early else ("late", "early")
            raise Unmeasured(
                f"a token that is {seconds} s {accepted} is accepted, and one that is {seconds} s "
                f"{refused} is refused"
            )
        if is_early:
            tolerated = seconds
    if tolerated:
        run.find("leeway", tolerated)
    else:
        run.find("leeway", 0, play=None)


@probe("key-life", sends=2 * len(AGES), makes=len(AGES))
def _key_life(run: Run) -> None:
    longest: float = run.plan["key_life"]
    # A request whose due date has passed is refused, whatever its key.
    tomorrow = datetime.fromtimestamp(run.now(), UTC).date() + timedelta(days=1)
    due = {"due_date": tomorrow.isoformat()}
    made = [run.made(f"key to keep {number}", **due) for number in range(len(AGES))]
    kept = 0.0
    for number, part in enumerate(AGES):
        age, answer = _repeat_at(run, number, part * longest)
        if answer.named_id != made[number].named_id:
            note = f"a repeat after {kept:g} s was a replay" if kept else ""
            run.find("key-life", f"{kept:g} to {age:g} s", play=(kept + age) / 2, note=note)
            return
        kept = age
    run.find("key-life", "kept", play=None, note=f"a repeat after {kept:g} s was a replay")


def _repeat_at(run: Run, number: int, age: float) -> tuple[float, Response]:
    """Repeat a key at its age; returns the age at which it was repeated, and the answer."""
    began: float = run.writes[f"key to keep {number}"]["began"]
    run.sleep(max(0.0, began + age - run.now()))
    answer = run.create(f"kept key {number}", like=f"key to keep {number}")
    if not answer.is_good:
        reason = f"call {answer.call}, a repeat with its key, was answered with {answer.status}"
        raise Unmeasured(reason)
    late: float = run.writes[f"kept key {number}"]["began"] - began
    if late >= 1.01 * age + 1:  # it was started again long after
        return float(round(late)), answer
    return age, answer
