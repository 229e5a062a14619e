"""Kill -9 at random moments, while an outbox sends to a server of other people: nothing is made
twice, nothing is lost.

localstripe ignores idempotency keys, and a proxy before it keeps them. Without the proxy nothing
there takes a key.
"""

import os
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.raw_provider import RawProvider
from tests.foreign.killed_sender import Plan, keeping_keys, run
from victor_spec.generate import generate

pytestmark = pytest.mark.pull_request
KILLS = int(os.environ.get("VICTOR_BULK_KILLS", "3"))


@pytest.fixture(scope="module", autouse=True)
def stripe_api(tmp_path_factory):
    """The package is there, for the processes that are started, too."""
    folder = tmp_path_factory.mktemp("stripe")
    assert generate(Path(__file__).with_name("stripe.yaml"), folder).left_out == []
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield


def test_a_call_with_a_key_is_done_once_though_its_sender_is_killed(
    localstripe, database_url, background
):
    with closing(RawProvider(background)) as proxy:
        proxy.instead = keeping_keys(localstripe)
        assert run(Plan(proxy.url(), database_url, keyed=True), localstripe, KILLS, seed=1) == []
    keys = [sent.key for sent in proxy.record.requests if sent.key]
    assert len(keys) - len(set(keys)) >= KILLS // 10, (
        "some are killed while an answer is on its way"
    )


def test_a_call_without_a_key_is_done_at_most_once_though_its_sender_is_killed(
    localstripe, database_url
):
    assert run(Plan(localstripe, database_url, keyed=False), localstripe, KILLS, seed=2) == []


@pytest.mark.nightly
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_kills_show_work_done_twice_if_the_server_ignores_keys(localstripe, database_url):
    found = run(Plan(localstripe, database_url, keyed=True), localstripe, 30, seed=3)
    assert any(one.startswith("made twice") for one in found)
