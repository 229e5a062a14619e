"""The package of examples/till.yaml, generated once for each process into a temporary folder."""

from __future__ import annotations

import importlib
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

from victor_ext.spec.generate import generate

DOCUMENT = Path(__file__).resolve().parents[3] / "examples" / "till.yaml"
_folders: list[TemporaryDirectory[str]] = []  # removed when the process ends


@cache
def till_api() -> ModuleType:
    """The package `till_api`."""
    folder = TemporaryDirectory()
    _folders.append(folder)
    outcome = generate(DOCUMENT, Path(folder.name))
    assert outcome.left_out == []
    sys.path.insert(0, folder.name)
    importlib.import_module("till_api.models")
    return importlib.import_module("till_api")


def operation(name: str) -> Any:
    """The module of an operation, such as `payments.take_payment`."""
    till_api()
    return importlib.import_module(f"till_api.api.{name}")


def client_class() -> Any:
    till_api()
    return importlib.import_module("till_api.client").Client


def new_payment(**fields: Any) -> Any:
    till_api()
    return importlib.import_module("till_api.models").NewPayment.from_dict({"currency": "EUR", **fields})
