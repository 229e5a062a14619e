"""The package of examples/till.yaml, and those of other documents, generated once for each process
into a temporary folder; and a caller of them.
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
URL = "https://api.till.example"
FOLDER = TemporaryDirectory()  # removed when the process ends
sys.path.append(FOLDER.name)
Handler = Callable[[httpx.Request], httpx.Response]


@cache
def generated(document: Path, *, typed: bool = False) -> str:
    """Generate the package of a document. Returns its name."""
    outcome = generate(document, Path(FOLDER.name), typed=typed)
    assert outcome.left_out == []
    importlib.invalidate_caches()
    return outcome.package.name


@cache
def till_api() -> ModuleType:
    """The package `till_api`."""
    name = generated(DOCUMENT, typed=True)
    importlib.import_module(f"{name}.models")
    return importlib.import_module(name)


def operation(name: str, package: str = "") -> Any:
    """The module of an operation of Till, such as `payments.take_payment`, or of a package."""
    return importlib.import_module(f"{package or till_api().__name__}.api.{name}")


def client_class(package: str = "") -> Any:
    return importlib.import_module(f"{package or till_api().__name__}.client").Client


def till_members() -> dict[str, dict[str, Any]]:
    """The kinds of the members of each model, as the document declares them."""
    tables: dict[str, dict[str, Any]] = importlib.import_module(
        f"{till_api().__name__}.members"
    ).MEMBERS
    return tables


def new_payment(**fields: Any) -> Any:
    return till_api().models.NewPayment.from_dict({"currency": "EUR", **fields})


class Caller:
    """Calls operations of Till, or of another package, with a client of one mode, over a handler in
    place of a network.
    """

    def __init__(
        self, mode: str, handler: Handler | None = None, package: str = "", **options: Any
    ) -> None:
        self.mode, self.package = mode, package
        self.options: dict[str, Any] = {"base_url": URL, "retry": QUICK, **options}
        if handler is not None:
            self.options["transport"] = httpx.MockTransport(handler)

    def run(self, use: Any) -> Any:
        """Make a client, and what `use` makes of it; awaited where calls are awaited, and lists
        read to their end.
        """
        kind = (ApiClient, AsyncApiClient)[self.mode == "awaited"]
        return run(kind, use, client=client_class(self.package), **self.options)

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Call one operation, and return the generated `Response`."""
        return self.run(lambda client: self.started(client, name, *args, **kwargs))

    def started(self, client: Any, name: str, *args: Any, api: Any = None, **kwargs: Any) -> Any:
        module = operation(name, self.package)
        function = module.asyncio_detailed if client.is_awaited else module.sync_detailed
        return function(*args, client=client.api if api is None else api, **kwargs)

    def read(self, *args: Any, **kwargs: Any) -> list[Any]:
        """All items of a list."""
        items: list[Any] = self.run(lambda client: client.paged(*args, **kwargs))
        return items
