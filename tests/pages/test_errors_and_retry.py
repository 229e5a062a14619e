"""docs/errors.md names every error and what it has, and docs/retry.md settles what is unknown."""

import inspect
import re
from typing import Any

import pytest

import victor_ext
from tests.pages.page import ROOT
from tests.providers.victor.adapter import payment
from victor_ext import Victor, VictorError
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow
ERRORS = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
RETRY = (ROOT / "docs" / "retry.md").read_text(encoding="utf-8")


def test_the_table_of_errors_has_all_of_them() -> None:
    section = ERRORS.partition("## Which error, and what to do")[2].partition("\n## ")[0]
    named = set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE))
    public = [getattr(victor_ext, name) for name in victor_ext.__all__]
    classes = [value for value in public if inspect.isclass(value)]
    errors = {error.__name__ for error in classes if issubclass(error, VictorError)}
    assert errors - {"VictorError"} <= named


def test_what_an_error_is_said_to_have_it_has() -> None:
    sentence = re.search(r"All errors are `VictorError`, with (.*?)\.\n", ERRORS, re.DOTALL)
    assert sentence is not None
    of_a_problem = {"field", "code", "message"}
    for name in {*re.findall(r"`(\w+)`", sentence[1])} - of_a_problem:
        assert hasattr(VictorError("x"), name), name


def test_settling_an_unknown_outcome(victor_sandbox: Sandbox, victor: Victor) -> None:
    section = RETRY.partition("## Settle an unknown outcome")[2].partition("\n## ")[0]
    asked, repeated, searched = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    victor_sandbox.inject("lose_answer", operation="create", times=6)
    names: dict[str, Any] = {
        "victor": victor,
        "invoice": payment(payer_counterparty_id="acme000001"),
    }

    exec(asked, names)
    assert "request" not in names
    exec(repeated, names)
    exec(searched, names)

    assert [match.id for match in names["found"]] == [names["request"].id]
    assert victor_sandbox.work_done_by_key() == {names["key"]: 1}
