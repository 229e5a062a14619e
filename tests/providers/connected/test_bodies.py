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
        return self.answer(request, b"".join(request.stream))  # type: ignore[arg-type] # of this mode

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        parts = [part async for part in request.stream]  # type: ignore[union-attr] # as above
        return self.answer(request, b"".join(parts))

    def answer(self, request: httpx.Request, body: bytes) -> httpx.Response:
        self.bodies.append(body)
        self.keys.add(request.headers.get("idempotency-key"))
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def call(
        self, mode: str, name: str, *, key: bool = False, times: int = 1, options: Any = None,
        **arguments: Any,
    ) -> Any:  # fmt: skip
        """Call an operation so often; what it returns."""
        options = options or {"base_url": URL, "retry": QUICK, "transport": self}
        options |= {"key": HeaderKey()} if key else {}
        module = importlib.import_module(f"bare_api.api.b.{name}")

        def use(client: Any) -> Any:
            function = module.asyncio_detailed if client.is_awaited else module.sync_detailed
            return function(client=client.api, **arguments)

        kind = (ApiClient, AsyncApiClient)[MODES.index(mode)]
        client_class = importlib.import_module("bare_api.client").Client
        return run(kind, (use,) * times, client_class, **options)


NOTHING_DECLARED = "nothing that the document declares"


def no_success(
    mode: str, name: str, answer: httpx.Response, words: str = "failed"
) -> UnreadableResponse:
    """The error of a write that is sent once, whose outcome is unknown after this response."""
    provider = Provider(answer)
    with pytest.raises(UnreadableResponse, match=words) as raised:
        provider.call(mode, name)
    assert (raised.value.outcome, len(provider.bodies)) == (Outcome.UNKNOWN, 1)
    return raised.value


@pytest.mark.parametrize("name", ["any_answer", "no_content"])
class TestABodyThatTheDocumentHasNoContentFor:
    @pytest.mark.parametrize("body", [{"status": False}, {"id": "pay_1"}, [], 0, False])
    def test_json_is_returned_as_it_came(self, mode: str, name: str, body: Any) -> None:
        result = Provider(httpx.Response(201, json=body)).call(mode, name)
        assert result.parsed == body
        assert type(result.parsed) is type(body)

    @pytest.mark.parametrize("body", [b"<html>Log in</html>", b"OK", b"\xff", b'{"id": "pay'])
    def test_anything_else_is_no_success(self, mode: str, name: str, body: bytes) -> None:
        answer = httpx.Response(201, content=body)
        error = no_success(mode, name, answer, "declares no content for this status")
        assert error.body == body
        provider = Provider(answer, httpx.Response(201))
        assert provider.call(mode, name, key=True).parsed is None
        assert (len(provider.bodies), len(provider.keys)) == (2, 1)

    def test_an_error_is_no_success(self, mode: str, name: str) -> None:
        no_success(mode, name, httpx.Response(201, json={"error": "busy"}), "reports an error")

    def test_an_empty_body_is_read_as_none(self, mode: str, name: str) -> None:
        assert Provider(httpx.Response(201)).call(mode, name).parsed is None


@pytest.mark.parametrize("name", ["no_schema", "no_schemas"])
def test_an_empty_body_is_what_a_media_type_without_a_schema_promises(mode: str, name: str) -> None:
    assert Provider(httpx.Response(200)).call(mode, name).parsed is None
    if name == "no_schema":
        assert Provider(httpx.Response(200, json={"id": 5})).call(mode, name).parsed == {"id": 5}
        no_success(mode, name, httpx.Response(200, text="<html>Log in</html>"))


@pytest.mark.parametrize("name", ["any_schema", "one_schema", "typed", "listed", "chosen"])
def test_an_empty_body_is_no_success_where_the_document_has_a_schema(mode: str, name: str) -> None:
    no_success(mode, name, httpx.Response(200))


@pytest.mark.parametrize("body", [{}, {"id": ""}, {"id": " "}, {"id": None}, {"id": 5}, {"zz": 1}])
def test_an_object_without_a_declared_value_is_no_success_of_a_write(mode: str, body: Any) -> None:
    """Anybody's server answers `{}`, and a blank id names nothing: both say as little."""
    no_success(mode, "typed", httpx.Response(200, json=body), NOTHING_DECLARED)


@pytest.mark.parametrize(("name", "body", "is_good"), cases_beside(__file__)["errors"])
def test_errors_are_a_success_only_where_the_document_declares_them(
    mode: str, name: str, body: Any, is_good: bool
) -> None:
    answer = httpx.Response(200, json=body)
    if is_good:
        assert Provider(answer).call(mode, name).status_code == 200
    else:
        no_success(mode, name, answer, "reports an error")


