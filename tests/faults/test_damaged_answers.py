"""Answers that are cut, framed wrongly, endless or about another request: what the caller observes
is true.
"""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.faults.adapters import ATTEMPTS, adapter, each_mode, each_operation
from tests.faults.raw_provider import answer, bare, flooding
from tests.faults.raw_sockets import End
from tests.faults.test_tls import spoilt
from victor_ext import UnreadableResponse
from victor_ext._runtime.core.response import MAX_RESPONSE_BYTES

pytestmark = pytest.mark.slow
MIB = 1024 * 1024
GIB = 1024 * MIB
CHUNK = b" " * MIB

# What a server may do to an answer after the work has been done

JSON = "Content-Type: application/json"
OK = "HTTP/1.1 200 OK"
PROCESSING = bare(["HTTP/1.1 102 Processing"])
EARLY_HINTS = bare(["HTTP/1.1 103 Early Hints", "A: b"])


@dataclass(frozen=True)
class Damage:
    """`expected` is what the caller must observe when it happens to every exchange of a call."""

    name: str
    expected: str
    make: Callable[[bytes], bytes]
    then: End | None = None
    """How the connection ends after it; None: it stays."""

    def __call__(self, exchange):
        exchange.send(self.make(exchange.work()))
        if self.then is not None:
            exchange.end(self.then)

    def __str__(self):
        return self.name.replace(" ", "-") + ("" if self.then is None else f"-then-{self.then}")


def _compressed(squeeze, coding="gzip"):
    return lambda body: answer(squeeze(body), "200 OK", f"Content-Encoding: {coding}")


def chunked(body):
    """A good answer in three chunks."""
    third = len(body) // 3 + 1
    parts = [body[start : start + third] for start in range(0, len(body), third)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return bare([OK, JSON, "Transfer-Encoding: chunked"], chunks + b"0\r\n\r\n")


WHOLE = (
    Damage(
        "no length, until the end",
        "success",
        lambda body: bare([OK, JSON, "Connection: close"], body),
        "close",
    ),
    Damage("chunks", "success", chunked),
    Damage("gzip", "success", _compressed(gzip.compress)),
    Damage(
        "many 1xx first",
        "success",
        lambda body: (PROCESSING + EARLY_HINTS) * 50 + answer(body),
    ),
)
"""Odd, and whole: the caller gets what was answered."""

LOST = (
    *(
        Damage("a length too long", "unknown", lambda body: answer(body + 9 * b" ")[:-9], how)
        for how in ("reset", "close")
    ),
    Damage(
        "two different lengths",
        "unknown",
        lambda body: answer(body, "200 OK", f"Content-Length: {len(body) - 9}"),
    ),
    Damage("1xx, and no more", "unknown", lambda _: EARLY_HINTS, "close"),
    Damage(
        "a header of 1 MiB", "unknown", lambda body: answer(body, "200 OK", "X-Long: " + "x" * MIB)
    ),
)
"""No whole answer can be made of it: `test_parser` has every way."""


NO_EVIDENCE = (
    Damage(
        "gzip, a bit flipped", "unknown", _compressed(lambda body: spoilt(gzip.compress(body), 20))
    ),
    Damage("a coding that nobody knows", "unknown", _compressed(zlib.compress, "x-own")),
)
"""A whole answer that says yes, and nothing else: a login page says so, too.

More in `test_attempt_table`.
"""


@each_operation
@each_mode
def test_a_damaged_response_ends_in_success_if_it_happens_once_and_else_in_a_true_outcome(
    background, mode, operation
):
    with adapter(background, mode) as on:
        for damage in (*WHOLE, *LOST, *NO_EVIDENCE):
            for always, wanted in ((False, "success"), (True, damage.expected)):
                on.provider.acts.extend([damage] * (1 + ATTEMPTS if always else 1))
                run = on.run(operation)
                on.provider.acts.clear()
                times = "always" if always else "once"
                got = run.observed.word
                assert got == wanted, f"{damage}, {times}: got {got}, not {wanted}; {run}"
                assert run.mismatches() == [], f"{damage}, {times}: {run}"


JUNK = answer(
    b'{"victor_payment_request_id": "JUNK", "client_reference_id": "JUNK", "status": "created"}'
)


# Answers without measure: refused at `MAX_RESPONSE_BYTES`, read no further, and never held in
# memory


def of_a_gibibyte(header, first=b"", chunk=CHUNK):
    return flooding(bare([OK, header], first), chunk, times=1024)


BODIES = {
    "declared": of_a_gibibyte(f"Content-Length: {GIB}"),
    "in chunks": of_a_gibibyte(
        "Transfer-Encoding: chunked", chunk=b"%x\r\n%b\r\n" % (len(CHUNK), CHUNK)
    ),
    # What the object says before is searched for evidence.
    "in a text": of_a_gibibyte(
        f"Content-Length: {GIB}", b'{"id": "an id", "note": "', chunk=b"x" * MIB
    ),
}


@contextmanager
def peak():
    """The most memory that was taken meanwhile, in bytes (by Python, the body's copies among
    it).
    """
    found = []
    tracemalloc.start(1)
    try:
        yield found
        found.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("body", BODIES)
@each_mode
def test_no_more_of_a_body_is_read_or_held_than_a_response_may_have(background, mode, body):
    with adapter(background, mode) as on:
        on.provider.acts.append(BODIES[body])
        sent = on.provider.record.bytes_sent
        with peak() as most:
            run = on.expect("unknown", "create")  # what was read is no JSON
        sent = on.provider.record.bytes_sent - sent
    assert isinstance(run.observed.error, UnreadableResponse)
    assert run.observed.error.attempts == 1  # asking again would bring the same
    assert sent <= MAX_RESPONSE_BYTES + 16 * MIB  # what sockets buffer
    assert most[0] <= 4 * MAX_RESPONSE_BYTES
