"""A system that is connected by its document alone stands the same cuts: at every byte, and held against the record."""

from __future__ import annotations

import pytest

from tests.faults.adapters import Operation, adapter, timeouts
from tests.faults.connected_callers import MODES
from tests.faults.raw_sockets import Background, End
from tests.faults.test_fault_matrix import PATIENT, STALL, complaints, ending, points, the_cuts, whole_exchange

each_operation = pytest.mark.parametrize("operation", ["get", "create"])
each_mode = pytest.mark.parametrize("mode", MODES)


@pytest.mark.parametrize("side", ["request", "answer"])
@pytest.mark.parametrize("how", ["reset", "close"])
@each_operation
@each_mode
def test_cut_at_every_byte(background: Background, mode: str, operation: Operation, how: End, side: str) -> None:
    wrong: list[str] = []
    with adapter(background, mode) as on:
        whole = whole_exchange(on, operation)
        for cut in points(whole, side, how):
            for always in (False, True):
                run = on.run(operation, the_cuts(operation, cut, always=always))
                wrong += complaints(run, cut, whole, always=always)
    assert wrong == []


@each_operation
@each_mode
@pytest.mark.parametrize("work", [False, True], ids=["before the work", "after the work"])
def test_a_stall_between_the_request_and_the_answer(
    background: Background, mode: str, operation: Operation, work: bool
) -> None:
    with adapter(background, mode, direct=True, timeout=timeouts(STALL), retry=PATIENT) as on:
        on.provider.acts.append(ending("stall", work=work))
        run = on.run(operation)
        assert (run.observed.word, run.mismatches()) == ("success", [])
