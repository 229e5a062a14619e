"""A client whose every request is answered with given bytes, through the whole of its HTTP stack
and no socket.
"""

import copy
import json
import pickle
import ssl
from datetime import date, datetime
from decimal import Decimal

import httpx

from tests.payments import payment
from tests.providers.running import Running
from victor_ext import AsyncVictor, PaymentRequest, RetryPolicy, Victor, VictorError, VictorOAuth
from victor_ext._runtime.http.connections import Route
from victor_ext._runtime.http.pooled_transport import AsyncPooledTransport, PooledTransport
from victor_ext._runtime.http.streams import AsyncBackend, AsyncStream, SyncBackend, SyncStream

TOKEN = json.dumps(
    {"access_token": "t", "token_type": "Bearer", "expires": 4_102_444_800_000}
).encode()
TOKEN_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(TOKEN), TOKEN)


class Wire:
    """What is on it."""

    def __init__(self):
        self.answer = b""  # to a request
        self.token_answer = TOKEN_ANSWER  # to a request for a token
        self.piece = 65536  # bytes that arrive at once
        self.asked = b""  # the head of the last request


class _Stream:
    """The bytes of one connection. It ends after one answer: the other side closes."""

    def __init__(self, wire: Wire):
        self._wire = wire
        self._left = None

    def asked(self, data):
        if self._left is None:
            self._wire.asked = data
            self._left = (
                self._wire.token_answer if b" /v2/auth/token " in data else self._wire.answer
            )

    def answered(self, max_bytes):
        size = min(max_bytes, self._wire.piece)
        left = self._left or b""
        self._left = left[size:]
        return left[:size]

    def unread(self):
        return self._left

    def abort(self):
        """Nothing is open."""


class _SyncStream(_Stream, SyncStream):
    def read(self, max_bytes, timeout=None):
        return self.answered(max_bytes)

    def write(self, data, timeout=None):
        self.asked(bytes(data))


class _AsyncStream(_Stream, AsyncStream):
    async def read(self, max_bytes, timeout=None):  # noqa: ASYNC109 - the interface
        return self.answered(max_bytes)

    async def write(self, data, timeout=None):  # noqa: ASYNC109 - the interface
        self.asked(bytes(data))


class _SyncBackend(SyncBackend):
    def __init__(self, wire: Wire):
        self._wire = wire

    def connect_tcp(self, *_where, **_how):
        return _SyncStream(self._wire)


class _AsyncBackend(AsyncBackend):
    def __init__(self, wire: Wire):
        self._wire = wire

    async def connect_tcp(self, *_where, **_how):
        return _AsyncStream(self._wire)


def _over(wire: Wire, *, awaited):
    # The context is not used: reading the system's certificates takes long.
    route = Route(httpx.URL(_OPTIONS["base_url"]), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    if awaited:
        return AsyncPooledTransport(route, httpx.Limits(), _AsyncBackend(wire))
    return PooledTransport(route, httpx.Limits(), _SyncBackend(wire))


CALLS = {
    "get": lambda requests: requests.get("R1"),
    "list": lambda requests: requests.list(),
    "create": lambda requests: requests.create(**payment()),
    "respond": lambda requests: requests.accept("R1", notes="Thanks."),
    "wait": lambda requests: requests.wait("R1", until="completed", timeout=0),
}
OPERATIONS = tuple(CALLS)
MODES = ("sync", "async")
_OPTIONS = {
    "base_url": "http://127.0.0.1:1",
    "retry": RetryPolicy(max_attempts=2, base=0.0, cap=0.0, quota=10**9),
    "deadline": 60.0,
}


class Fuzzed:
    """Runs an operation against given bytes, and reads all that comes of it."""

    def __init__(self, mode="sync"):
        self.mode, self.wire = mode, Wire()
        awaited = mode == "async"

        def make():
            options = {"transport": _over(self.wire, awaited=awaited), **_OPTIONS}
            return (AsyncVictor if awaited else Victor)(
                VictorOAuth("id", "not-a-secret"), **options
            )

        self._running = Running(make, awaited=awaited)
        self.close = self._running.close

    def run(self, operation, answer):
        """Call, and read everything of every record. Raises `VictorError`."""
        self.wire.answer = answer
        found = self._running.result(
            lambda: CALLS[operation](self._running.client.payment_requests)
        )
        return sum(
            read_everything(record) for record in (found if operation == "list" else [found])
        )


def answer(body, status=200, *headers):
    """An answer that is framed well, whatever is in it."""
    lines = [
        b"HTTP/1.1 %b Status" % str(status).encode(),
        b"Content-Length: %d" % len(body),
        *headers,
    ]
    return b"\r\n".join([*lines, b"", b""]) + body


# ---- Reading everything that a record or an error has to offer: none of it may raise ----


_RECORD = [name for name in dir(PaymentRequest) if not name.startswith("_")]
LONGEST_MESSAGE = 6000


def read_everything(record: PaymentRequest):
    """Read all of a record, and check that it is what it says it is; 1, for counting."""
    for name in _RECORD:
        value = getattr(record, name)
        assert not isinstance(value, Decimal) or value.is_finite()
        assert not isinstance(value, datetime) or value.utcoffset() is not None
        if name not in ("raw", "to_dict"):
            repr(value)
    assert record.id is None or isinstance(record.id, str)
    assert record.due_date is None or type(record.due_date) is date
    assert repr(record).startswith("PaymentRequest(")
    assert repr(record).isprintable()
    plain = record.to_dict()
    json.loads(json.dumps(plain, allow_nan=False))
    hash(record)
    assert copy.copy(record).to_dict() == plain
    try:
        again = pickle.loads(pickle.dumps(record))
    except RecursionError:
        return 1  # what is nested so deeply cannot be pickled, whatever holds it
    assert again.to_dict() == plain
    return 1


def read_all_of_error(error: VictorError):
    """Read all of an error, and check that it can be shown, logged, kept and sent to another
    process.
    """
    for name in dir(error):
        getattr(error, name)
    for text in (str(error), repr(error), *getattr(error, "__notes__", ())):
        text.encode()  # no half surrogates: they cannot be written to any log
        assert text.isprintable(), ascii(text)
        assert len(text) < LONGEST_MESSAGE
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert (type(other), str(other), other.outcome) == (type(error), str(error), error.outcome)
        assert (other.status_code, other.body, other.problems) == (
            error.status_code,
            error.body,
            error.problems,
        )
