"""The pages about `connect` and recipe/docs/real-apis.md are true: what they name is there, and the
code is typed.
"""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import victor_ext
from tests.providers.connected.till import DOCUMENT, till_api

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]
PAGE = "".join(
    (ROOT / "docs" / name).read_text(encoding="utf-8")
    for name in ("add-a-payment-api.md", "connect-reference.md")
)
TILL = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
REAL_PAGE = (ROOT / "recipe" / "docs" / "real-apis.md").read_text(encoding="utf-8")
REAL = re.findall(r"```python\n(.*?)```", REAL_PAGE.partition("## Three real APIs")[2], re.DOTALL)
"""The code for Till, which `tests/pages` runs; and that for the documents of real providers."""
NAMES = {name: getattr(victor_ext, name) for name in victor_ext.__all__}


def test_the_modules_and_names_that_the_page_gives_of_till_api_exist():
    till_api()
    rows = re.findall(r"^\| (.+) \| `till_api\.(\w+)\.([\w.]+)` \|$", REAL_PAGE, re.MULTILINE)
    assert [module for _, module, _ in rows] == ["api", "models"]
    document = DOCUMENT.read_text(encoding="utf-8")
    for said, module, name in rows:
        for quoted in re.findall("`([^`]+)`", said):
            assert quoted.rpartition(" ")[2] in document
        if module == "api":
            importlib.import_module(f"till_api.api.{name}")
        else:
            assert hasattr(importlib.import_module(f"till_api.{module}"), name)


@pytest.mark.parametrize("block", REAL, ids=["lithic", "mollie", "plaid", "stripe"])
def test_the_code_for_the_real_documents_uses_names_and_arguments_that_exist(block):
    """Their documents are not here: the names of this package and their arguments are checked."""
    tree = ast.parse(block)
    ours = [
        node
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "victor_ext"
    ]
    imported = {alias.name for node in ours for alias in node.names}
    assert "connect" in imported
    assert imported <= set(victor_ext.__all__)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert imported <= used
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in imported
        ):
            named = {keyword.arg: keyword.value for keyword in node.keywords}
            inspect.signature(NAMES[node.func.id]).bind(*node.args, **named)
            if node.func.id.endswith("Pages"):
                eval(compile(ast.Expression(node), "page", "eval"), dict(NAMES))


def test_each_line_of_the_tables_can_be_written():
    given = {
        "token": "t",
        "key": "k",
        "username": "u",
        "password": "p",
        "api_key": "k",
        "client_id": "i",
    }
    given |= {"client_secret": "s", "my_jwt": str}
    result = re.findall(r"`((?:\w+Auth|\w+Key|\w+Pages)\([^`]*\))`", PAGE)
    assert len(result) > 12
    for expression in result:
        if "..." not in expression:
            eval(expression, NAMES | given)


EXACT = """
from typing import assert_type
from till_api.api.balances import list_balances
from till_api.models import Balance
from victor_ext import NumberedPages

assert_type(till.api, Client)
assert_type(payment, Payment)
assert_type(expect(list[Balance], list_balances.sync(client=till.api)), list[Balance])
for each in till.paged(list_payments, BY_CURSOR, limit=5):
    assert_type(expect(Payment, each), Payment)
for page in till.paged(list_balances, NumberedPages()).pages():
    for balance in page.items:
        print(balance.id)


async def awaited() -> None:
    async with connect_async(Client, base_url="https://api.till.example") as later:
        assert_type(
            expect(
                Payment, await take_payment.asyncio(client=later.api, body=NewPayment(1, "EUR"))
            ),
            Payment,
        )
        async for each in later.paged(list_payments, BY_CURSOR):
            print(each.id)
"""
WRONG = """
answer.id
payment.identity
till.paged(list_payments, BY_CURSOR, status=5)
till.paged(list_payments, BY_CURSOR, state=PaymentStatus.ACCEPTED)
for wrong in till.paged(list_payments, BY_CURSOR):
    expect(Payment, wrong).identity
till.paged(len, BY_CURSOR)
till.paged(list_payments, "cursor")
"""


@pytest.mark.pull_request
def test_a_program_of_the_page_is_typed(tmp_path):
    """mypy --strict finds each wrong line, and nothing else in the page's code and in what its
    types are.
    """
    package = Path(till_api().__file__ or "")
    program = "".join(['token: str = "t"\n', *TILL, EXACT])
    source = tmp_path / "program.py"
    source.write_text(program + WRONG)
    (tmp_path / "mypy.ini").write_text(
        f"[mypy]\nmypy_path = {ROOT}:{package.parents[1]}\ncache_dir = {ROOT}/.mypy_cache\n"
    )
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", "mypy.ini", source.name],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    by_name = {
        int(line) for line in re.findall(r"^program\.py:(\d+): error", ran.stdout, re.MULTILINE)
    }
    begin = program.count("\n") + 1
    wrong = {
        begin + at
        for at, line in enumerate(WRONG.splitlines())
        if line and not line.startswith("for ")
    }
    assert by_name == wrong, ran.stdout + ran.stderr
    assert "error" not in re.sub(
        r"^program\.py:.*|^Found .*", "", ran.stdout, flags=re.MULTILINE
    ), ran.stdout
