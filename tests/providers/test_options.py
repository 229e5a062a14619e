"""`with_options(headers=...)`, in one way for all systems."""

import re

import pytest
from victor_api.client import Client

from tests.cases import cases_beside
from victor_ext import ConfigurationError, HeaderKey, OperationRow, connect

KEY = HeaderKey("Pay-Key")
ROWS = {"POST /v2/payment-requests/request-payment": OperationRow(takes_key=True)}
CONNECTED = connect(Client, base_url="http://localhost", key=KEY, rows=ROWS)


@pytest.mark.parametrize(("headers", "message"), cases_beside(__file__)["headers"], ids=str)
def test_headers_that_cannot_be_sent_are_refused_at_once(headers, message):
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        CONNECTED.with_options(headers=headers)


def test_the_error_for_headers_that_cannot_be_sent_shows_none_of_their_values():
    with pytest.raises(ConfigurationError) as raised:
        CONNECTED.with_options(headers={"X-Api-Key": "not\na-secret", "Host": "not-a-secret"})
    assert "a-secret" not in str(raised.value)
    assert len(raised.value.problems) == 2
