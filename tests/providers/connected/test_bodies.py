"""`connect`: answers that the document has no content for, and bodies that can be read only
once.
"""

import gzip
import importlib
import io
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partialmethod
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from tests.cases import cases_beside
from tests.faults.certificates import Authority
from tests.providers.connected.till import URL
from tests.providers.running import MODES, ONCE, QUICK, run
from victor_ext import (
    ApiClient,
    AsyncApiClient,
    ConnectionFailed,
    HeaderKey,
    InvalidRequest,
    Outcome,
    UnreadableResponse,
)
from victor_spec.generate import generate


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("bare")
    assert generate(Path(__file__).with_name("bare.yaml"), folder).left_out == []
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))


pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("package"),
    pytest.mark.parametrize("mode", MODES),
]


class Provider(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers from a script (the last line for ever), and keeps bodies and keys of the requests,
    read as for a wire.
    """

    def __init__(self, *script: httpx.Response | Exception) -> None:
        self.script = list(script)
        self.bodies: list[bytes] = []
        self.keys = set[str | None]()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        return self.answer(request, b"".join(request.stream))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        return self.answer(request, b"".join([part async for part in request.stream]))

    def answer(self, request: httpx.Request, body: bytes) -> httpx.Response:
        self.bodies.append(body)
        self.keys.add(request.headers.get("idempotency-key"))
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def call(
        self,
        mode: str,
        name: str,
        *,
        key: bool = False,
        times: int = 1,
        options: Any = None,
        **arguments: Any,
    ) -> Any:
        client_class = importlib.import_module("bare_api.client").Client
        options = options or {"base_url": URL, "retry": QUICK, "transport": self}
        options |= {"key": HeaderKey()} if key else {}
        module = importlib.import_module(f"bare_api.api.b.{name}")

        is_blocking = mode == "blocking"
        function = module.sync_detailed if is_blocking else module.asyncio_detailed
        calls = (lambda client: function(client=client.api, **arguments),) * times
        return run(ApiClient if is_blocking else AsyncApiClient, calls, client_class, **options)


@pytest.mark.parametrize("name", ["any_answer", "no_content"])
class TestABodyThatTheDocumentHasNoContentFor:
    @pytest.mark.parametrize("body", [{"status": False}, {"id": "pay_1"}, [], 0, False])
    def test_json_is_returned_as_it_came(self, mode: str, name: str, body: Any) -> None:
        result = Provider(httpx.Response(201, json=body)).call(mode, name)
        assert result.parsed == body
        assert type(result.parsed) is type(body)

    @pytest.mark.parametrize("body", [b"<html>Log in</html>", b"OK", b"\xff", b'{"id": "pay'])
    def test_anything_else_is_no_success(self, mode: str, name: str, body: bytes) -> None:
        provider = Provider(httpx.Response(201, content=body))
        with pytest.raises(
            UnreadableResponse, match="declares no content for this status"
        ) as raised:
            provider.call(mode, name)
        assert (raised.value.outcome, raised.value.body, len(provider.bodies)) == (
            Outcome.UNKNOWN,
            body,
            1,
        )
        provider = Provider(httpx.Response(201, content=body), httpx.Response(201))
        assert provider.call(mode, name, key=True).parsed is None
        assert (len(provider.bodies), len(provider.keys)) == (2, 1)

    def test_an_error_is_no_success(self, mode: str, name: str) -> None:
        with pytest.raises(UnreadableResponse, match="reports an error") as raised:
            Provider(httpx.Response(201, json={"error": "busy"})).call(mode, name)
        assert raised.value.outcome is Outcome.UNKNOWN

    def test_an_empty_body_is_read_as_none(self, mode: str, name: str) -> None:
        assert Provider(httpx.Response(201)).call(mode, name).parsed is None


@pytest.mark.parametrize("name", ["no_schema", "no_schemas"])
def test_an_empty_body_is_what_a_media_type_without_a_schema_promises(mode: str, name: str) -> None:
    provider = Provider(httpx.Response(200))
    assert provider.call(mode, name).parsed is None
    assert len(provider.bodies) == 1
    if name == "no_schema":
        assert Provider(httpx.Response(200, json={"id": 5})).call(mode, name).parsed == {"id": 5}
        with pytest.raises(UnreadableResponse) as raised:
            Provider(httpx.Response(200, text="<html>Log in</html>")).call(mode, name)
        assert raised.value.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("name", ["any_schema", "one_schema", "typed", "listed", "chosen"])
def test_an_empty_body_is_no_success_where_the_document_has_a_schema(mode: str, name: str) -> None:
    with pytest.raises(UnreadableResponse) as raised:
        Provider(httpx.Response(200)).call(mode, name)
    assert raised.value.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("body", [{}, {"id": ""}, {"id": " "}, {"id": None}, {"id": 5}, {"zz": 1}])
def test_an_object_without_a_declared_value_is_no_success_of_a_write(mode: str, body: Any) -> None:
    """Anybody's server answers `{}`, and a blank id names nothing: both say as little."""
    with pytest.raises(UnreadableResponse, match="nothing that the document declares") as raised:
        Provider(httpx.Response(200, json=body)).call(mode, "typed")
    assert raised.value.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(("name", "body", "is_good"), cases_beside(__file__)["errors"])
def test_errors_are_a_success_only_where_the_document_declares_them(
    mode: str, name: str, body: Any, is_good: bool
) -> None:
    provider = Provider(httpx.Response(200, json=body))
    with (
        nullcontext()
        if is_good
        else pytest.raises(UnreadableResponse, match="reports an error") as raised
    ):
        assert provider.call(mode, name).status_code == 200
    assert is_good or (raised is not None and raised.value.outcome is Outcome.UNKNOWN)


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [
        ("chosen", {"type": "card", "amount": 1}, "Card"),
        ("chosen", {"type": "ideal", "amount": 1}, None),
        ("chosen_read", {"type": "ideal", "amount": 1}, "UnknownVariant"),
        ("held", {"payment": {"type": "card"}}, "HeldResponse200"),
        ("held", {"payment": {"type": "ideal"}}, None),
        ("held", {"payment": "card", "amount": "1.00"}, None),  # both of another type
        ("held", {"payment": None, "amount": True}, None),
        (
            "held",
            {
                "payments": [{"type": "ideal"}],
                "names": [None, " ", 5],
                "lines": ["bad"],
                "price": {"zz": 1},
            },
            None,
        ),
        (
            "held",
            {
                "tags": {"a": 5},
                "price": {"value": "12", "error": "no", "zz": 1},
                "lines": [{"zz": "1"}],
            },
            None,
        ),
        *(
            ("held", {"payments": [{"type": "ideal"}, 5], **value}, "HeldResponse200")
            for value in (
                *(
                    {"names": [5, "Ann"]},
                    {"names": []},
                    {"lines": ["bad", {"text": "1"}]},
                    {"price": {"value": 0}},
                    {"price": {}},
                ),
                *(
                    {"tags": {"a": 5, "b": "c"}},
                    {"tags": {}},
                    {"free": {"zz": 1}},
                    {"payments": [5, {"type": "card"}]},
                ),
            )
        ),
        ("typed", {"id": 1}, None),
        ("held", {"names": [None, " "]}, None),
        ("held", {"lines": [{"text": None}]}, None),
        ("held", {"lines": [None]}, None),
    ],
)
def test_what_is_not_declared_is_no_evidence_of_a_write(
    mode: str, name: str, body: Any, kind: str | None
) -> None:
    """Neither an object of a class that the document does not name, nor a value of another type."""
    provider = Provider(httpx.Response(200, json=body))
    if kind is not None:
        found = provider.call(mode, name).parsed
        assert (type(found).__name__, found.to_dict()) == (kind, body)
        return
    with pytest.raises(
        UnreadableResponse, match="has nothing that the document declares"
    ) as raised:
        provider.call(mode, name)
    assert raised.value.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("name", ["no_content", "typed"])
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (204, b""),
        *[
            (202, body)
            for body in (b"", b"<html>", b"[]", b"{}", b'{"message": "log in"}', b'{"id": "pay_1"}')
        ],
    ],
)
def test_a_status_that_is_not_documented_is_no_none(
    mode: str, name: str, status: int, body: bytes
) -> None:
    provider = Provider(httpx.Response(status, content=body))
    with pytest.raises(UnreadableResponse, match="not in the provider's document") as raised:
        provider.call(mode, name, key=True)
    is_evidence = name == "typed" and b'"id"' in body
    outcome, sent = (Outcome.ACCEPTED, 1) if is_evidence else (Outcome.UNKNOWN, QUICK.max_attempts)
    assert (raised.value.outcome, raised.value.body, len(provider.bodies)) == (outcome, body, sent)


