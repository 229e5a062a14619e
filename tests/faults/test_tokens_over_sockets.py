"""The exchange for a token is cut: the call itself is where it was before."""

from __future__ import annotations

import pytest

from tests.faults.adapters import ATTEMPTS, MODES, OPERATIONS, Operation, adapter
from tests.faults.cutting_proxy import Cut
from tests.faults.raw_sockets import Background, End

each_mode = pytest.mark.parametrize("mode", MODES)
each_end = pytest.mark.parametrize("how", ["reset", "close"])
STEP = 11


@pytest.mark.parametrize("operation", OPERATIONS)
@each_end
@each_mode
def test_no_token_no_call(background: Background, mode: str, operation: Operation, how: End, every: bool) -> None:
    wrong: list[str] = []
    with adapter(background, mode, fresh_tokens=True) as on:
        whole = on.proxy.exchanges[0]
        cuts = [Cut("request", after, how) for after in range(0, whole.request, 1 if every else STEP)]
        cuts += [Cut("answer", after, how) for after in range(0, whole.answer, 1 if every else STEP)]
        for cut in cuts:
            run = on.run(operation, [cut])
            if run.observed.word != "success" or run.mismatches():
                wrong.append(f"{cut}, once: {run.mismatches()}; {run}")
            run = on.run(operation, [cut] * ATTEMPTS)
            if run.observed.word != "not_sent" or run.seen.requests or run.seen.work:
                wrong.append(f"{cut}, always: {run}")
    assert wrong == []


@each_end
@each_mode
def test_no_token_for_the_next_attempt(background: Background, mode: str, how: End) -> None:
    """The first attempt may have done the work: that there is no token for another one does not undo it."""
    with adapter(background, mode, fresh_tokens=True) as on:
        for lost in (Cut("request", 300, how), Cut("answer", 0, how), Cut("answer", 100, how)):
            run = on.run("create", [None, lost, *[Cut("request", 0, how)] * ATTEMPTS])
            assert (run.observed.word, run.mismatches()) == ("unknown", []), lost
            assert run.seen.work == (lost.side == "answer")
            assert run.observed.error is not None
            assert (run.observed.error.attempts, run.observed.error.idempotency_key is not None) == (1, True)
