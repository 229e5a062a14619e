"""`connect`: answers that the document has no content for, and bodies that can be read only
once.
"""

import gzip
import importlib
import io
import socket
import ssl
from contextlib import contextmanager, nullcontext
from functools import partialmethod
from pathlib import Path

import httpx
import pytest

from tests.cases import cases_beside
from tests.faults.raw_sockets import serving
from tests.providers.connected.till import Caller, generated, send
from tests.providers.running import ONCE, Script
from victor_ext import ConnectionFailed, HeaderKey, InvalidRequest, Outcome, UnreadableResponse

pytestmark = pytest.mark.slow
KEYED = {"key": HeaderKey()}
NOTHING_DECLARED = "nothing that the document declares"


def caller(mode, provider, **options):
    """A caller of the package of bare.yaml."""
    return Caller(mode, provider, generated(Path(__file__).with_name("bare.yaml")), **options)


def answered(mode, name, *lines):
    """What an operation returns that gets these responses."""
    return caller(mode, Script(*lines)).call(f"b.{name}")


def no_success(mode, name, answer, words="failed"):
    """The error of a write that is sent once, whose outcome is unknown after this response."""
    provider = Script(answer)
    with pytest.raises(UnreadableResponse, match=words) as raised:
        caller(mode, provider).call(f"b.{name}")
    assert (raised.value.outcome, len(provider.requests)) == (Outcome.UNKNOWN, 1)
    return raised.value


@pytest.mark.parametrize("name", ["any_answer", "no_content"])
class TestABodyThatTheDocumentHasNoContentFor:
    @pytest.mark.parametrize("body", [{"status": False}, {"id": "pay_1"}, [], 0, False])
    def test_json_is_returned_as_it_came(self, mode, name, body):
        parsed = answered(mode, name, httpx.Response(201, json=body)).parsed
        assert (parsed, type(parsed)) == (body, type(body))

    @pytest.mark.parametrize("body", [b"<html>Log in</html>", b"OK", b"\xff", b'{"id": "pay'])
    def test_an_undeclared_body_is_no_success_and_the_write_is_sent_again_with_its_key(
        self, mode, name, body
    ):
        answer = httpx.Response(201, content=body)
        error = no_success(mode, name, answer, "declares no content for this status")
        assert error.body == body
        provider = Script(answer, httpx.Response(201))
        assert caller(mode, provider, **KEYED).call(f"b.{name}").parsed is None
        first, second = (each.headers["idempotency-key"] for each in provider.requests)
        assert first == second

    def test_an_error_is_no_success(self, mode, name):
        no_success(mode, name, httpx.Response(201, json={"error": "busy"}), "reports an error")


@pytest.mark.parametrize("name", ["any_answer", "no_schema", "no_schemas"])
def test_an_empty_body_is_a_success_for_a_media_type_without_a_schema(mode, name):
    assert answered(mode, name, httpx.Response(200)).parsed is None


def test_a_body_of_a_media_type_without_a_schema_is_json(mode):
    assert answered(mode, "no_schema", httpx.Response(200, json={"id": 5})).parsed == {"id": 5}
    no_success(mode, "no_schema", httpx.Response(200, text="<html>Log in</html>"))


@pytest.mark.parametrize("name", ["any_schema", "one_schema", "typed", "listed", "chosen"])
def test_an_empty_body_is_no_success_where_the_document_has_a_schema(mode, name):
    no_success(mode, name, httpx.Response(200))


@pytest.mark.parametrize("body", [{}, {"id": ""}, {"id": " "}, {"id": None}, {"id": 5}, {"zz": 1}])
def test_an_object_without_a_declared_value_is_no_success_of_a_write(mode, body):
    """Anybody's server answers `{}`, and a blank id names nothing: both say as little."""
    no_success(mode, "typed", httpx.Response(200, json=body), NOTHING_DECLARED)


@pytest.mark.parametrize(("name", "body", "is_good"), cases_beside(__file__)["errors"])
def test_errors_are_a_success_only_where_the_document_declares_them(mode, name, body, is_good):
    answer = httpx.Response(200, json=body)
    if is_good:
        assert answered(mode, name, answer).status_code == 200
    else:
        no_success(mode, name, answer, "reports an error")


