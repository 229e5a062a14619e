"""A server that answers everything with one thing, and keeps every byte that it was sent; and a
proxy that does.
"""

import json

from tests.faults.raw_provider import TOKEN, RawProvider, answer

RECORD = {"victor_payment_request_id": "b34783af0", "status": "accepted", "page": 0, "results": []}
ANSWER = answer(json.dumps({**TOKEN, "access_token": "t" * 40, **RECORD}).encode())


class Recorder(RawProvider):
    """A provider that answers everything, also a request for a token, with the same bytes."""

    acts_on_tokens = True

    def __init__(self, background, tls=None, answer=ANSWER):
        super().__init__(background, tls=tls)
        self.instead = lambda exchange: exchange.send(answer)


class RecordingProxy(Recorder):
    """A CONNECT proxy: it passes on to one upstream, whatever host it is asked for.

    With another `answer`, nothing.
    """

    def __init__(
        self, background, upstream, tls=None, answer=b"HTTP/1.1 200 Connection established\r\n\r\n"
    ):
        super().__init__(background, tls, answer)
        if b" 20" in answer:
            self.instead = lambda exchange: exchange.pass_on(upstream, answer)
