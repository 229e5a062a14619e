"""A provider of another hand: whatever it does is found, and nothing is found that it does not do."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.conform.conftest import WHOLE, Measured
from tests.conform.strict_server import Provider, serving
from tests.sandbox.sandbox_callers import API_KEY
from victor_ext import VictorJwt

pytestmark = pytest.mark.thorough


def hidden_by(does: dict[str, str]) -> set[str]:
    """What nothing shows, where a provider does all this."""
    sets, limits = ("notes-characters", "reference-characters"), (("notes-limit", "150"), ("reference-limit", "128"))
    hidden = {
        "error-code": does["error-shape"] not in ("documented", "api"),
        "key-in-progress": does["key-repeat"] == "409",
        "long-texts": all(does[name] == value for name, value in limits),
        "other-characters": all(does[name] == "any" for name in sets),
        "accepted-amount": does["twins"] == "false",
        "second-answer": does["twins"] == "false",
    }
    return {name for name, is_hidden in hidden.items() if is_hidden}


@pytest.mark.parametrize("seed", range(200))
def test_what_a_provider_does_is_found(seed, victor_key_pair, tmp_path):
    provider = Provider(seed)
    with serving(provider) as url:
        measured = Measured(
            SimpleNamespace(url=url, advance=provider.skip), VictorJwt(API_KEY, victor_key_pair[0]), tmp_path
        )
        report = measured()
    found = {each["assumption"]: each["value"] for each in report.findings}
    wrong = {name: (found[name], value) for name, value in provider.does.items() if found[name] != value}
    assert wrong.keys() == hidden_by(provider.does), wrong
    assert {found[name] for name in wrong} <= {None}
    assert report.failures == []
    made = [each["id"] for each in provider.requests if each["direction"] == "outbound"]
    assert sorted(report.made) == made
    assert len(made) <= WHOLE.writes
