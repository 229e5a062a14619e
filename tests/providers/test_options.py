"""`with_options(...)`: further members, filters and headers, and other limits, in one way for all
systems.
"""

import re
from contextlib import suppress

import httpx
import pytest
from victor_api.client import Client

from tests.cases import cases_beside
from tests.providers.running import ONCE
from tests.providers.systems import ARGUMENTS, CLIENTS
from victor_ext import ConfigurationError, HeaderKey, OperationRow, VictorError, connect

from .test_introspection import methods_of
from .test_operations_table import Recorder, arguments_of

KEY = HeaderKey("Pay-Key")
ROWS = {"POST /v2/payment-requests/request-payment": OperationRow(takes_key=True)}
CONNECTED = connect(Client, base_url="http://localhost", key=KEY, rows=ROWS)


@pytest.mark.parametrize("extras", [{"extra_body": {"a": 1}}, {"extra_query": {"a": 1}}])
def test_extra_members_on_a_connected_client_are_refused_with_where_to_put_them(extras):
    with pytest.raises(ConfigurationError, match="set members on the model"):
        CONNECTED.with_options(**extras)


@pytest.mark.parametrize(("headers", "message"), cases_beside(__file__)["headers"], ids=str)
def test_headers_that_cannot_be_sent_are_refused_at_once(headers, message):
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        CONNECTED.with_options(headers=headers)


def test_the_error_for_headers_that_cannot_be_sent_shows_none_of_their_values():
    with pytest.raises(ConfigurationError) as raised:
        CONNECTED.with_options(headers={"X-Api-Key": "not\na-secret", "Host": "not-a-secret"})
    assert "a-secret" not in str(raised.value)
    assert len(raised.value.problems) == 2


@pytest.mark.parametrize("system", CLIENTS)
def test_members_of_with_options_stand_behind_a_methods_own_in_each_body(system):
    bodies = []
    answer = Recorder(system)

    def keep(request):
        if request.method != "GET" and b"RENT" in request.content:
            bodies.append(request.content.decode())
        return answer(request)

    client = CLIENTS[system][0](
        **ARGUMENTS[system], transport=httpx.MockTransport(keep), retry=ONCE, deadline=5.0
    )
    for name, method in methods_of(client.with_options(extra_body={"purpose": "RENT"})).items():
        if not name.endswith("watch"):  # a generator
            with suppress(VictorError):
                method(**arguments_of(method))
    assert len(bodies) >= 3
    ends = ('"purpose":"RENT"}', "&purpose=RENT")
    assert [body for body in bodies if not body.endswith(ends)] == []
