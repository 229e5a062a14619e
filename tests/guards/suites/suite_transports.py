"""Transports of others that say "not sent" of what was sent, or send a request again by themselves,
are refused by name.
"""

import pytest
from httpx_aiohttp import AiohttpTransport
from pyreqwest.compatibility.httpx import HttpxTransport, SyncHttpxTransport

from victor_ext import AsyncVictor, ConfigurationError, Victor, VictorOAuth


class OwnTransport(SyncHttpxTransport):
    pass


@pytest.mark.parametrize(
    ("client", "transport", "name"),
    [
        (Victor, SyncHttpxTransport, "pyreqwest"),
        (Victor, OwnTransport, "pyreqwest"),
        (AsyncVictor, HttpxTransport, "pyreqwest"),
        (AsyncVictor, AiohttpTransport, "httpx_aiohttp"),
    ],
)
def test_a_transport_of_another_library_is_refused_by_its_name(client, transport, name):
    with pytest.raises(ConfigurationError, match=f"transport: {name} "):
        client(VictorOAuth("id", "not-a-secret"), transport=transport())
