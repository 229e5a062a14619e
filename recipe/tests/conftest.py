"""The documents, and the package of one that has what real documents have."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from victor_spec.generate import generate

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


@pytest.fixture(scope="session")
def victor_yaml() -> Path:
    return ROOT / "openapi" / "victor.yaml"


@pytest.fixture(scope="session")
def zoo_yaml() -> Path:
    """A document with one example of each thing that real documents do."""
    return HERE / "zoo.yaml"


@pytest.fixture(scope="session")
def zoo(zoo_yaml: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package made from the zoo, imported."""
    folder = tmp_path_factory.mktemp("zoo")
    outcome = generate(zoo_yaml, folder)
    assert outcome.log.reasons == {}
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        importlib.import_module("zoo_api.models")
        yield importlib.import_module("zoo_api")
