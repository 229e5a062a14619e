"""The package of examples/till.yaml, generated once for each process into a temporary folder, and a
caller of it.
"""

import importlib
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import httpx

from tests.providers.running import QUICK, run
from victor_ext import ApiClient, AsyncApiClient
from victor_spec.generate import generate

DOCUMENT = Path(__file__).resolve().parents[3] / "examples" / "till.yaml"
_folders: list[TemporaryDirectory[str]] = []  # removed when the process ends


@cache
def till_api() -> ModuleType:
    """The package `till_api`."""
    folder = TemporaryDirectory()
    _folders.append(folder)
    outcome = generate(DOCUMENT, Path(folder.name), typed=True)
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


def till_members() -> dict[str, dict[str, Any]]:
    """The kinds of the members of each model, as the document declares them."""
    till_api()
    tables: dict[str, dict[str, Any]] = importlib.import_module("till_api.members").MEMBERS
    return tables


def new_payment(**fields: Any) -> Any:
    till_api()
    return importlib.import_module("till_api.models").NewPayment.from_dict(
        {"currency": "EUR", **fields}
    )


URL = "https://api.till.example"
Handler = Callable[[httpx.Request], httpx.Response]


class Caller:
    """Calls operations of Till with a client of one mode, over a handler in place of a network."""

    def __init__(self, mode: str, handler: Handler | None = None, **options: Any) -> None:
        self.mode = mode
        self.options: dict[str, Any] = {"base_url": URL, "retry": QUICK, **options}
        if handler is not None:
            self.options["transport"] = httpx.MockTransport(handler)

    def run(self, use: Callable[[Any], Any]) -> Any:
        """Make a client, and what `use` makes of it; awaited where calls are awaited, and lists
        read to their end.
        """
        return run(
            (ApiClient, AsyncApiClient)[self.mode == "awaited"],
            use,
            client=client_class(),
            **self.options,
        )

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Call one operation, and return the generated `Response`."""
        return self.run(lambda client: self.started(client, name, *args, **kwargs))

    def started(self, client: Any, name: str, *args: Any, api: Any = None, **kwargs: Any) -> Any:
        module = operation(name)
        awaited = isinstance(client, AsyncApiClient)
        function = module.asyncio_detailed if awaited else module.sync_detailed
        return function(*args, client=client.api if api is None else api, **kwargs)

    def read(self, *args: Any, **kwargs: Any) -> list[Any]:
        """All items of a list."""
        items: list[Any] = self.run(lambda client: client.paged(*args, **kwargs))
        return items
