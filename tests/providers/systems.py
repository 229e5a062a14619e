"""The payment systems by name: the adapter of each, and the clients of those that are installed,
with arguments.
"""

import importlib
from pathlib import Path
from typing import Any

from victor_ext.systems import entry_points_of

ADAPTERS: dict[str, Any] = {
    **{
        file.parent.name: importlib.import_module(f"tests.providers.{file.parent.name}.adapter")
        for file in sorted(Path(__file__).parent.glob("*/adapter.py"))
    },
    "tiny": importlib.import_module("tests.fifth_system.adapter"),
}
CLIENTS: dict[str, tuple[type[Any], type[Any]]] = {
    name: (entry.load().load("client"), entry.load().load("async_client"))
    for name, entry in entry_points_of().items()
}
ARGUMENTS: dict[str, dict[str, Any]] = {name: ADAPTERS[name].ARGUMENTS for name in CLIENTS}
