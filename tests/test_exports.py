"""What is public, what importing it costs, and who knows whom."""

from __future__ import annotations

import ast
import importlib
import json
import re
from pathlib import Path

import pytest

import victor_ext
from tests.payments import cells
from tests.programs import python
from victor_ext import errors, money, providers, testing, zulu
from victor_ext._systems import entry_points_of

pytestmark = pytest.mark.slow
PACKAGE = Path(victor_ext.__file__).parent
GENERATED = PACKAGE.parent / "generated"
HEAVY = (
    "cryptography jwt typer rich starlette uvicorn anyio asyncio victor_api sqlalchemy psycopg "
    "django"
)

OURS = re.compile(r"\bvictor_ext\b|\bVictorError\b|\bVICTOR_(LOG|LOG_CONFIG|LISTENER_ERRORS)\b")
"""The names of this package, of the base of its errors and of its own variables: not those of a
payment system.
"""


def value_after(code, expression):
    """What an expression is in a fresh interpreter, after this code."""
    ran = python(
        "-W", "error", "-c", f"import json, sys\n{code}\nprint(json.dumps([*{expression}]))"
    )
    assert ran.returncode == 0, ran.stderr
    return {*json.loads(ran.stdout)}


def modules_after(code):
    return value_after(code, "sys.modules")


def loaded_after(code):
    """Those of the heavy packages that are loaded after this code."""
    return modules_after(code) & {*HEAVY.split()}


HTTP = "import httpx\nhttpx.HTTPTransport()"
# httpcore imports trio where that is installed, and trio imports attrs.
CALLS = f"""
sys.modules["trio"] = None
PAYMENT = {cells()}
from victor_ext import Victor, VictorOAuth
from victor_ext.sandbox import Sandbox

with Sandbox() as sandbox:
    with Victor(VictorOAuth(*sandbox.add_oauth_client()), base_url=sandbox.url) as victor:
        made = victor.payment_requests.create(
            **PAYMENT, idempotency_key="a-key-of-twenty-characters"
        )
        read = victor.payment_requests.get(made.id)
        (listed,) = victor.payment_requests.list()
assert read.amount == listed.amount == made.amount
"""


