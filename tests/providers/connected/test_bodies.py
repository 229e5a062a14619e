"""`connect`: answers that the document has no content for, and bodies that can be read only
once.
"""

import importlib
import io
from pathlib import Path

import httpx
import pytest

from tests.cases import cases_beside
from tests.providers.connected.till import Caller, generated, send
from tests.providers.running import Script
from victor_ext import HeaderKey, InvalidRequest, Outcome, UnreadableResponse

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
