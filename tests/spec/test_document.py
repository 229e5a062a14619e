"""Reading documents as what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from victor_ext.spec.document import DocumentError, load

HEAD = "openapi: 3.0.3\ninfo: {title: T, version: 1.0}\npaths: {}\n"


def loaded(tmp_path: Path, text: str, name: str = "some.yaml") -> dict:
    path = tmp_path / name
    path.write_text(HEAD + text if name.endswith("yaml") else text, encoding="utf-8")
    return load(path)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2021-10-25", "2021-10-25"),
        ("2020-06-18T15:09:42Z", "2020-06-18T15:09:42Z"),
        ("043987673645", "043987673645"),
        ("011401533", "011401533"),
        ("0x1F", "0x1F"),
        ("off", "off"),
        ("12:30:00", "12:30:00"),
        ("1_000", "1_000"),
        ("44", 44),
        ("-1.5e3", -1500.0),
        ("true", True),
        ("null", None),
    ],
)
def test_scalars_are_what_json_would_call_them(tmp_path: Path, written: str, meant: object) -> None:
    assert loaded(tmp_path, f"x: {written}")["x"] == meant


def test_keys_are_text(tmp_path: Path) -> None:
    found = loaded(tmp_path, "x: {200: a, 2021-10-25: b, true: c, 404: d}")["x"]
    assert found == {"200": "a", "2021-10-25": "b", "true": "c", "404": "d"}


def test_aliases_are_written_out(tmp_path: Path) -> None:
    found = loaded(tmp_path, "a: &a {n: 1}\nb: *a\nc: {<<: *a, m: 2}")
    found["a"]["n"] = 9
    assert found["b"] == {"n": 1}
    assert found["c"] == {"n": 1, "m": 2}


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04rest", b"\x1f\x8b\x08rest", b"%PDF-1.7", b"openapi: 3.0.0\0", b"\x7fELF\0"]
)
def test_a_file_that_is_no_text_is_refused_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_bytes(content)
    with pytest.raises(DocumentError) as refused:
        load(spec)
    assert str(refused.value) == (
        f"{spec} cannot be read: it is no text: name a document in YAML or JSON; an archive must be unpacked first."
    )


def test_what_is_no_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    for path, said in (
        (tmp_path, f"{tmp_path} cannot be read: it is a folder: name the document in it."),
        (tmp_path / "no.yaml", f"{tmp_path / 'no.yaml'} cannot be read: No such file or directory."),
        (
            Path("https://api.example/spec.yaml"),
            "https://api.example/spec.yaml is an address: download the document, and name the file.",
        ),
    ):
        with pytest.raises(DocumentError) as refused:
            load(path)
        assert str(refused.value) == said
