"""Eight documents with webhooks, through an inbox that is killed at its commits: each event is
handled once.
"""

from collections import Counter
from pathlib import Path

import pytest

from tests.inbox import foreign_hooks
from tests.inbox.foreign_hooks import Mistake, Plan, requests, run

pytestmark = pytest.mark.pull_request
CONNECTED = "victor_ext.providers.connected.webhooks:DocumentWebhook"
MISTAKES: dict[str, Mistake] = {
    "an event is known by its object": (
        f"{CONNECTED}._identity",
        'f"{subject} {hashlib.sha256(whole.encode()).hexdigest()}"',
        "subject",
    ),
    "an event is known without the name of its webhook": (
        f"{CONNECTED}._identity",
        "[name, content]",
        "content",
    ),
    "what was received is not remembered": (
        "victor_ext.inbox.inboxes:InboxBase._add_id",
        "insert_once(connection, self.table, source=source, **values) is not None",
        "True",
    ),
}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("foreign_hooks")
    foreign_hooks.generate_packages(folder)
    return folder


def test_each_event_is_handled_once_by_receivers_that_are_killed(
    packages: Path, database_url: str, tmp_path: Path
) -> None:
    plan = Plan(str(packages), database_url, str(tmp_path / "answered"))
    assert run(plan, rounds=30, seed=1) == Counter(each.what for each in requests())


@pytest.mark.nightly
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_noticed(
    packages: Path, database_url: str, tmp_path: Path, mistake: str
) -> None:
    plan = Plan(str(packages), database_url, str(tmp_path / "answered"), (MISTAKES[mistake],))
    assert run(plan, rounds=10, seed=1) != Counter(each.what for each in requests())
