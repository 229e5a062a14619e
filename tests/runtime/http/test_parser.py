"""The usual messages are read and written as h11 does it: the same answer, the same bytes, the same
refusals.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, pairwise, repeat

import h11
import httpx
import pytest

from victor_ext._privacy import SecretBytes
from victor_ext._runtime.http.parser import Head, Parser

USUAL = (
    b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 2026 08:49:37 GMT\r\nConnection: "
    b"keep-alive\r\nContent-Length: 2\r\n\r\n{}"
)
CHUNKED = (
    USUAL.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked")[:-2]
    + b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
)
HOST = (b"Host", b"pay.example")
ENDS_READ = 3
"""How many times the end of a connection is read at most: a reader that does not notice it fails,
and does not hang.
"""


@dataclass
class Read:
    """What came of an answer: its head, what was returned of its body, and how it ended."""

    head: Head | None = None
    body: bytes = b""
    end: str = "refused"
    unread: list[bytes] = field(default_factory=list)


def by_us(parser, method, pieces, read):
    parser.request(method, b"/", [HOST], b"")
    while (head := parser.head()) is None:
        parser.receive(next(pieces))
    read.head = head
    while (piece := parser.body()) != b"":
        if piece is None:
            parser.receive(next(pieces))
        else:
            read.body += piece
    read.end = "again" if parser.begin_again() else "once"


def by_h11(parser, method, pieces, read):
    def event():
        while (found := parser.next_event()) is h11.NEED_DATA:
            parser.receive_data(next(pieces))
        return found

    parser.send(h11.Request(method=method, target="/", headers=[HOST]))
    parser.send(h11.EndOfMessage())
    while type(head := event()) is not h11.Response:
        assert type(head) is h11.InformationalResponse
    read.head = Head(head.status_code, head.reason, head.http_version, head.headers.raw_items())
    while type(piece := event()) is h11.Data:
        read.body += piece.data
    again = parser.our_state is parser.their_state is h11.DONE and not any(parser.trailing_data)
    # h11 would use the connection again (RFC 9112, 6.3).
    again = again and not {b"content-length", b"transfer-encoding"} <= {
        name.lower() for name, _ in read.head.fields
    }
    if again:
        parser.start_next_cycle()
    read.end = "again" if again else "once"


def outcomes(read, connection, answers, method):
    """What came of these answers on one connection, which is closed after the pieces of each."""
    found = []
    for pieces in answers:
        left = iter(pieces)
        result = Read()
        found.append(result)
        with suppress(h11.RemoteProtocolError, httpx.RemoteProtocolError):
            read(connection, method, chain(left, repeat(b"", ENDS_READ)), result)
        result.unread = list(left)
        if result.end != "again":
            break
    return found


STATUS_LINES = [
    b"HTTP/1.1 200",
    b"HTTP/1.1 200 ",
    b"HTTP/1.1 404 Not  Found ",
    b"HTTP/1.1 204 No",
    b"HTTP/1.1 304 -",
    b"HTTP/1.1 599 \xe9",
    b"HTTP/1.1 99 x",
    b"HTTP/1.1 1000 x",
    b"HTTP/1.1 199 x",
    b"HTTP/1.1 700 x",
    b"HTTP/1.1  200 OK",
    b"HTTP/1.1 2\xb20 OK",
    b"HTTP/1.1 200 a\0",
    b"HTTP/1.1 101 x",
    b"HTTP/1.0 200 OK",
    b"HTTP/2 200",
    b"http/1.1 200 OK",
    b"HTTP/1.1 200\tOK",
    b" HTTP/1.1 200 OK",
    b"",
    b"\0",
    b"HTTP/1.1 000 x",
    b"SSH-2.0-OpenSSH_9.6",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK",
    b"HTTP/1.1 103 x\r\nA: b\r\n\r\nHTTP/1.1 200 OK",
]
FIELDS = [
    b"Content-Type: application/json",
    b"date:x",
    b"Server: a  b",
    b"Connection: keep-alive",
    b"Date: again",
    b"X:",
    b"X: ",
    b"X: a ",
    b"X:\ta",
    b"X: a\tb",
    b"X: \xe9",
    b"X: a\0b",
    b"X: a\rb",
    b"X : a",
    b": a",
    b"X",
    b"\t",
    b"X:  a",
    b"X:: a",
    b"X: :a",
    b" folded",
    b"X\xe9: a",
    b"X(: a",
    b"X: \x7f",
    b"X: \x0b",
    b"X: \x85",
    b"X: \x01",
    b"X: a\nb",
    b"X: a\n b",
    b"Connection: close",
    b"connection: Keep-Alive",
    b"Connection: x, close",
    b"Upgrade: h2c",
    b"Transfer-Encoding: chunked",
    b"transfer-encoding: gzip",
    b"Transfer-Encoding:CHUNKED",
    b"CONNECTION:close",
]
LENGTHS = [
    b"2",
    b"0",
    b"1",
    b"3",
    b"+2",
    b"2, 2",
    b"2,3",
    b"-1",
    b"00000000000000000002",
    b"000000000000000000002",
    b"2 ",
    b"0x2",
    b"\xb2",
    b"2.0",
    b"",
    b"1" * 25,
    b"2\r\nContent-Length: 2",
    b"2\r\ncontent-length: 3",
]


def in_pieces(whole, *places):
    return [whole[start:stop] for start, stop in pairwise(sorted({0, *places, len(whole)}))]


def assert_read_as_by_h11(answers, method="GET"):
    reference = h11.Connection(h11.CLIENT, 100 * 1024)
    assert outcomes(by_us, Parser(), answers, method) == outcomes(
        by_h11, reference, answers, method
    )


ODD = [
    *(USUAL.replace(b"HTTP/1.1 200 OK", line) for line in STATUS_LINES),
    *(USUAL.replace(b"Connection: keep-alive", each) for each in FIELDS),
    *(USUAL.replace(b"Length: 2", b"Length: " + each) for each in LENGTHS),
    USUAL + b"\n",
    USUAL + USUAL,
    USUAL.replace(b"\r\n", b"\n"),
    b"\r\n" + USUAL,
    b"\n" + USUAL,
    b"{}",
    USUAL.replace(b"Connection: keep-alive", b"Transfer-Encoding: chunked")[:-2]
    + b"2\r\n{}\r\n0\r\n\r\n",
    *(CHUNKED.replace(b"Connection: keep-alive", each) for each in FIELDS),
    *(
        CHUNKED.replace(b"chunked", each)
        for each in (b"Chunked", b"chunked, chunked", b"gzip, chunked", b"x")
    ),
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_each_oddity_is_read_as_h11_reads_it(method):
    for whole in [USUAL, CHUNKED, *ODD]:
        assert_read_as_by_h11([[whole], [USUAL]], method)
        assert_read_as_by_h11([in_pieces(whole, *range(len(whole))), [USUAL]], method)
        for place in (1, 20, len(whole) - 30, len(whole) - 3, len(whole) - 2, len(whole) - 1):
            assert_read_as_by_h11([in_pieces(whole, place), [USUAL]], method)
            assert_read_as_by_h11([[whole[: max(place, 1)]], [USUAL]], method)


def written_by_us(method, target, fields, content):
    try:
        return Parser().request(method, target, fields, content)
    except httpx.LocalProtocolError:
        return None


def written_by_h11(method, target, fields, content):
    connection = h11.Connection(h11.CLIENT)
    events = [h11.Data(data=content)] if content else []
    try:
        request = h11.Request(method=method, target=target, headers=fields)
        return b"".join(
            connection.send(event) or b"" for event in (request, *events, h11.EndOfMessage())
        )
    except h11.LocalProtocolError:
        return None


METHODS = ["GET", "POST", "DELETE", "HEAD", "CONNECT", "G T", "get", "GET\n", "G\r\n", ""]
TARGETS = [b"/", b"/a?b=%20", b"", b"/a b", b"/\r\nX: y", b"/\xe9", b"/a\n", b"/\x7f", b"/\0"]
NAMES = [
    b"Accept",
    b"X-a",
    b"a:b",
    b"a\r\nb",
    b"a b",
    b"",
    b"\xe9",
    b"a\0",
    b"Accept\n",
    b"a: b\r\nc",
    b"a(",
]
VALUES = [
    b"a",
    b"a b",
    b"",
    b" a",
    b"a ",
    b"a\tb",
    b"a\r\nX: b",
    b"a\nb",
    b"a\rb",
    b"\xe9",
    b"a\0",
    b"a\n",
]
VALUES += [b"\x7f", b"\x01"]
REQUEST_FIELDS = [
    *((name, b"a") for name in NAMES),
    *((b"X-b", value) for value in VALUES),
    *((b"Connection", value) for value in (b"close", b"Keep-Alive", b"x, close")),
    *((b"content-length", value) for value in (b"0", b"2", b"3", b"2, 2", b"02", b"-1", b"2\n")),
    (b"Transfer-Encoding", b"chunked"),
    (b"transfer-encoding", b"gzip"),
    (b"Upgrade", b"h2c"),
    HOST,
    (b"host", b"b"),
    (b"Expect", b"100-continue"),
    (b"Authorization", SecretBytes(b"Bearer x")),
]


def assert_written_as_by_h11(method, target, fields, content):
    assert written_by_us(method, target, fields, content) == written_by_h11(
        method, target, fields, content
    )


def test_each_odd_request_is_written_as_h11_writes_it():
    for method, target in [
        *((method, b"/") for method in METHODS),
        *(("GET", target) for target in TARGETS),
    ]:
        assert_written_as_by_h11(method, target, [HOST], b"")
    for each in REQUEST_FIELDS:
        for fields in ([HOST, each], [each, HOST], [each], [HOST, (b"Content-Length", b"2"), each]):
            for content in (b"", b"{}"):
                assert_written_as_by_h11("POST", b"/", fields, content)


def test_a_connection_is_not_used_again_before_the_body_has_ended():
    parser = Parser()
    parser.request("GET", b"/", [HOST], b"")
    for end in range(USUAL.index(b"\r\n\r\n") + 4, len(USUAL)):
        parser.receive(USUAL[:end] if parser.head() is None else USUAL[end - 1 : end])
        parser.head()
        parser.body()
        assert not parser.begin_again(), USUAL[:end]
    with pytest.raises(httpx.RemoteProtocolError, match="1 bytes are missing"):
        parser.receive(b"")
