"""A server that answers everything with one thing, and keeps every byte that it was sent; and a
proxy that does.
"""

import json
import ssl

from tests.faults.raw_provider import TOKEN, RawProvider, answer
from tests.faults.raw_sockets import Background

RECORD = {"victor_payment_request_id": "b34783af0", "status": "accepted", "page": 0, "results": []}
ANSWER = answer(json.dumps({**TOKEN, "access_token": "t" * 40, **RECORD}).encode())


class Recorder(RawProvider):
    """A provider that answers everything, also a request for a token, with the same bytes."""

    acts_on_tokens = True

    def __init__(
        self, background: Background, tls: ssl.SSLContext | None = None, answer: bytes = ANSWER
    ) -> None:
        super().__init__(background, tls=tls)
        self.instead = lambda exchange: exchange.send(answer)


class RecordingProxy(Recorder):
    """A CONNECT proxy: it passes on to one upstream, whatever host it is asked for.

    With another `answer`, nothing.
    """

    def __init__(
        self,
        background: Background,
        upstream: int,
        tls: ssl.SSLContext | None = None,
        answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n",
    ) -> None:
        super().__init__(background, tls, answer)
        if b" 200 " in answer:
            self.instead = lambda exchange: exchange.pass_on(upstream, answer)
