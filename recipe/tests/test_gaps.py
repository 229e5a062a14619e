"""The check notes what a document does not say of its operations."""

import pytest

from victor_spec.check import check
from victor_spec.gaps import GAPS

from .command import run
from .wire import TEXT, an_object, beside, written

pytestmark = pytest.mark.pull_request
DONE = {"content": {"application/json": {"schema": an_object(id=TEXT)}}, "description": ""}
ANSWERS = {"200": DONE, "default": {"description": ""}}


def document(case):
    operation = {"operationId": "read", "responses": ANSWERS, **case.get("get", {})}
    return {
        "openapi": "3.1.0",
        "info": {"title": "", "version": ""},
        "servers": [{"url": "https://some.example"}],
        "paths": {"/p": {"get": operation}},
        **case.get("document", {}),
    }


@pytest.mark.parametrize("case", beside("gaps"), ids=str)
def test_a_gap_is_noted_with_its_place(case, tmp_path, capsys):
    spec = written(tmp_path, document(case))
    notes = check(spec, None).notes
    gaps = [(name, place) for name in GAPS for place in notes[name]]
    expected = [(case["note"], case["place"])] if "note" in case else []
    assert [(name, place.partition(": ")[0]) for name, place in gaps] == expected
    assert run("check", spec, "--gaps") == 0
    printed = capsys.readouterr().out
    assert [name for name in GAPS if f"{name} (1): {GAPS[name]}" in printed] == [
        name for name, _ in expected
    ]
