"""The tiers of the tests; the documents, and the package of one that has what real ones have."""

import importlib
import os
import shutil
from pathlib import Path

import hypothesis
import pytest

import victor_spec.generate as generator
from tests.cases import ROOT
from victor_spec.generate import generate

# The same examples in every run, but with `make test-all`; and an example that is slow on a busy
# machine is no failure.
hypothesis.settings.register_profile(
    "repeatable", deadline=None, derandomize="VICTOR_SEARCH" not in os.environ
)
hypothesis.settings.load_profile("repeatable")
TIERS = {
    "quick": frozenset({"slow", "pull_request", "nightly"}),
    "test": frozenset({"pull_request", "nightly"}),
    "pull-request": frozenset({"nightly"}),
    "all": frozenset[str](),
}
"""By tier: the marks of the tests that it leaves out. The tiers of the client's tests."""
MARKS = {
    "slow": "starts a process, waits, or searches for examples; in `make test`",
    "pull_request": "makes a package of a document; in the workflow on each pull request",
    "nightly": "takes minutes; in `make test-all` only",
}


@pytest.fixture(scope="session")
def victor_yaml():
    return ROOT / "openapi" / "victor.yaml"


@pytest.fixture(scope="session")
def zoo_yaml():
    """A document with one example of each thing that real documents do."""
    return Path(__file__).with_name("zoo.yaml")


@pytest.fixture(scope="session")
def zoo(zoo_yaml, tmp_path_factory):
    """The package made from the zoo, imported."""
    folder = tmp_path_factory.mktemp("zoo")
    outcome = generate(zoo_yaml, folder)
    assert outcome.log.reasons == {}
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        importlib.import_module("zoo_api.models")
        yield importlib.import_module("zoo_api")


@pytest.fixture
def templates(tmp_path, monkeypatch):
    """A copy of the recipe's templates, which packages are made of in this test."""
    copied = tmp_path / "templates"
    shutil.copytree(generator.TEMPLATES, copied)
    monkeypatch.setattr(generator, "TEMPLATES", copied)
    return copied


def pytest_addoption(parser):
    """Add the tiers of the client's tests."""
    parser.addoption("--tier", choices=TIERS, default="all", help="what runs (all of it)")


def pytest_configure(config):
    """Make the marks known."""
    for name, text in MARKS.items():
        config.addinivalue_line("markers", f"{name}: {text}")


def pytest_collection_modifyitems(config, items):
    """Leave out what the tier does not run."""
    without = TIERS[config.getoption("tier")]
    left_out = []
    for item in items:
        if hypothesis.is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker("slow")
        if without & {mark.name for mark in item.iter_markers()}:
            left_out.append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in {*left_out}]
