"""The names of a package: that the source has them, with their types, and where each comes from."""

import dataclasses
import importlib
import inspect
import re
from pathlib import Path

import pytest

from tests.cases import DOCUMENTS
from victor_spec.components import Components
from victor_spec.diff.surface import UNSET, Surface, text_of
from victor_spec.document import load
from victor_spec.generate import generate, parsed
from victor_spec.tree import placed

pytestmark = pytest.mark.pull_request
ZOO = Path(__file__).parents[1] / "zoo.yaml"


def surface_of(tree):
    return Surface(parsed(Path("a.yaml"), tree, trace=True), tree, Components(placed(tree, tree)))


@pytest.fixture(scope="module", params=[*DOCUMENTS, ZOO], ids=lambda path: path.stem)
def made(request, tmp_path_factory):
    """The surface of a document, and its package, which was made without places."""
    tree = load(request.param)
    folder = tmp_path_factory.mktemp("surface")
    return surface_of(tree), generate(request.param, folder, name=f"of_{request.param.stem}")


def words(text):
    """The names of an annotation, in any order."""
    found = re.findall(r"'[^']*'|[\w.]+", text.replace('"', "'").replace("models.", ""))
    return sorted(found)


def declared_of(package, name, owner):
    """The annotation of a part of a package, and whether it is required; None for what has none."""
    if name.kind in ("argument", "result"):
        if owner == "webhooks.read_webhook":
            return None
        module = importlib.import_module(f"{package}.{owner}")
        signature = inspect.signature(module.sync_detailed)
        if name.kind == "result":
            return signature.return_annotation[len("Response[") : -1], hasattr(module, "sync")
        parameter = signature.parameters[name.name]
        return parameter.annotation, parameter.default is inspect.Parameter.empty
    if name.kind == "attribute":
        class_ = getattr(importlib.import_module(f"{package}.models"), owner.partition(".")[2])
        field = {each.name: each for each in dataclasses.fields(class_)}[name.name]
        is_required = field.default is field.default_factory is dataclasses.MISSING
        return class_.__annotations__[name.name], is_required
    return None


def test_each_name_of_the_surface_has_the_type_that_the_source_declares(made, monkeypatch):
    surface, result = made
    monkeypatch.syspath_prepend(result.package.parent)
    count = 0
    for shown, name in surface.names.items():
        declared = declared_of(result.package.name, name, name.owner)
        if declared is not None:
            count += 1
            own = {UNSET, "None"} if name.kind in ("argument", "result") else set()
            annotation = {*words(declared[0])} - own
            assert {*words(text_of(name.type))} - own == annotation, shown
            assert name.is_required == declared[1], shown
    assert count > 30
