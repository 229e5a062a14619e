"""What is told of a second provider is so, and nothing of a person is told; whatever happens, no
more is made than was planned.
"""

import random

import pytest

from tests.conform.second import people
from tests.conform.second.faults import Deadly, Killed
from tests.conform.second.manners import CHOICES, ODDITIES, drawn
from tests.conform.second.measured import Measurement
from tests.conform.test_conform_loop import whole
from tests.tiers import borders
from victor_ext.sandbox import SandboxSettings

pytestmark = pytest.mark.slow
LIKELY = frozenset({"two-at-once", "key-repeat"})
"""What may be told as likely and be otherwise: one look at a race, and a request that does not
change while it is looked at.
"""


def bounds_of(report) -> tuple[int, int]:
    """How many payment requests may have been made, as the report says it."""
    return report._bounds()


@pytest.fixture
def measurement(victor_key_pair, tmp_path):
    return lambda seed: Measurement(seed, victor_key_pair[0], tmp_path)


@pytest.mark.parametrize("seed", borders(range(200), 0, 3, 5, 18, 43))
def test_what_is_told_of_a_second_provider_is_so(seed, measurement):
    measured = measurement(seed)
    report = measured.run()
    assert measured.wrong(report, "certain") == {}
    assert measured.wrong(report, "likely").keys() <= LIKELY
    assert measured.missed(report) == {}
    assert people.shown_in(measured.shown(report)) == []
    least, most = bounds_of(report)
    assert least <= len(measured.provider.made()) <= most
    assert len(measured.provider.made()) <= measured.plan.writes
    again = measured.run()
    assert measured.wrong(again, "certain") == {}
    assert people.shown_in(measured.shown(again)) == []
    assert len(measured.provider.made()) <= measured.plan.writes


@pytest.mark.parametrize("seed", borders(range(60), 0, 3))
def test_a_run_that_is_killed_makes_no_more_than_planned(seed, measurement):
    choices = random.Random(f"kill {seed}")
    measured = measurement(seed)
    for _ in range(choices.randrange(1, 5)):
        is_before = choices.random() < 0.5
        way = Deadly(measured.way, choices.randrange(1, 110), is_before=is_before)
        try:
            measured.run(way)
        except Killed:
            continue
    report = measured.run()
    least, most = bounds_of(report)
    assert least <= len(measured.provider.made()) <= most <= measured.plan.writes
    assert people.shown_in(measured.shown(report)) == []
    assert measured.wrong(report, "certain") == {}


PLAYED = [seed for seed in range(200) if seed % 10 not in (2, 5, 8)]


@pytest.mark.parametrize("seed", borders(PLAYED, 0, 3))
def test_what_was_measured_of_a_second_provider_is_played(seed, started, measurement):
    measured = measurement(seed)
    report = measured.run()
    for finding in report.findings:
        is_unplayed = finding["value"] is not None and finding["plays"] is None
        is_default = finding["value"] in ("0", "kept") or not finding["setting"]
        if is_unplayed and not is_default:
            assert "the sandbox cannot play this" in finding["note"], finding
    settings = SandboxSettings.like(measured.file, demo_data=True)
    is_short = measured.manners["token-limit"] == "300"
    sandbox = started(settings, lifetime=240 if is_short else None)
    again = whole(sandbox, measured.plan, "again.json")
    played, found = report.document["sandbox"], again.document["sandbox"]
    differing = {
        name: (value, found.get(name)) for name, value in played.items() if found.get(name) != value
    }
    assert differing.keys() <= hidden_in(played), differing


def hidden_in(played: dict[str, object]) -> set[str]:
    """What the sandbox plays and does not show.

    Nobody answers there, so that all stays pending; and some of what is played hides another.
    """
    hidden = {"get_status"}
    if played.get("key_repeat") in ("409", "new"):
        hidden |= {"key_in_progress", "key_life", "refused_key"}
    return hidden


def test_each_manner_is_drawn():
    draws = [drawn(seed) for seed in range(200)]
    for name, values in (CHOICES | ODDITIES).items():
        assert {draw[name] for draw in draws} == {*values}, name
