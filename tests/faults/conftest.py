"""For the tests of faults: a provider that is closed afterwards."""

from contextlib import closing

import pytest

from tests.faults.raw_provider import RawProvider


@pytest.fixture
def provider(background):
    with closing(RawProvider(background)) as made:
        yield made
