"""A proxy that refuses to connect: its 4xx is the same the next time, and a wrong password that is
repeated may lock an account.
"""

from contextlib import ExitStack, closing

import pytest

from tests.faults.adapters import each_mode, observed
from tests.security.recorder import RecordingProxy
from victor_ext import ConnectionFailed, RetryPolicy, VictorJwt

pytestmark = pytest.mark.slow
ATTEMPTS = 3
LOGIN = "user:hunter2"
SIGNED = VictorJwt("key-1", sign=lambda _content: b"not a signature")


@pytest.fixture
def refused(background):
    """What a `create` over a proxy comes to that refuses with a status, and how often it was asked
    to connect.
    """
    with ExitStack() as opened:

        def create(status, mode, auth=SIGNED):
            answer = f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode()
            proxy = opened.enter_context(closing(RecordingProxy(background, 1, answer=answer)))
            url = f"http://{LOGIN}@127.0.0.1:{proxy.port}"
            retry = RetryPolicy(base=0.0, max_attempts=ATTEMPTS)
            seen = observed(mode, "https://pay.example", auth=auth, retry=retry, proxy=url)
            assert isinstance(seen.error, ConnectionFailed)
            return seen.error, len(proxy.heads)

        yield create


@each_mode
@pytest.mark.parametrize("status", [400, 403, 404, 407, 451])
def test_a_tunnel_that_the_proxy_refuses_is_asked_for_once_and_nothing_was_sent(
    refused, mode, status
):
    error, asked = refused(status, mode)
    assert (error.outcome, error.attempts, asked) == ("not_sent", 1, 1)
    assert f"the proxy refused the connection (the proxy 127.0.0.1: {status} " in str(error)
    assert "hunter2" not in str(error)
