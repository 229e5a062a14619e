"""The loop that the servers of a test module live in, and how much of the matrix is run."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.faults.certificates import Authority
from tests.faults.raw_sockets import Background, background


@pytest.fixture(scope="session", name="background")
def _background() -> Iterator[Background]:
    with background() as made:
        yield made


@pytest.fixture(scope="session")
def every() -> bool:
    """Whether stalls are tried at every byte, and not at a sample of them: set VICTOR_FAULTS=all."""
    return os.environ.get("VICTOR_FAULTS") == "all"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))
