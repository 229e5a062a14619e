"""The package of examples/till.yaml, and those of other documents, generated once for each process
into a temporary folder; and a caller of them.
"""

import importlib
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from tests.providers.running import QUICK, run
from victor_ext import ApiClient, AsyncApiClient
from victor_spec.generate import generate

DOCUMENT = Path(__file__).resolve().parents[3] / "examples" / "till.yaml"
URL = "https://api.till.example"
FOLDER = TemporaryDirectory()  # removed when the process ends
sys.path.append(FOLDER.name)


@cache
def generated(document):
    """Generate the package of a document. Returns its name."""
    outcome = generate(document, Path(FOLDER.name))
    assert outcome.left_out == []
    importlib.invalidate_caches()
    return outcome.package.name


@cache
def till_api():
    """The package `till_api`."""
    name = generated(DOCUMENT)
    importlib.import_module(f"{name}.models")
    return importlib.import_module(name)


def operation(name, package=""):
    """The module of an operation of Till, such as `payments.take_payment`, or of a package."""
    return importlib.import_module(f"{package or till_api().__name__}.api.{name}")


def client_class(package=""):
    return importlib.import_module(f"{package or till_api().__name__}.client").Client


def new_payment(**fields):
    return till_api().models.NewPayment.from_dict({"currency": "EUR", **fields})


def send(client, name, *args, package="", api=None, **kwargs):
    """Call an operation in the mode of a client. What is returned is the generated `Response`."""
    module = operation(name, package)
    function = module.asyncio_detailed if client.is_awaited else module.sync_detailed
    return function(*args, client=api or client.api, **kwargs)


class Caller:
    """Calls operations of Till, or of another package, with a client of one mode, over a handler in
    place of a network.
    """

    def __init__(self, mode, handler=None, package="", **options):
        self.mode, self.package = mode, package
        self.options = {"base_url": URL, "retry": QUICK, **options}
        if handler is not None:
            self.options["transport"] = httpx.MockTransport(handler)

    def run(self, use):
        """Make a client, and what `use` makes of it; awaited where calls are awaited, and lists
        read to their end.
        """
        kind = (ApiClient, AsyncApiClient)[self.mode == "awaited"]
        return run(kind, use, client=client_class(self.package), **self.options)

    def call(self, name, *args, **kwargs):
        """Call one operation, see `send`."""
        return self.run(lambda client: send(client, name, *args, package=self.package, **kwargs))

    def read(self, *args, **kwargs):
        """All items of a list."""
        return self.run(lambda client: client.paged(*args, **kwargs))