def test_the_bytes_of_a_read_are_given_unless_they_are_a_page(mode: str) -> None:
    assert Provider(httpx.Response(200, content=b"%PDF")).call(mode, "any_read").content == b"%PDF"
    with pytest.raises(UnreadableResponse):
        Provider(httpx.Response(200, content=b"\n<!DOCTYPE html><p>Log in")).call(mode, "any_read")


TEXT, JSON = b"pay_1,44.23\n" * 200, b'{"id": 1}'
PACKED, PACKED_JSON = gzip.compress(TEXT, mtime=0), gzip.compress(JSON, mtime=0)


@pytest.mark.parametrize(
    ("content", "is_whole"),
    [
        (PACKED, True),
        *(
            (cut, False)
            for cut in (PACKED[:-1], PACKED[:-8], PACKED[:40], PACKED + PACKED, PACKED + b"more")
        ),
        *((odd, True) for odd in (PACKED_JSON[:-8], PACKED_JSON + b"more")),
    ],
)
def test_a_compressed_text_without_its_end_is_no_success(
    mode: str, content: bytes, is_whole: bool
) -> None:
    class Compressed(Provider):
        def answer(self, request: httpx.Request, body: bytes) -> httpx.Response:
            return httpx.Response(
                200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(content)
            )

    why = r"its end is missing|something follows its compressed body"
    with nullcontext() if is_whole else pytest.raises(UnreadableResponse, match=why):
        assert Compressed(GOOD).call(mode, "any_read").content in (TEXT, JSON)


HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"


@contextmanager
def tls_server(authority: Authority, answer: bytes, *, notice: bool) -> Iterator[str]:
    """Answers each connection once, and ends it with a closure alert, or as somebody on the way
    would.
    """
    context, listening = authority.server(), socket.create_server(("127.0.0.1", 0))

    def serve_until_closed() -> None:
        with suppress(OSError):
            while True:
                accepted, _ = listening.accept()
                with suppress(OSError), context.wrap_socket(accepted, server_side=True) as tls:
                    tls.recv(65536)
                    tls.sendall(answer)
                    tls.unwrap() if notice else tls.shutdown(socket.SHUT_WR)

    Thread(target=serve_until_closed, daemon=True).start()
    yield f"https://127.0.0.1:{listening.getsockname()[1]}"
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()


@pytest.mark.parametrize("through_httpx", [False, True])
@pytest.mark.parametrize(
    ("answer", "notice", "is_whole"),
    [
        (HEAD + b"\r\n" + TEXT, True, True),
        (HEAD + b"\r\n" + TEXT, False, False),
        (HEAD + b'\r\n{"id": 1}', False, True),
        (HEAD + b"Content-Encoding: gzip\r\n\r\n" + PACKED, False, True),
        (HEAD + b"Content-Encoding: gzip\r\n\r\n" + PACKED[:-1], False, False),
        (HEAD + b'\r\n{"id": 1', False, False),
        (HEAD + b"\r\n1250", False, False),
        (HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(TEXT), TEXT), False, True),
        (HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(TEXT) + 1, TEXT), False, False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", False, True),
    ],
)
def test_what_ends_with_its_connection_is_whole_where_that_was_announced(
    mode: str,
    authority: Authority,
    answer: bytes,
    notice: bool,
    is_whole: bool,
    through_httpx: bool,
) -> None:
    """RFC 9112, 9.8.

    Through httpx nobody says how the connection ended, so a text without a length proves nothing.
    """
    is_whole = is_whole and not (through_httpx and notice)
    context = authority.trusted()
    # as each context of Python before 3.11.4 has it
    context.options |= getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    options: Any = {"base_url": "", "verify": context, "retry": ONCE}
    with (
        tls_server(authority, answer, notice=notice) as url,
        pytest.MonkeyPatch.context() as patched,
    ):
        if through_httpx:
            for client in (httpx.Client, httpx.AsyncClient):
                patched.setattr(client, "send", partialmethod(client.send))
        with nullcontext() if is_whole else pytest.raises((UnreadableResponse, ConnectionFailed)):
            content = (
                Provider(GOOD).call(mode, "any_read", options={**options, "base_url": url}).content
            )
            assert answer.endswith((b"\r\n\r\n" + content, PACKED))


