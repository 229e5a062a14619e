"""docs/python.md is true: its code runs, its defaults are the defaults, its names and errors are
those there are.
"""

import inspect
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

import victor_ext
from tests.providers.victor.adapter import payment
from victor_ext import AsyncVictor, PaymentRequest, RetryPolicy, Victor, VictorError, VictorJwt
from victor_ext.providers.victor.payment_requests import PaymentRequests
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow
DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "python.md").read_text(encoding="utf-8")
RETRY = (DOCS / "retry.md").read_text(encoding="utf-8")
ERRORS = (DOCS / "errors.md").read_text(encoding="utf-8")
PYTHON_BLOCKS = re.compile(r"```python\n(.*?)```", re.DOTALL)
BLOCKS = PYTHON_BLOCKS.findall(PAGE)


def section(heading: str) -> str:
    return PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("client", [Victor, AsyncVictor])
def test_the_defaults_of_a_client(client: type) -> None:
    given: dict[str, Any] = {}

    def called(auth: object, **options: Any) -> None:
        given.update(options)

    exec(
        BLOCKS[0].replace("RetryPolicy, Victor", "RetryPolicy"),
        {"Victor": called, "auth": None, "httpx": httpx, "RetryPolicy": RetryPolicy},
    )
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(client).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    assert given == defaults


def test_the_defaults_of_the_retry_policy() -> None:
    figures = dict(
        re.findall(r"(\w+)=([0-9.]+)", re.search(r"retry=RetryPolicy\(\),  # (.*)", BLOCKS[0])[1])
    )  # type: ignore[index]
    policy = RetryPolicy()
    assert {name: float(value) for name, value in figures.items()} == {
        name: getattr(policy, name) for name in ("max_attempts", "base", "cap", "quota")
    }


def test_the_methods() -> None:
    rows = re.findall(r"\| `(\w+)\((.*?)\)` \|(.*)\|", section("Payment requests"))
    methods = {
        name
        for name, value in vars(PaymentRequests).items()
        if callable(value) and not name.startswith("_")
    }
    assert {name for name, *_ in rows} == methods
    for name, arguments, prose in rows:
        parameters = inspect.signature(getattr(PaymentRequests, name)).parameters
        named = set(re.findall(r"(?<![\w.])([a-z_]+)(?=[,=)]|$)", arguments)) | set(
            re.findall(r"`([a-z_]+)`", prose)
        )
        assert named <= set(parameters), name
        for argument, default in re.findall(r"(\w+)=([^,)]+)", arguments):
            assert str(parameters[argument].default) == default


def test_what_a_record_has() -> None:
    sentence = re.search(r"A `PaymentRequest` has (.*?)\. What", PAGE, re.DOTALL)
    assert sentence is not None
    named = {name.removesuffix("()") for name in re.findall(r"`([\w()]+)`", sentence[1])}
    made = {name for name in dir(PaymentRequest) if not name.startswith("_")}
    # how records are made, read and compared
    assert named == made - {
        "of_json",
        "value_at",
        "said_amounts",
        "not_objects",
        "identified",
        "as_done",
    }


def test_the_tree_of_errors() -> None:
    named = set(
        re.findall(
            r"\b([A-Z][A-Za-z]+)\b(?=  | 4| 5|\n|$)",
            ERRORS.split("```text\nVictorError\n")[1].partition("```")[0],
        )
    )
    found = {
        name
        for name in victor_ext.__all__
        if inspect.isclass(value := getattr(victor_ext, name)) and issubclass(value, VictorError)
    }
    assert found - {"VictorError"} <= named
    sentence = re.search(r"All errors are `VictorError`, with (.*?)\.\n", ERRORS, re.DOTALL)
    assert sentence is not None
    for name in re.findall(r"`(\w+)`", sentence[1]):
        assert hasattr(VictorError("x"), name) or name in ("field", "code", "message")


def test_settling_an_unknown_outcome(victor_sandbox: Sandbox, victor: Victor) -> None:
    section = RETRY.partition("## Settle an unknown outcome")[2].partition("\n## ")[0]
    asked, repeated, searched = PYTHON_BLOCKS.findall(section)
    victor_sandbox.inject("lose_answer", operation="create", times=6)
    names: dict[str, Any] = {
        "victor": victor,
        "invoice": payment(payer_counterparty_id="acme000001"),
    }

    exec(asked, names)
    assert "request" not in names
    exec(repeated, names)
    exec(searched, names)

    assert [found.id for found in names["found"]] == [names["request"].id]
    assert victor_sandbox.work_done_by_key() == {names["key"]: 1}


def test_credentials_that_the_page_names() -> None:
    parameters = inspect.signature(VictorJwt).parameters
    assert set(
        re.findall(r"`(\w+)=`", PAGE.split("## Keys and tokens")[1].split("\n## ")[0])
    ) <= set(parameters)
