"""localstripe, called as the page does by a client that is made from Stripe's own document.

The document is no part of this project: `VICTOR_STRIPE_DOCUMENT` names it.
"""

import os
import re
from pathlib import Path

import pytest

from victor_spec.generate import generate

pytestmark = pytest.mark.nightly

PAGE = Path(__file__).resolve().parents[2] / "recipe" / "docs" / "real-apis.md"


def test_the_code_of_the_tutorial_runs_and_prints_what_the_page_expects(
    request, tmp_path, monkeypatch, capsys
):
    document = os.environ.get("VICTOR_STRIPE_DOCUMENT")
    if document is None:
        pytest.skip(
            "VICTOR_STRIPE_DOCUMENT names no document: give the path of Stripe's openapi/spec3.json"
        )
    foreign = request.getfixturevalue("localstripe")
    assert generate(Path(document), tmp_path, name="spec3_api").left_out == []
    monkeypatch.syspath_prepend(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    [block] = [block for block in blocks if "spec3_api" in block]
    names = {}
    exec(compile(block.replace("http://127.0.0.1:8420", foreign), str(PAGE), "exec"), names)
    names["stripe"].close()
    assert (
        capsys.readouterr().out
        == "4423 succeeded\n1000 succeeded\nrejected Your card was declined.\nTrue\n"
    )