GOOD = httpx.Response(200, json={"id": "p-1"})
LOST = httpx.ReadError("lost")


class Once(io.BytesIO):
    """A pipe, for example."""

    def seekable(self) -> bool:
        return False


def upload(name: str, file: Any) -> Any:
    if name == "raw":
        return importlib.import_module("bare_api.types").File(payload=file)
    body = importlib.import_module("bare_api.models").FormBody()
    body.file = importlib.import_module("bare_api.types").File(payload=file)
    return body


def standing(file: io.BytesIO, place: int) -> io.BytesIO:
    file.seek(place)
    return file


@pytest.mark.parametrize("name", ["raw", "form"])
class TestAFile:
    @pytest.mark.parametrize(("make", "place"), [(io.BytesIO, 0), (io.BytesIO, 3), (Once, 0)])
    def test_each_attempt_sends_it_from_where_it_stood(
        self, mode: str, name: str, make: Any, place: int
    ) -> None:
        provider = Provider(LOST, httpx.Response(503), GOOD)
        file = standing(make(b"pqrXYZ"), place)
        provider.call(mode, name, key=True, body=upload(name, file))
        assert len(provider.bodies) == 3
        assert all(
            b"pqrXYZ"[place:] in body and (b"pqr" in body) is (place == 0)
            for body in provider.bodies
        )

    def test_each_call_sends_a_file_from_its_first_position(self, mode: str, name: str) -> None:
        provider = Provider(GOOD)
        provider.call(mode, name, times=2, body=upload(name, standing(io.BytesIO(b"pqrXYZ"), 3)))
        assert [b"XYZ" in body for body in provider.bodies] == [True] * 2

    @pytest.mark.parametrize(
        "make", [lambda: standing(io.BytesIO(b"012"), 3), lambda: standing(Once(b"012"), 3)]
    )
    def test_one_that_was_read_before_is_refused_by_name(
        self, mode: str, name: str, make: Any
    ) -> None:
        provider = Provider(GOOD)
        with pytest.raises(
            ValueError, match=f"{'body' if name == 'raw' else 'file'}: nothing is left to read"
        ):
            provider.call(mode, name, body=upload(name, make()))
        assert provider.bodies == []


def post(mode: str, provider: Provider, content: Any) -> Any:
    """Send content of the caller's own through the client of a generated package."""
    options: Any = {"base_url": URL, "retry": QUICK, "transport": provider, "key": HeaderKey()}
    kind, name = (
        (ApiClient, "get_httpx_client")
        if mode == "blocking"
        else (AsyncApiClient, "get_async_httpx_client")
    )
    client_class = importlib.import_module("bare_api.client").Client
    return run(
        kind,
        lambda made: getattr(made.api, name)().post("/raw", content=content),
        client_class,
        **options,
    )


def test_content_that_can_be_read_once_is_not_sent_again_as_nothing(mode: str) -> None:
    async def awaited() -> AsyncIterator[bytes]:
        yield b"012"

    provider = Provider(LOST, httpx.Response(201))
    if mode == "blocking":
        assert post(mode, provider, iter([b"012"])).status_code == 201
        assert provider.bodies == [b"012"] * 2
        with pytest.raises(InvalidRequest, match="of its body of 3 bytes, 0 are left to read"):
            post(mode, provider, standing(io.BytesIO(b"012"), 3))
        return
    with pytest.raises(InvalidRequest, match="nothing was sent: its body must be awaited"):
        post(mode, provider, awaited())
    assert provider.bodies == []