HELD: list[tuple[Any, bool]] = [
    ({"payment": {"type": "card"}}, True),
    ({"payment": {"type": "ideal"}}, False),
    ({"payment": "card", "amount": "1.00"}, False),  # both of another type
    ({"payments": [{"type": "ideal"}], "names": [None, " ", 5], "lines": ["bad"]}, False),
    ({"tags": {"a": 5}, "price": {"value": "12", "error": "no", "zz": 1}}, False),
    *(
        ({"payments": [{"type": "ideal"}, 5], **value}, True)
        for value in (
            *({"names": [5, "Ann"]}, {"names": []}, {"lines": ["bad", {"text": "1"}]}),
            *({"price": {"value": 0}}, {"price": {}}, {"tags": {"a": 5, "b": "c"}}, {"tags": {}}),
            *({"free": {"zz": 1}}, {"payments": [5, {"type": "card"}]}),
        )
    ),
    ({"lines": [{"text": None}]}, False),
]
"""Bodies of a response with members of each kind, and whether they are evidence of a write."""


@pytest.mark.parametrize(("body", "is_evidence"), HELD)
def test_what_is_not_declared_is_no_evidence_of_a_write(
    mode: str, body: Any, is_evidence: bool
) -> None:
    """Neither an object of a class that the document does not name, nor a value of another type."""
    answer = httpx.Response(200, json=body)
    if is_evidence:
        assert Provider(answer).call(mode, "held").parsed.to_dict() == body
    else:
        no_success(mode, "held", answer, NOTHING_DECLARED)


def test_an_unknown_variant_is_read_and_is_no_evidence_of_a_write(mode: str) -> None:
    answer = httpx.Response(200, json={"type": "ideal", "amount": 1})
    read = Provider(answer).call(mode, "chosen_read").parsed
    assert type(read).__name__ == "UnknownVariant"
    no_success(mode, "chosen", answer, NOTHING_DECLARED)
    card = httpx.Response(200, json={"type": "card", "amount": 1})
    assert type(Provider(card).call(mode, "chosen").parsed).__name__ == "Card"


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
        *((cut, False) for cut in (PACKED[:-1], PACKED[:40], PACKED + PACKED, PACKED + b"more")),
        *((odd, True) for odd in (PACKED_JSON[:-8], PACKED_JSON + b"more")),
    ],
)
def test_a_compressed_text_without_its_end_is_no_success(
    mode: str, content: bytes, is_whole: bool
) -> None:
    class Compressed(Provider):
        def answer(self, request: httpx.Request, body: bytes) -> httpx.Response:
            stream = httpx.ByteStream(content)
            return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=stream)

    why = r"its end is missing|something follows its compressed body"
    with nullcontext() if is_whole else pytest.raises(UnreadableResponse, match=why):
        assert Compressed().call(mode, "any_read").content in (TEXT, JSON)


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
        provider.call(mode, name, key=True, body=upload(name, standing(make(b"pqrXYZ"), place)))
        assert len(provider.bodies) == 3
        for sent in provider.bodies:
            assert b"pqrXYZ"[place:] in sent
            assert (b"pqr" in sent) is (place == 0)

    def test_each_call_sends_a_file_from_its_first_position(self, mode: str, name: str) -> None:
        provider = Provider(GOOD)
        provider.call(mode, name, times=2, body=upload(name, standing(io.BytesIO(b"pqrXYZ"), 3)))
        assert [b"XYZ" in body for body in provider.bodies] == [True] * 2

    @pytest.mark.parametrize("make", [io.BytesIO, Once])
    def test_one_that_was_read_before_is_refused_by_name(
        self, mode: str, name: str, make: Any
    ) -> None:
        provider, field = Provider(GOOD), "body" if name == "raw" else "file"
        with pytest.raises(ValueError, match=f"{field}: nothing is left to read"):
            provider.call(mode, name, body=upload(name, standing(make(b"012"), 3)))
        assert provider.bodies == []


def post(mode: str, provider: Provider, content: Any) -> Any:
    """Send content of the caller's own through the client of a generated package."""
    options: Any = {"base_url": URL, "retry": QUICK, "transport": provider, "key": HeaderKey()}
    client_class = importlib.import_module("bare_api.client").Client
    kind = (ApiClient, AsyncApiClient)[MODES.index(mode)]
    return run(kind, lambda made: made.http.post("/raw", content=content), client_class, **options)


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
