"""mypy --strict finds nothing in a generated package, nor in what calls it; it finds what is called wrongly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from victor_ext.spec.generate import generate

from . import test_bodies, test_parameters, test_servers
from .wire import Wire

CALLS = """
from wire_types import Client, DEFAULT_BASE_URL
from wire_types.api.default import comma_list, octets, read_octets, same, shared, unions
from wire_types.models import Cat, Dog, Litter, Note

client = Client(base_url=DEFAULT_BASE_URL)
same.sync_detailed(client=client, body=Note(text="a"), content_type="multipart/form-data")
octets.sync_detailed(client=client, body=b"")
comma_list.sync_detailed(client=client, x=["a"])
found = read_octets.sync(client=client)
content: bytes = b"" if found is None or isinstance(found.payload, bytes) else found.payload.read()
animal: Cat | Dog | None = unions.sync(client=client)
cats: list[Cat] = Litter(cats=[Cat(lives=9)]).cats
"""
WRONG = """
from wire_types import Client
from wire_types.api.default import comma_list, same
from wire_types.models import Litter, Note

client = Client(base_url="")
same.sync_detailed(client=client, body=Note(), content_type="text/html")
comma_list.sync_detailed(client=client, x="a,b")
Litter(cats=None)
"""
CAT = {"type": "object", "properties": {"lives": {"type": "integer"}}}
DOG = {
    "type": "object",
    "required": ["cats"],
    "properties": {
        "cats": {"type": "array", "items": {"$ref": "#/components/schemas/Cat"}},
        **{
            name: {"type": "string"}
            for name in ("additionalProperties", "to_dict", "from_dict", "list", "datetime", "self", "cls", "SHAPE")
        },
    },
}
LITTER = {key: DOG[key] for key in ("type", "required", "properties")}  # in no answer: its list is required
EITHER = {"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, zoo_yaml: Path) -> Path:
    """A folder with the package of the zoo, and one of what the other tests call."""
    folder = tmp_path_factory.mktemp("types")
    content = {"application/json": {"schema": EITHER}}
    union = {"get": {"operationId": "unions", "responses": {"200": {"description": "-", "content": content}}}}
    Wire(
        folder,
        "wire_types",
        servers=test_servers.SERVERS,
        components={"schemas": {**test_bodies.SCHEMAS, "Cat": CAT, "Dog": DOG, "Litter": LITTER}},
        paths={**test_bodies.PATHS, **test_parameters.PATHS, **test_servers.PATHS, "/unions": union},
    )
    generate(zoo_yaml, folder)
    return folder


def test_generated_packages_and_calls_of_them_are_typed_and_wrong_calls_are_found(folder: Path) -> None:
    """One run of mypy for all: it reads the packages once."""
    (folder / "calls.py").write_text(CALLS)
    (folder / "wrong.py").write_text(WRONG)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file="]
    command += ["zoo_api", "wire_types", "calls.py", "wrong.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    *lines, summary = (done.stdout + done.stderr).splitlines()
    assert [line.split(":")[:2] for line in lines if "error" in line] == [["wrong.py", line] for line in "789"], lines
    assert summary.startswith("Found 3 errors in 1 file")


def test_every_module_is_imported_without_a_warning(folder: Path) -> None:
    script = """
import importlib, pkgutil, sys
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, f"{name}."):
        importlib.import_module(module.name)
"""
    command = [sys.executable, "-W", "error", "-c", script, "zoo_api", "wire_types"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
