"""Kill -9 at random moments, while an outbox sends to a server of other people: nothing is made twice, nothing is lost.

localstripe ignores idempotency keys, and a proxy before it keeps them. Without the proxy nothing there takes a key.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.foreign.killed_sender import KeptKeys, Mistake, Plan, a_charge, run
from victor_ext.spec.generate import generate

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("VICTOR_BULK_KILLS", "3"))
KEYLESS_AGAIN = ("victor_ext.settlement.key_age:NoKey.doubt", "if sent is not None:\n    return sent, self.why", "")


@pytest.fixture(scope="module", autouse=True)
def stripe_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The package is there, for the processes that are started, too."""
    folder = tmp_path_factory.mktemp("stripe")
    assert generate(Path(__file__).with_name("stripe.yaml"), folder).left_out == []
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield


@pytest.fixture
def plan(localstripe: str, database_url: str) -> Plan:
    return Plan(localstripe, a_charge(localstripe), database_url, keyed=True)


def test_what_has_a_key_is_made_once(plan: Plan, localstripe: str) -> None:
    with KeptKeys(localstripe) as proxy:
        came = run(plan._replace(url=proxy.own_url), localstripe, KILLS, seed=1)
    assert came.wrong(keyed=True, kills=KILLS) == []
    assert len(came.made) == came.orders >= KILLS
    assert proxy.repeats >= KILLS // 10, "some are killed while an answer is on its way"


def test_what_has_no_key_is_made_at_most_once(plan: Plan, localstripe: str) -> None:
    came = run(plan._replace(keyed=False), localstripe, KILLS, seed=2)
    assert came.wrong(keyed=False, kills=KILLS) == []
    assert came.orders >= KILLS


@pytest.mark.nightly
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("keyed", "mistakes"), [(True, ()), (False, (KEYLESS_AGAIN,))], ids=["nobody keeps the keys", "sent again"]
)
def test_a_mistake_is_noticed(plan: Plan, localstripe: str, keyed: bool, mistakes: tuple[Mistake, ...]) -> None:
    came = run(plan._replace(keyed=keyed, mistakes=mistakes), localstripe, 30, seed=3)
    assert any(wrong.startswith("made twice") for wrong in came.wrong(keyed=keyed, kills=30))
