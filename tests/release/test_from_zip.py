"""The wheel works as a zip on `sys.path`: what the package reads of itself, it reads as a resource.

An application in one file (zipapp, a layer of a function) imports it so.
"""

import ast

import pytest

from tests.programs import python
from tests.release import contents

pytestmark = pytest.mark.pull_request
SANDBOXES = {
    "victor": "victor_ext.sandbox:Sandbox",
    "velo": "victor_ext.sandbox.velo:VeloSandbox",
    "flexfactor": "victor_ext.sandbox.flexfactor:FlexFactorSandbox",
    "eastpay": "victor_ext.sandbox.eastpay:EastPaySandbox",
}
RUN = "import sys; sys.path.insert(0, {wheel!r})\n{program}"
SANDBOX = """
from pkgutil import resolve_name
import httpx, victor_ext
assert ".whl" in victor_ext.__file__, victor_ext.__file__
with resolve_name({name!r})() as sandbox:
    assert httpx.get(sandbox.url).status_code == 200
    from victor_ext.sandbox.server._document import load_document
    load_document({document!r})
"""
CALL = """
from victor_ext import Victor, VictorOAuth
from victor_ext.sandbox import Sandbox, SandboxSettings
with Sandbox(SandboxSettings(demo_data=True)) as sandbox:
    auth = VictorOAuth(*sandbox.add_oauth_client())
    with Victor(auth, base_url=sandbox.url) as victor:
        assert list(victor.payment_requests.list())
"""
READS = """
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return str(contents.build_wheel(contents.ROOT, tmp_path_factory.mktemp("dist")))


def run_from(wheel, program, folder):
    ran = python("-c", RUN.format(wheel=wheel, program=program), cwd=folder)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("system", SANDBOXES)
def test_a_sandbox_starts_and_reads_its_document(wheel, system, tmp_path):
    program = SANDBOX.format(name=SANDBOXES[system], document=f"{system}.yaml")
    run_from(wheel, program, tmp_path)


def test_a_client_calls_a_sandbox(wheel, tmp_path):
    run_from(wheel, CALL, tmp_path)


def test_templates_and_tables_are_read(wheel, tmp_path):
    run_from(wheel, READS, tmp_path)


@pytest.mark.parametrize("package", ["victor_ext", "recipe/victor_spec"])
def test_no_module_reads_a_file_beside_itself(package):
    """`__file__` of a module in a zip names no file."""
    names = {
        path: {
            each.id for each in ast.walk(ast.parse(path.read_bytes())) if isinstance(each, ast.Name)
        }
        for path in (contents.ROOT / package).rglob("*.py")
        if "templates" not in path.parts
    }
    assert contents.ROOT / package / "__init__.py" in names
    assert [module for module, used in names.items() if "__file__" in used] == []
