"""The databases of the outbox's tests, and clients of documents with webhooks."""

import importlib
from pathlib import Path

import pytest

from tests.outbox.conftest import database_url, engine, postgres_server, sqlite
from victor_ext import connect
from victor_spec.generate import generate

__all__ = ["database_url", "engine", "postgres_server", "sqlite"]
BESIDE = Path(__file__).parent


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The packages of two documents: webhooks that are told by their names, by words that share a
    body, or by a constant.
    """
    folder = tmp_path_factory.mktemp("packages")
    for name in ("inbox_hooks", "shared_notes"):
        assert generate(BESIDE / f"{name}.yaml", folder).left_out == []
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield


@pytest.fixture
def bank(packages):
    api = importlib.import_module("inbox_hooks_api")
    with connect(api.Client, base_url="https://bank.example") as client:
        yield client


@pytest.fixture
def payer(packages):
    api = importlib.import_module("shared_notes_api")
    with connect(api.Client, base_url="https://pay.example") as client:
        yield client
