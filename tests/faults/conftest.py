"""For the tests of faults: a provider that is closed afterwards."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.faults.raw_provider import RawProvider
from tests.faults.raw_sockets import Background


@pytest.fixture
def provider(background: Background) -> Iterator[RawProvider]:
    with closing(RawProvider(background)) as made:
        yield made
