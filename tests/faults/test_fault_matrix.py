"""Exchanges are cut, at any byte, and what the caller observes is compared with the provider's own
record.

Two policies: only the first exchange of a call is cut (and a retry, or a look, has to find the
way), or all are.
"""

import pytest

from tests.faults.adapters import (
    ATTEMPTS,
    adapter,
    each_mode,
    each_operation,
    places,
    timeouts,
)
from tests.faults.raw_provider import Cut
from victor_ext import ConnectionFailed, RetryPolicy, TimedOut

pytestmark = pytest.mark.slow
STALL = 0.2

PATIENT = RetryPolicy(max_attempts=2 * ATTEMPTS, base=0.0, quota=10**9)
"""For what goes wrong once: a slow moment of this machine is not what is tested."""

both_sides = pytest.mark.parametrize("side", ["request", "answer"])
each_end = pytest.mark.parametrize("how", ["reset", "close"])


def expected(operation, cut, whole, *, always):
    """What the caller must observe."""
    if cut.side == "answer" and cut.after == whole.answer:
        return "success"  # all of it arrived before the connection was ended
    if always:
        return "unknown"
    if operation == "respond" and cut.side == "request":
        return (
            "unknown"  # the request is read back, and shows no answer: it could still be on its way
        )
    return "success"


def complaints(run, cut, whole, *, always):
    """What is wrong with a run."""
    wrong, error = run.mismatches(), run.observed.error
    wanted = expected(run.operation, cut, whole, always=always)
    if run.observed.word != wanted:
        wrong.append(f"got {run.observed.word}, not {wanted}")
    if error is not None:
        kind = TimedOut if cut.how == "stall" else ConnectionFailed
        attempts = 1 if run.operation == "respond" else ATTEMPTS
        if not isinstance(error, kind) or error.attempts != attempts:
            wrong.append(f"it is {error!r}")
    return [f"{cut}, {'always' if always else 'once'}: {each}; {run}" for each in wrong]


def the_cuts(operation, cut, *, always):
    """The cut in the first exchange; and, if always, in all those that follow it."""
    if not always:
        return [cut]
    if operation == "respond":
        return [cut, *[Cut("request", 0, cut.how)] * ATTEMPTS]  # looking fails too
    return [cut] * ATTEMPTS


def whole_exchange(on, operation):
    """How many bytes an exchange has when nothing goes wrong."""
    assert on.run(operation).observed.word == "success"
    return on.provider.exchanges[-1]


def points(whole, side, how):
    """Cuts at each of the `places`, the first one before any byte.

    A whole request is not a cut one, and a stall after a whole answer is none; a connection that is
    ended there is.
    """
    length = whole.request if side == "request" else whole.answer + (how != "stall")
    return (Cut(side, after, how) for after in places(length))


@both_sides
@each_end
@each_operation
@each_mode
def test_the_outcome_of_an_exchange_that_is_cut_at_any_byte_is_true(
    background, mode, operation, how, side
):
    wrong = []
    with adapter(background, mode) as on:
        whole = whole_exchange(on, operation)
        for cut in points(whole, side, how):
            for always in (False, True):
                run = on.run(operation, the_cuts(operation, cut, always=always))
                wrong += complaints(run, cut, whole, always=always)
    assert wrong == []


@each_mode
@pytest.mark.parametrize("operation", ["create", "respond"])
def test_a_write_whose_work_is_done_after_its_timeout_is_never_told_as_undone(
    background, mode, operation
):
    """That nothing could be seen of an answer yet is no proof that it is lost."""
    held = []
    with adapter(background, mode, timeout=timeouts(STALL), retry=PATIENT) as on:
        on.provider.acts.append(held.append)
        run = on.expect("success" if operation == "create" else "unknown", operation)
        background.do(held[0].work)
        assert on.provider.record.work[run.subject] == 1


@both_sides
@each_end
@each_mode
def test_the_outcome_is_true_if_the_look_up_after_a_lost_answer_is_cut_at_any_byte(
    background, mode, how, side
):
    """The answer to `respond` is lost after the work; the look at what became of it is cut as
    well.
    """
    lost = Cut("answer", 0, how)
    wrong = []
    with adapter(background, mode) as on:
        assert on.run("respond", [lost]).observed.word == "success"
        whole = on.provider.exchanges[-1]
        for cut in points(whole, side, how):
            for times, wanted in ((1, "success"), (ATTEMPTS, "unknown")):
                run = on.run("respond", [lost, *[cut] * times])
                wrong += [f"{cut}, {times} times: {each}; {run}" for each in run.mismatches()]
                if cut.side == "answer" and cut.after == whole.answer:
                    wanted = "success"  # noqa: PLW2901 - nothing of it was cut off
                if run.observed.word != wanted:
                    wrong.append(
                        f"{cut}, {times} times: got {run.observed.word}, not {wanted}; {run}"
                    )
    assert wrong == []


@both_sides
@each_operation
@each_mode
@pytest.mark.parametrize("always", [False, True], ids=["once", "always"])
def test_the_outcome_of_an_exchange_that_stalls_is_true(background, mode, operation, side, always):
    with adapter(background, mode) as on:
        whole = whole_exchange(on, operation)
    first, *_, last = points(whole, side, "stall")  # not all: each stall costs its timeout
    retry = RetryPolicy(max_attempts=ATTEMPTS, base=0.0, quota=10**9) if always else PATIENT
    with adapter(background, mode, timeout=timeouts(STALL), retry=retry) as on:
        for cut in (first, last):
            run = on.run(operation, the_cuts(operation, cut, always=always))
            assert complaints(run, cut, whole, always=always) == []