@pytest.mark.parametrize(("body", "is_evidence"), cases_beside(__file__)["held"])
def test_an_object_without_declared_members_and_types_is_no_evidence_of_a_write(
    mode, body, is_evidence
):
    """Neither an object of a class that the document does not name, nor a value of another type."""
    answer = httpx.Response(200, json=body)
    if is_evidence:
        assert answered(mode, "held", answer).parsed.to_dict() == body
    else:
        no_success(mode, "held", answer, NOTHING_DECLARED)


def test_an_unknown_variant_is_read_and_is_no_evidence_of_a_write(mode):
    unknown, card = (
        httpx.Response(200, json={"type": kind, "amount": 1}) for kind in ("ideal", "card")
    )
    assert type(answered(mode, "chosen_read", unknown).parsed).__name__ == "UnknownVariant"
    no_success(mode, "chosen", unknown, NOTHING_DECLARED)
    assert type(answered(mode, "chosen", card).parsed).__name__ == "Card"


def test_the_bytes_of_a_read_are_given_unless_they_are_a_page(mode):
    pdf = httpx.Response(200, content=b"%PDF")
    assert answered(mode, "any_read", pdf).content == b"%PDF"
    with pytest.raises(UnreadableResponse):
        answered(mode, "any_read", httpx.Response(200, content=b"\n<!DOCTYPE html><p>Log in"))


TEXT, JSON = b"pay_1,44.23\n" * 200, b'{"id": 1}'
PACKED, PACKED_JSON = gzip.compress(TEXT, mtime=0), gzip.compress(JSON, mtime=0)


@pytest.mark.parametrize(
    ("content", "unpacked"),
    [
        (PACKED, TEXT),
        *((odd, None) for odd in (PACKED[:-1], PACKED[:40], PACKED + PACKED, PACKED + b"more")),
        *((odd, JSON) for odd in (PACKED_JSON[:-8], PACKED_JSON + b"more")),
    ],
)
def test_a_compressed_body_is_a_success_only_if_it_is_whole_or_holds_whole_json(
    mode, content, unpacked
):
    def compressed(_request):
        stream = httpx.ByteStream(content)
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=stream)

    why = r"its end is missing|something follows its compressed body"
    read = caller(mode, None, transport=httpx.MockTransport(compressed))
    with pytest.raises(UnreadableResponse, match=why) if unpacked is None else nullcontext():
        assert read.call("b.any_read").content == unpacked


HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
ZIPPED = HEAD + b"Content-Encoding: gzip\r\n\r\n"


@contextmanager
def tls_server(authority, answer, *, notice):
    """Answers each connection once, and ends it with a closure alert, or as somebody on the way
    would.
    """
    context = authority.server()

    def answer_once(connection):
        with context.wrap_socket(connection, server_side=True) as tls:
            tls.recv(65536)
            tls.sendall(answer)
            tls.unwrap() if notice else tls.shutdown(socket.SHUT_WR)

    with serving(answer_once) as port:
        yield f"https://127.0.0.1:{port}"


def content_over_tls(mode, authority, answer, *, notice):
    """What a read returns that gets these bytes from `tls_server`."""
    context = authority.trusted()
    # as each context of Python before 3.11.4 has it
    context.options |= getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    with tls_server(authority, answer, notice=notice) as url:
        read = caller(mode, None, base_url=url, verify=context, retry=ONCE)
        return read.call("b.any_read").content


@pytest.fixture
def reads_by_httpx(request, monkeypatch):
    """The client's own transport leaves it to httpx where somebody has changed httpx's `send`."""
    for client in (httpx.Client, httpx.AsyncClient) if request.param else ():
        monkeypatch.setattr(client, "send", partialmethod(client.send))


BY_EITHER = pytest.mark.parametrize(
    "reads_by_httpx", [False, True], ids=["own", "httpx"], indirect=True
)
NOT_READ = UnreadableResponse, ConnectionFailed


def test_a_text_without_a_length_is_whole_where_tls_says_that_it_ended(mode, authority):
    """RFC 9112, 9.8."""
    assert content_over_tls(mode, authority, HEAD + b"\r\n" + TEXT, notice=True) == TEXT


