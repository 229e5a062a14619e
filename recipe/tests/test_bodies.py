"""The bytes of bodies: JSON, url-encoded and multipart forms, text and binaries, and who chooses
among them.
"""

import datetime
import email
import io
import json
from typing import get_type_hints

import pytest

from .wire import beside, package

pytestmark = pytest.mark.pull_request
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
DOCUMENT = beside("bodies")
PATHS = DOCUMENT["paths"]
SCHEMAS = DOCUMENT["components"]["schemas"]
NESTED_FILES = [
    f"POST /nested: the form's field {name}: a file within it, which is refused when called: "
    "a part of a form is a file or JSON"
    for name in ("document", "documents")
]


wire = package(lossy=True, **DOCUMENT)


class TestContentTypes:
    def test_json_is_sent_unless_the_caller_chooses(self, wire):
        # read-only, and sent by each of them if it is there
        note = wire.models.Note(text="a b", id="1")
        sent = wire.send("same", body=note)
        assert (sent.headers["Content-Type"], sent.content) == (JSON, b'{"text":"a b","id":"1"}')
        form = wire.send("same", body=note, content_type=FORM)
        assert (form.headers["Content-Type"], form.content) == (FORM, b"text=a+b&id=1")
        parts = wire.send("same", body=note, content_type=MULTIPART)
        assert parts_of(parts) == {
            "text": ("text/plain", None, b"a b"),
            "id": ("text/plain", None, b"1"),
        }
        # of application/*+json
        assert wire.send("ranged", body=note).headers["Content-Type"] == JSON
        assert sent.headers["Content-Length"] == str(len(sent.content))

    def test_a_body_of_another_type_is_sent_as_its_own_content_type(self, wire):
        assert (
            wire.send("different", body=wire.models.Note(text="a")).headers["Content-Type"] == JSON
        )
        upload = wire.send("different", body=wire.models.DifferentFilesBody(note="n"))
        assert upload.headers["Content-Type"].startswith(f"{MULTIPART}; boundary=")
        text = wire.send("different", body="hello")
        assert (text.headers["Content-Type"], text.content) == ("text/plain", b"hello")

    def test_a_content_type_that_the_body_does_not_have_is_refused(self, wire):
        with pytest.raises(
            TypeError,
            match="The body is a Note, which is sent as application/json, not as multipart",
        ):
            wire.send("different", body=wire.models.Note(text="a"), content_type=MULTIPART)
        with pytest.raises(
            ValueError, match="'text/html' is not in the document: write one of application/json, "
        ):
            wire.send("same", body=wire.models.Note(text="a"), content_type="text/html")

    def test_content_type_is_an_argument_only_where_a_body_has_several_content_types(self, wire):
        hints = get_type_hints(wire.module("same").sync_detailed)
        # `typing` has one union for all orders of the same words: that of any package before it.
        assert {*hints["content_type"].__args__[0].__args__} == {JSON, MULTIPART, FORM}
        assert "content_type" not in get_type_hints(wire.module("order").sync_detailed)


