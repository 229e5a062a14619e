"""The recipe is a folder of scripts, not a package: put it where the tests can import it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "openapi"))


@pytest.fixture(scope="session")
def victor_yaml() -> Path:
    return ROOT / "openapi" / "victor.yaml"


@pytest.fixture(scope="session")
def zoo_yaml() -> Path:
    """A document that does, once each, what documents in the wild do."""
    return HERE / "zoo.yaml"


@pytest.fixture(scope="session")
def zoo(zoo_yaml: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package made from the zoo, imported."""
    from generate import generate

    folder = tmp_path_factory.mktemp("zoo")
    outcome = generate(zoo_yaml, folder)
    assert outcome.problems == []
    sys.path.insert(0, str(folder))
    importlib.import_module("zoo_api.models")
    yield importlib.import_module("zoo_api")
    sys.path.remove(str(folder))
