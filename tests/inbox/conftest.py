"""The databases of the outbox's tests, and clients of documents with webhooks: those of a bank are
told by their names, those of a payer by words that share a body, or by a constant.
"""

from pathlib import Path

import pytest

from tests.outbox.conftest import database_url, engine, postgres_server, sqlite
from tests.providers.connected.till import client_class, generated
from victor_ext import connect

__all__ = ["database_url", "engine", "postgres_server", "sqlite"]


def client_of(document):
    """A client of a document beside this file."""
    package = generated(Path(__file__).with_name(document))
    return connect(client_class(package), base_url="https://api.example")


@pytest.fixture
def bank():
    with client_of("inbox_hooks.yaml") as client:
        yield client


@pytest.fixture
def payer():
    with client_of("shared_notes.yaml") as client:
        yield client
