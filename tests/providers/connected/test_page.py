"""docs/add-a-payment-api.md is true: its commands and its code run against mocks of the document."""

from __future__ import annotations

import ast
import importlib
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

import victor_ext
from tests.providers.connected.till import DOCUMENT, till_api

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "add-a-payment-api.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
TILL, REAL = PYTHON[:5], PYTHON[5:]
NAMES: dict[str, Any] = {name: getattr(victor_ext, name) for name in victor_ext.__all__}
MOCK = "http://127.0.0.1:4010"


@contextmanager
def prism() -> Iterator[str]:
    """The mock that the page names, where it is installed: `npm install --global @stoplight/prism-cli`."""
    command = shutil.which("prism")
    if command is None:
        pytest.skip("prism (npm: @stoplight/prism-cli) is not on the PATH")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [command, "mock", str(DOCUMENT), "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(300):
            try:
                httpx.get(url, trust_env=False)
                break
            except httpx.ConnectError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


def test_the_code_of_the_tutorial_against_prism(capsys: pytest.CaptureFixture[str]) -> None:
    till_api()
    with prism() as url:
        names: dict[str, Any] = {"token": "any"}
        for block in TILL:
            assert "till" in block
            exec(compile(block.replace(MOCK, url), "docs/add-a-payment-api.md", "exec"), names)
        names["till"].close()
    taken, refused, listed, awaited, settled = capsys.readouterr().out.splitlines()
    payment = taken.split()[0]
    assert taken == f"{payment} PaymentStatus.ACCEPTED" or taken == f"{payment} accepted"
    assert re.fullmatch(r"rejected [0-9a-f-]{36} \[.+\]", refused) is not None
    assert (listed, awaited) == (f"{payment} 4423", f"['{payment}']")
    assert settled == "p-1042 Decimal('0.30')"


def test_the_names_of_the_first_table() -> None:
    till_api()
    for module in re.findall(r"`till_api\.(api\.\w+\.\w+)`", PAGE):
        importlib.import_module(f"till_api.{module}")
    assert {"takePayment", "NewPayment"} <= set(re.findall(r"\w+", DOCUMENT.read_text(encoding="utf-8")))


@pytest.mark.parametrize("block", REAL, ids=["lithic", "mollie", "plaid", "stripe"])
def test_the_code_for_the_real_documents_uses_what_there_is(block: str) -> None:
    """Their documents are not here: the names of this package and their arguments are checked."""
    tree = ast.parse(block)
    ours = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "victor_ext"]
    imported = {alias.name for node in ours for alias in node.names}
    assert imported <= set(victor_ext.__all__)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert imported <= used
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("Pages"):
            eval(compile(ast.Expression(node), "page", "eval"), dict(NAMES))


def test_each_line_of_the_tables_can_be_written() -> None:
    given: dict[str, Any] = {
        "token": "t", "key": "k", "username": "u", "password": "p", "api_key": "k", "client_id": "i",
    }  # fmt: skip
    given |= {"client_secret": "s", "my_jwt": str}
    result = re.findall(r"`((?:\w+Auth|\w+Key|\w+Pages)\([^`]*\))`", PAGE)
    assert len(result) > 15
    for expression in result:
        if "..." not in expression:
            eval(expression, NAMES | given)