def parts_of(request):
    """The parts of a multipart body by name: content type, file name and bytes; a list where a name
    repeats.
    """
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n"
    parts = email.message_from_bytes(head.encode() + request.content).get_payload()
    found = {}
    for part in parts:
        value = (part["Content-Type"], part.get_filename(), part.get_payload(decode=True))
        found.setdefault(part.get_param("name", header="Content-Disposition"), []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


class TestMultipart:
    def test_each_value_of_a_multipart_form_is_a_part_with_the_content_type_of_its_schema_or_file(
        self, wire
    ):
        file = wire.types.File
        plain = {
            "note": "Zoë",
            "count": 3,
            "ok": True,
            "tags": ["a", "b"],
            "xml": "<a/>",
            "nothing": None,
        }
        inner = {"line": {"price": "p", "quantity": 2}, "lines": [{"price": "p"}]}
        model = wire.models.UploadBody.from_dict({**plain, **inner})
        model.at = datetime.datetime(2026, 3, 4, tzinfo=datetime.UTC)
        model.file = file(payload=io.BytesIO(b"\x00--+++\r\n"), file_name="a.pdf")
        model.image = file(payload=b"png")
        model.photo = file(payload=b"photo", file_name="p.jpg")
        model.files = [
            file(payload=b"1", file_name="1.bin"),
            file(payload=b"2", mime_type="text/csv"),
        ]
        assert parts_of(wire.send("upload", body=model)) == {
            "file": ("application/pdf", "a.pdf", b"\x00--+++\r\n"),
            "image": ("image/png", "upload", b"png"),
            "photo": ("image/jpeg", "p.jpg", b"photo"),
            "files": [("application/octet-stream", "1.bin", b"1"), ("text/csv", "upload", b"2")],
            "note": ("text/plain", None, "Zoë".encode()),
            "count": ("text/plain", None, b"3"),
            "ok": ("text/plain", None, b"true"),
            "at": ("text/plain", None, b"2026-03-04T00:00:00Z"),
            "line": ("application/json", None, b'{"price":"p","quantity":2}'),
            "tags": [("text/plain", None, b"a"), ("text/plain", None, b"b")],
            "lines": ("application/json", None, b'{"price":"p"}'),
            "xml": ("application/xml", None, b"<a/>"),
        }

    def test_a_traceback_shows_no_byte_of_a_form(self, wire):
        upload = wire.module("upload")._get_kwargs(
            body=wire.models.UploadBody(note="4111", tags=["4111"])
        )
        order = wire.module("order")._get_kwargs(
            body=wire.models.OrderBody.from_dict({"tags": ["4111"]})
        )
        assert "4111" not in f"{upload} {order}"

    def test_each_request_has_a_boundary_of_its_own(self, wire):
        sent = [wire.send("upload", body=wire.models.UploadBody(note="n")) for _ in range(2)]
        assert sent[0].headers["Content-Type"] != sent[1].headers["Content-Type"]

    def test_an_object_in_another_form_than_json_is_refused(self, wire):
        model = wire.models.UploadBody()
        model["xml"] = {"a": 1}
        with pytest.raises(ValueError, match="xml: the document declares it as application/xml"):
            wire.send("upload", body=model)

    def test_a_declared_content_type_is_no_argument(self, wire):
        sent = wire.send("declared", body=wire.models.DeclaredBody(note="n"))
        assert parts_of(sent) == {"note": ("text/plain", None, b"n")}

    def test_a_file_within_an_object_of_a_form_is_refused_and_reported_as_left_out(self, wire):
        models = wire.models
        file = wire.types.File(payload=b"1")
        with pytest.raises(ValueError, match="document: a part of a form is a file or JSON"):
            wire.send(
                "nested", body=models.NestedBody(document=models.NestedBodyDocument(file=file))
            )
        assert set(NESTED_FILES) <= set(wire.result.left_out)

    def test_a_body_with_a_file_goes_as_a_form_and_one_with_a_text_in_its_place_as_json(self, wire):
        file = wire.types.File(payload=b"\xff", file_name="1.bin")
        form = wire.send("both", body=wire.models.InBoth(file=file, name="n"))
        _, file_name, content = parts_of(form)["file"]
        assert (file_name, content) == ("1.bin", b"\xff")
        assert wire.send("both", body=wire.models.InBoth(name="n")).content == b'{"name":"n"}'
        with_text = wire.send("both", body=wire.models.InBoth(file="text"))
        assert json.loads(with_text.content) == {"file": "text"}

    def test_a_body_with_a_file_is_not_sent_as_json(self, wire):
        body = wire.models.InBoth(file=wire.types.File(payload=b"\xff", file_name="1.bin"))
        with pytest.raises(ValueError, match="JSON has no bytes: send the file in another"):
            wire.send("both", body=body, content_type=JSON)


def test_each_request_is_sent_as_declared_except_at_one_known_place(wire):
    """The encoder of the calls shares no code with the package.

    Beside what is left out, and what a caller encodes.
    """
    assert wire.faults() == ["paths./picture.post.requestBody.content.image/*"]
