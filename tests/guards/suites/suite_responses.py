"""It stands in front of `requests`, which this package does not use: the provider is reached."""

import pytest
import responses
from paying import BOTH


@responses.activate
@pytest.mark.parametrize("pay", BOTH)
def test_it_does_not_apply(pay):
    assert pay().id == "from-the-provider"
