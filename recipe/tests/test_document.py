"""A document is read as what it says; whatever it holds, the end is a package or an error that
names the place.
"""

import copy
import io
import json
import os
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from victor_spec.document import DocumentError, load

from .command import run
from .wire import beside

pytestmark = pytest.mark.pull_request
HEAD = "openapi: 3.0.3\ninfo: {title: T, version: '1'}\n"

CASES = beside("document")
DOCUMENT = CASES["document"]


def places(tree, above=()):
    yield above
    steps = (
        tree.items()
        if isinstance(tree, dict)
        else enumerate(tree)
        if isinstance(tree, list)
        else ()
    )
    for step, value in steps:
        yield from places(value, (*above, step))


def dotted(place):
    """A place as errors say it: `paths./x.get.parameters[0]`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)[1:]


def put(tree, place, value):
    tree = copy.deepcopy(tree)
    found = tree
    for step in place[:-1]:
        found = found[step]
    found[place[-1]] = value
    return tree


VALUES = CASES["values"]
ANYWHERE = st.sampled_from([each for each in places(DOCUMENT) if each])


@settings(max_examples=200 if "VICTOR_SEARCH" in os.environ else 20)
@given(place=ANYWHERE, value=st.sampled_from(VALUES))
def test_a_document_with_any_value_at_any_node_is_checked_or_refused(place, value):
    is_checked_or_refused(place, value)


def is_checked_or_refused(place, value):
    """Try a document with another value in a place: a package is made and checked, or the document
    is refused with the place, or with the part that the place is in; nothing stumbles.
    """
    printed, said = io.StringIO(), io.StringIO()
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(printed), redirect_stderr(said):
        spec = Path(folder) / "some.json"
        spec.write_text(json.dumps(put(DOCUMENT, place, value)), encoding="utf-8")
        status = run("check", spec)
    errors = said.getvalue()
    assert status == 2 or (printed.getvalue() and "cannot be checked" not in errors), errors
    assert status != 2 or dotted(place[:-1] or place) in errors or "make one file" in errors
    assert bool(errors) == (status == 2)
    said_in_all = printed.getvalue() + errors
    assert all(len(line) < 1_000 for line in said_in_all.splitlines())


@pytest.mark.parametrize(
    ("text", "says"), [(each["text"], each["says"]) for each in CASES["refused"]]
)
def test_a_file_that_is_no_openapi_document_is_refused_with_the_place_of_the_mistake(
    tmp_path, text, says, capsys
):
    spec = tmp_path / "some.yaml"
    spec.write_text(text, encoding="utf-8")
    assert run("generate", spec, "--out", tmp_path / "out") == 2
    printed = capsys.readouterr()
    assert says in printed.err
    assert str(spec) in printed.err
    assert "->" not in printed.out + printed.err
    assert not (tmp_path / "out").exists()


def loaded(tmp_path, text):
    """The document of a file that begins with a byte order mark."""
    path = tmp_path / "some.yaml"
    path.write_text(f"{HEAD}paths: {{}}\n{text}", encoding="utf-8-sig")
    return load(path)


@pytest.mark.parametrize(("written", "meant"), CASES["scalars"])
def test_scalars_and_keys_are_what_json_would_call_them(tmp_path, written, meant):
    assert loaded(tmp_path, f"x: {written}")["x"] == meant


def test_circular_or_too_deep_yaml_is_refused_with_the_reason(tmp_path):
    for text, said in (
        ("x: &x\n  a: [*x]\n", "Circular"),
        ("x: " + "[" * 2_000 + "]" * 2_000, "too many"),
    ):
        with pytest.raises(DocumentError, match=f"cannot be read: {said}"):
            loaded(tmp_path, text)
