"""Whatever a provider does is found, and nothing else: the sandbox at every option, and one of
another hand.
"""

import dataclasses
from types import SimpleNamespace

import httpx
import pytest

from tests.cases import cases_beside
from tests.conform.conftest import WHOLE, Measured
from tests.conform.strict_server import Provider
from tests.sandbox.sandbox_callers import API_KEY
from tests.tiers import borders
from victor_ext import VictorJwt
from victor_ext.conform import ASSUMPTIONS, Phase
from victor_ext.sandbox import SandboxSettings
from victor_ext.sandbox.server.settings import options_of

pytestmark = pytest.mark.slow
OPTIONS = {
    name: option for name, option in options_of(SandboxSettings).items() if option.measurable
}
MOST_RUNS = 5
NUMBERS, WITH = (cases_beside(__file__)[name] for name in ("numbers", "with"))


SHOWN = {
    "key_repeat",
    "key_conflict",
    "key_life",
    "error_shape",
    "keep_alive",
    "large_page",
    "list_lag",
    "order",
    "twins",
}
"""The options whose first value is in `make test`; the workflow has all values of all options."""


def cases():
    """Each value of each option but its default."""
    for name, option in OPTIONS.items():
        values = option.choices or NUMBERS.get(name) or [True, False]
        default = SandboxSettings.__dataclass_fields__[name].default
        others = [value for value in values if value != default or name in WITH]
        for value in others:
            is_shown = name in SHOWN and value == others[0]
            marks = [] if is_shown else [pytest.mark.pull_request]
            if name == "key_life":  # a due date may pass while a key is kept
                marks.append(pytest.mark.hours)
            settings = {name: value} | WITH.get(name, {})
            yield pytest.param(settings, id=f"{name}-{value}", marks=marks)


def whole(measured: Measured, plan, file: str):
    """The report of a run that is made again while it says that more can be measured later: a read
    may meet a connection that is about to be closed.
    """
    report = measured(plan, file)
    for _ in range(MOST_RUNS):
        if not report.failures:
            break
        report = measured(plan, file)
    return report


def told(report) -> dict[str, tuple[str, str]]:
    return {each["assumption"]: (each["value"], each["certainty"]) for each in report.findings}


def differing(options: dict) -> dict[str, str | None]:
    """The assumptions that should be named, each with the value that should be told; None: any."""
    named = {name.replace("_", "-"): str(value).lower() for name, value in options.items()}
    named = {name: value for name, value in named.items() if value != ASSUMPTIONS[name].assumed}
    # A key that repeats nothing keeps no two apart, either; and a life is told as a range.
    implied = {"two-at-once": "two"} if options.get("key_repeat") == "new" else {}
    words = {"keep-alive": "closed", "key-life": None}
    return named | implied | {name: words[name] for name in words if name in named}


@pytest.mark.parametrize("settings", [*cases()])
def test_what_the_sandbox_does_is_found_and_played(started, settings):
    plan = dataclasses.replace(WHOLE, key_life=72_000) if "key_life" in settings else WHOLE
    options = {name: value for name, value in settings.items() if name != "lifetime"}
    is_oauth = "token_life" in settings
    lifetime = settings.get("lifetime")
    measured = started(lifetime=lifetime, is_oauth=is_oauth, **options)
    report = whole(measured, plan, "measured.json")
    assert report.failures == []
    expected = differing(options)
    found = {each["assumption"]: each["value"] for each in report.differences}
    assert found == {name: value or found.get(name) for name, value in expected.items()}
    assert len(report.made) == measured.made() <= plan.writes
    played = SandboxSettings.like(measured.path / "measured.json", demo_data=True)
    again = whole(started(played, lifetime=lifetime, is_oauth=is_oauth), plan, "again.json")
    assert told(again) == told(report)
    assert again.document["sandbox"] == report.document["sandbox"]


def test_each_option_that_can_be_measured_has_an_assumption():
    measured = {each.option: each for each in ASSUMPTIONS.values() if each.option}
    assert measured.keys() == OPTIONS.keys()
    assert {*OPTIONS} >= SHOWN
    assert {name: [*each.plays] for name, each in measured.items()} == {
        name: [*option.choices] for name, option in OPTIONS.items()
    }


def test_each_value_has_words_and_each_number_a_least_one():
    for name, each in ASSUMPTIONS.items():
        if each.phase is Phase.NONE:
            continue
        for value in {*each.plays, *filter(None, [each.assumed])}:
            assert each.told(value), (name, value)
            assert value == each.assumed or not each.assumed or each.advice(value), (name, value)
        has_others = not each.plays and each.assumed not in ("true", "false")
        assert not has_others or "*" in each.found or len(each.found) > 1, name
        if each.option and isinstance(OPTIONS[each.option].at_least, int | float):
            assert each.plays_from == OPTIONS[each.option].at_least, name


@pytest.mark.parametrize("seed", borders(range(100), 0, 1, 2))
def test_what_was_measured_of_a_provider_is_played(seed, started, victor_key_pair, tmp_path):
    provider = Provider(seed)
    place = SimpleNamespace(url="https://provider.example", advance=provider.skip)
    measured = Measured(place, VictorJwt(API_KEY, victor_key_pair[0]), tmp_path)
    report = measured(file="first.json", transport=httpx.MockTransport(provider.answer))
    settings = SandboxSettings.like(tmp_path / "first.json", demo_data=True)
    again = whole(started(settings), WHOLE, "again.json")
    unplayed = [each for each in report.findings if each["value"] and each["plays"] is None]
    for finding in unplayed:
        is_default = finding["value"] in ("0", "kept") or not finding["setting"]
        assert is_default or "the sandbox cannot play this" in finding["note"], finding
    found = again.document["sandbox"]
    played = report.document["sandbox"]
    # In the sandbox, what nobody answers stays pending, which both readings of get say.
    hidden = {"get_status"} - found.keys()
    assert {name: found.get(name) for name in played.keys() - hidden} == {
        name: value for name, value in played.items() if name not in hidden
    }


def hidden_by(does: dict[str, str]) -> set[str]:
    """What nothing shows, where a provider does all this."""
    sets = ("notes-characters", "reference-characters")
    limits = (("notes-limit", "150"), ("reference-limit", "128"))
    hidden = {
        "error-code": does["error-shape"] not in ("documented", "api"),
        "key-in-progress": does["key-repeat"] == "409",
        "long-texts": all(does[name] == value for name, value in limits),
        "other-characters": all(does[name] == "any" for name in sets),
        "accepted-amount": does["twins"] == "false",
        "second-answer": does["twins"] == "false",
    }
    return {name for name, is_hidden in hidden.items() if is_hidden}


@pytest.mark.parametrize("seed", borders(range(200), *range(10)))
def test_what_a_provider_does_is_found(seed, victor_key_pair, tmp_path):
    provider = Provider(seed)
    place = SimpleNamespace(url="https://provider.example", advance=provider.skip)
    measured = Measured(place, VictorJwt(API_KEY, victor_key_pair[0]), tmp_path)
    report = measured(transport=httpx.MockTransport(provider.answer))
    found = {each["assumption"]: each["value"] for each in report.findings}
    wrong = {
        name: (found[name], value) for name, value in provider.does.items() if found[name] != value
    }
    assert wrong.keys() == hidden_by(provider.does), wrong
    assert {found[name] for name in wrong} <= {None}
    assert report.failures == []
    made = [each["id"] for each in provider.requests if each["direction"] == "outbound"]
    assert sorted(report.made) == made
    assert len(made) <= WHOLE.writes