class TestNames:
    def test_a_name_that_is_not_public_raises_an_attribute_error(self):
        with pytest.raises(AttributeError, match="module 'victor_ext' has no attribute 'Vector'"):
            _ = victor_ext.Vector

    @pytest.mark.parametrize("module", [errors, money, testing, zulu])
    def test_each_public_module_lists_its_public_names(self, module):
        defined = {
            name
            for name, value in vars(module).items()
            if not name.startswith("_")
            and getattr(value, "__module__", "").startswith(module.__name__)
            and callable(value)
        }
        assert set(module.__all__) == defined

    @pytest.mark.parametrize("package", [victor_ext, providers])
    def test_type_checkers_and_the_interpreter_see_the_same_names(self, package):
        """Those under TYPE_CHECKING are loaded when they are asked for, and no type checker sees
        what loads them.
        """
        path = Path(package.__file__)
        tree = ast.parse(path.read_text())
        blocks = {
            ast.unparse(node.test): node.body for node in tree.body if isinstance(node, ast.If)
        }
        imported = {
            (alias.asname or alias.name, f"{package.__name__}.{node.module}")
            for node in blocks["TYPE_CHECKING"]
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        assert {name for name, _ in imported} == {*package.__all__} - {"__version__", "Money"}
        for name, module in imported:
            assert vars(importlib.import_module(module))[name] is getattr(package, name)
        assert len(blocks["not TYPE_CHECKING"]) == 1, "the function"
        if package is victor_ext:
            assert {module for _, module in imported} == {
                f"victor_ext{home}" for home in victor_ext._HOMES
            }

    def test_no_module_defines_getattr_so_type_checkers_see_only_real_names(self):
        for path in (*PACKAGE.rglob("*.py"), *GENERATED.rglob("*.py")):
            assert "\ndef __getattr__" not in path.read_text(), path


OF_A_CLIENT = (
    "api ask_time authorization base_url caller close deadline environment from_env "
    "http is_awaited listener_failures look_up look_up_all "
    "payment_requests ping prepare provider provider_time proxy read_state reads send send_before "
    "shares_look_ups ssl_context statuses system with_options"
)
OF_PAYMENT_REQUESTS = "accept create decline find get list wait watch"


def test_an_editor_offers_no_name_of_the_machinery(victor, async_victor):
    for made, names in (
        (victor, OF_A_CLIENT),
        (async_victor, f"aclose {OF_A_CLIENT}"),
        (victor.payment_requests, OF_PAYMENT_REQUESTS),
    ):
        assert [name for name in dir(made) if not name.startswith("_")] == sorted(names.split())


class TestWhatImportingCosts:
    def test_the_package_alone_loads_nothing_heavy(self):
        assert loaded_after("import victor_ext") == set()
        assert "httpx" not in modules_after("import victor_ext")

    def test_an_error_loads_the_http_library_alone(self):
        code = "from victor_ext import VictorError"
        assert loaded_after(code) == loaded_after("import httpx")
        assert not any("providers" in name for name in modules_after(code))

    def test_the_public_names_load_only_the_http_library_and_the_generated_package(self):
        extra = loaded_after("from victor_ext import *") - loaded_after(HTTP)
        assert extra == {"victor_api"}

    def test_a_generated_package_and_the_names_of_its_models_cost_nothing(self):
        modules = modules_after("import victor_api, victor_api.models")
        own = {name for name in modules if name.startswith("victor_api")}
        assert own == {"victor_api", "victor_api.models"}
        assert modules.isdisjoint({"attr", "attrs", "httpx", *HEAVY.split()} - own)

    def test_a_call_whose_record_is_read_without_raw_imports_no_attrs(self):
        assert "attr" not in modules_after(CALLS)
        assert "attr" in modules_after(f"{CALLS}\nread.raw")

    def test_a_client_with_a_client_secret_needs_no_cryptography(self):
        client = "Victor(VictorOAuth('i', 's'), base_url='http://127.0.0.1:1')"
        code = f"from victor_ext import *\n{client}.close()"
        assert loaded_after(code) - loaded_after(HTTP) == {"victor_api"}
        # awaited calls alone connect with it
        assert "anyio._core._sockets" not in modules_after(code)

    @pytest.mark.parametrize("system", [name for name in entry_points_of() if name != "victor"])
    def test_a_payment_system_loads_no_other_one_and_no_extra(self, system):
        code = f"import victor_ext.providers.{system}\nassert '{system}_api' in sys.modules"
        assert loaded_after(code) - loaded_after(HTTP) == set()


class TestTheRuntimeKnowsNoProvider:
    @pytest.mark.parametrize(
        "path", sorted((PACKAGE / "_runtime").rglob("*.py")), ids=lambda path: path.name
    )
    def test_the_runtime_mentions_no_payment_system_by_name(self, path):
        found = [
            line
            for line in OURS.sub("", path.read_text(encoding="utf-8")).splitlines()
            if re.search("victor|velo|east.?pay|flex.?(factor|charge)", line, re.IGNORECASE)
        ]
        assert found == []


@pytest.mark.parametrize(
    ("module", "fails", "asked", "words"),
    [
        (
            "jwt",
            "raise AttributeError(\"module 'lib' has no attribute 'X509_V_FLAG'\")",
            "from victor_ext._runtime.auth import signed_tokens",
            "AttributeError: module 'lib' has no attribute 'X509_V_FLAG'",
        ),
        (
            "httpx",
            "raise AttributeError(\"module 'lib' has no attribute 'X509_V_FLAG'\")",
            "from victor_ext import Victor",
            "Victor cannot be imported, since a module fails: module 'lib' has no attribute",
        ),
        (
            "sqlalchemy",
            "raise ImportError(\"cannot import name 'inspect' from 'greenlet'\", name='greenlet')",
            "import victor_ext.outbox",
            "ImportError: cannot import name 'inspect' from 'greenlet'",
        ),
    ],
)
def test_a_module_that_is_there_and_fails_says_why_itself(tmp_path, module, fails, asked, words):
    """Only what is missing is to be installed."""
    (tmp_path / f"{module}.py").write_text(fails)
    ran = python("-c", f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\n{asked}")
    last = ran.stderr.splitlines()[-1]
    assert words in last
    assert "pip install" not in last
