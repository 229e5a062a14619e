"""The proofs of the rehearsal can fail, and its cases are whole. `make rehearsal` runs all, as `make test-all` does."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from victor_ext.spec.document import load

from .rehearsal.cases import CASES, STAYED
from .rehearsal.exchange import OldClient
from .rehearsal.provider import Provider
from .rehearsal.rehearse import OPENAPI
from .rehearsal.user_code import UserCode, run, type_check


def test_the_cases_have_every_class_and_names_of_their_own() -> None:
    assert len(CASES) == 2 * len(STAYED) - 1 == 165
    assert len({(case.document, case.title) for case in CASES}) == len(CASES)
    assert {case.document for case in CASES} == {path.stem for path in OPENAPI.glob("*.yaml")}
    levels = {"breaks", "look", "fine", "none"}
    assert set(Counter(case.wire for case in CASES)) == levels
    assert set(Counter(case.python for case in CASES)) == levels


def test_the_old_client_and_an_unchanged_document_agree() -> None:
    """Each operation of each document is called, and nothing is refused, lost or misread."""
    for path in sorted(OPENAPI.glob("*.yaml")):
        document = load(path)
        client = OldClient(f"{path.stem}_api", Provider(document))
        document["info"]["title"] = "another"
        # Not the same text, so that no operation is skipped.
        for item in document["paths"].values():
            for tree in item.values():
                if "responses" in tree:
                    tree["description"] = "another"
        assert client.talk_to(Provider(document)).level == "none", path.stem


@pytest.mark.nightly
def test_user_code_that_cannot_work_is_seen(tmp_path: Path) -> None:
    """The proof of the Python column can fail: at the import, in a call, and in the type check alone."""
    package = OPENAPI.parent / "generated" / "eastpay_api"
    text = UserCode(package).text("eastpay_api")
    assert "Payment" in text
    edits = {
        "good": ("", ""),
        "gone": ("import Payment\n", "import Nothing\n"),
        "typed": ("    result: Result | Unset = model.result", "    result: int = model.result"),
    }
    for name, (before, after) in edits.items():
        assert before in text
        (tmp_path / f"{name}_user.py").write_text(text.replace(before, after), encoding="utf-8")
    assert set(run(tmp_path, list(edits), "eastpay_api")) == {"gone"}
    assert {"typed_user", "gone_user"} == set(type_check(tmp_path, [f"{name}_user" for name in edits]))