@pytest.mark.parametrize("reads_by_httpx", [True], indirect=True)
def test_a_text_without_a_length_is_not_read_through_httpx_which_does_not_tell_how_it_ended(
    mode, authority, reads_by_httpx
):
    with pytest.raises(NOT_READ):
        content_over_tls(mode, authority, HEAD + b"\r\n" + TEXT, notice=True)


@BY_EITHER
@pytest.mark.parametrize(
    ("answer", "content"),
    [(HEAD + b"\r\n" + JSON, JSON), (ZIPPED + PACKED, TEXT)],
    ids=["JSON", "gzip"],
)
def test_a_body_without_a_length_is_whole_if_its_own_form_shows_its_end(
    mode, authority, answer, content, reads_by_httpx
):
    assert content_over_tls(mode, authority, answer, notice=False) == content


@BY_EITHER
@pytest.mark.parametrize(
    "answer",
    [HEAD + b"\r\n" + TEXT, HEAD + b"\r\n" + JSON[:-1], HEAD + b"\r\n1250", ZIPPED + PACKED[:-1]],
    ids=["text", "cut JSON", "number", "cut gzip"],
)
def test_a_body_without_a_length_is_not_read_if_nothing_shows_its_end(
    mode, authority, answer, reads_by_httpx
):
    with pytest.raises(NOT_READ):
        content_over_tls(mode, authority, answer, notice=False)


GOOD = httpx.Response(200, json={"id": "p-1"})
LOST = httpx.ReadError("lost")


class Once(io.BytesIO):
    """A pipe, for example."""

    def seekable(self):
        return False


def standing(file, place):
    file.seek(place)
    return file


def upload(mode, provider, name, file, times=1):
    """Send a file so often, as the body or as a field of a form."""
    calls = caller(mode, provider, **KEYED)
    body = importlib.import_module(f"{calls.package}.types").File(payload=file)
    if name == "form":
        form = importlib.import_module(f"{calls.package}.models").FormBody()
        form.file, body = body, form
    calls.run((lambda client: send(client, f"b.{name}", package=calls.package, body=body),) * times)


@pytest.mark.parametrize("name", ["raw", "form"])
class TestAFile:
    @pytest.mark.parametrize(
        ("make", "place", "times"), [(io.BytesIO, 0, 2), (io.BytesIO, 3, 2), (Once, 0, 1)]
    )
    def test_each_call_sends_a_file_from_its_first_position(self, mode, name, make, place, times):
        provider = Script(LOST, httpx.Response(503), GOOD)
        upload(mode, provider, name, standing(make(b"pqrXYZ"), place), times)
        bodies = [each.content for each in provider.requests]
        assert [(b"pqr" in sent, b"XYZ" in sent) for sent in bodies] == (
            [(place == 0, True)] * (times + 2)
        )

    @pytest.mark.parametrize("make", [io.BytesIO, Once])
    def test_a_file_that_was_read_to_its_end_before_is_refused_by_name(self, mode, name, make):
        provider, field = Script(GOOD), "body" if name == "raw" else "file"
        with pytest.raises(ValueError, match=f"{field}: nothing is left to read"):
            upload(mode, provider, name, standing(make(b"012"), 3))
        assert provider.requests == []


def post(mode, provider, content):
    """Send content of the caller's own through the client of a generated package."""
    return caller(mode, provider, **KEYED).run(lambda made: made.http.post("/raw", content=content))


def test_a_body_that_can_be_read_once_is_sent_again_whole():
    provider = Script(LOST, httpx.Response(201))
    assert post("blocking", provider, iter([b"012"])).status_code == 201
    assert [each.content for each in provider.requests] == [b"012"] * 2


def test_a_body_that_was_read_to_its_end_before_is_not_sent_empty():
    provider = Script(httpx.Response(201))
    with pytest.raises(InvalidRequest, match="of its body of 3 bytes, 0 are left to read"):
        post("blocking", provider, standing(io.BytesIO(b"012"), 3))
    assert provider.requests == []


def test_a_body_that_must_be_awaited_is_refused():
    async def awaited():
        yield b"012"

    provider = Script(httpx.Response(201))
    with pytest.raises(InvalidRequest, match="nothing was sent: its body must be awaited"):
        post("awaited", provider, awaited())
    assert provider.requests == []
