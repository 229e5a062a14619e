"""Each contender is measured beside raw httpx, which has a process of its own."""

import pytest

from benchmarks import measure
from benchmarks.measures import Measure, contender

ROUNDS = 4
URLS = {False: "plain", True: "secure"}


class Told:
    """A process that notes in which order it is asked."""

    def __init__(self, log, name, beside=None):
        each = beside or contender(name)
        self.kind = ("raw" if beside else name, each.shape, each.tls)
        self.log = log

    def order(self, *_order):
        self.log.append(self.kind)
        return [1, 0.25 if self.kind[0] == "raw" else 0.5, 0.125]

    def close(self):
        self.log.append("closed")


@pytest.fixture
def log(monkeypatch):
    found = []
    monkeypatch.setattr(
        measure, "Worker", lambda name, _urls, beside=None: Told(found, name, beside)
    )
    return found


ROWS = ("victor", "victor_reused", "stock", "mollie", "victor_tls", "stock_tls")


def test_raw_httpx_runs_next_to_each_contender_and_begins_every_other_round(log):
    one = Measure("A measure", "call", ROWS, "call", ROUNDS, 10, 1.0, "get")
    with measure.pairs(ROWS, URLS) as pairs:
        rows = measure.in_turn(one, pairs)
    assert {name: len(rounds) for name, rounds in rows.items()} == dict.fromkeys(ROWS, ROUNDS)
    for rounds in rows.values():
        assert rounds == [[[1, 0.5, 0.125], [1, 0.25, 0.125]]] * ROUNDS
    asked = [each for each in log if each != "closed"]
    neighbours = list(zip(asked[::2], asked[1::2], strict=True))
    for number in range(ROUNDS + 1):
        begins_raw = number % 2 == 0
        own = {}
        for pair in neighbours[number * len(ROWS) : (number + 1) * len(ROWS)]:
            raw, mine = pair if begins_raw else pair[::-1]
            each = contender(mine[0])
            assert raw == ("raw", each.shape, each.tls)
            own[mine[0]] = raw
        assert set(own) == set(ROWS)


def test_there_is_one_process_of_raw_httpx_for_each_shape_with_tls_and_without(log):
    with measure.pairs(ROWS, URLS) as pairs:
        raws = {pair.raw for pair in pairs.values()}
        kinds = {(contender(name).shape, contender(name).tls) for name in ROWS}
        assert {pair.raw.kind[1:] for pair in pairs.values()} == kinds
        assert len(raws) == len(kinds)
        assert not raws & {pair.own for pair in pairs.values()}
    assert log.count("closed") == len(ROWS) + len(raws)


def test_a_fresh_process_of_raw_httpx_runs_next_to_each_fresh_process(monkeypatch):
    asked = []

    def output(name, *_words):
        asked.append(name)
        return [1, len(asked), 0.1]

    monkeypatch.setattr(measure, "output", output)
    names = ("raw", "victor", "stock")
    one = Measure("A measure", "first", names, "process", ROUNDS, 1, 0)
    rows = measure.first_answers(one, "plain")
    assert all(abs(own[1] - raw[1]) == 1 for found in rows.values() for own, raw in found)
    assert all(
        [own[1] < raw[1] for own, raw in found] == [True, False, True, False]
        for found in rows.values()
    )
