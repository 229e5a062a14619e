"""The `User-Agent` of the callers."""

import httpx
import pytest
from victor_api.client import Client

from victor_ext import ConfigurationError, connect

URL = "http://localhost"


class TestUserAgent:
    def test_a_user_agent_of_the_callers_comes_after_the_packages_own(self):
        seen = []

        def provider(request):
            seen.append(request.headers["user-agent"])
            return httpx.Response(200, json={})

        transport = httpx.MockTransport(provider)
        with connect(
            Client, base_url=URL, transport=transport, user_agent="billing/2.3 (north)"
        ) as client:
            client.with_options(deadline=5.0).api.get_httpx_client().get("/")
        (agent,) = seen
        assert agent.startswith("victor-ext/")
        assert " billing/2.3 (north) httpx/" in agent

    @pytest.mark.parametrize("text", ["", "a\nb", "bücher/1", 1], ids=repr)
    def test_a_user_agent_that_cannot_be_sent_is_refused(self, text):
        with pytest.raises(ConfigurationError, match=r"user_agent.*user_agent='billing/2\.3'"):
            connect(Client, base_url=URL, user_agent=text)
