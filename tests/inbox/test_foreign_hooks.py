"""Eight documents with webhooks, through an inbox that is killed at its commits: each event is
handled once.
"""

from collections import Counter
from pathlib import Path

import pytest

from tests.inbox import foreign_hooks
from tests.inbox.foreign_hooks import Plan, requests, run

pytestmark = pytest.mark.pull_request


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
