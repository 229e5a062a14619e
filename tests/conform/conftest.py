"""Sandboxes that answer the questions otherwise."""

import pytest

from tests.sandbox.conftest import start

__all__ = ["start"]


@pytest.fixture
def sandboxes(start):
    """Start a sandbox with options, which knows the key pair."""
    return lambda **options: start(**{"demo_data": True, **options})[0]
