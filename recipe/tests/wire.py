"""A package made of a small document, with a server that records its requests."""

import importlib
import json
import runpy
from functools import cached_property, partial
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.calls.judge import judged
from tests.cases import cases_beside
from tests.server import Server
from victor_spec.check import Report, check
from victor_spec.document import load
from victor_spec.generate import GenerationResult, generate

Tree = dict[str, Any]
BASE = "https://api.example/base"
TEXT = {"type": "string"}
NUMBERS = count()


beside = partial(cases_beside, __file__)
"""The YAML file of a name that stands beside the tests."""


def an_object(required=(), **properties):
    """The schema of an object."""
    return {
        "type": "object",
        "properties": properties,
        **({"required": [*required]} if required else {}),
    }


def ref(name):
    """A reference to a named schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def listed(items):
    """The schema of a list."""
    return {"type": "array", "items": items}


def parameter(name, place="query", schema=TEXT, **more):
    """A parameter; one in the path is required."""
    return {
        "in": place,
        "name": name,
        "schema": schema,
        **({"required": True} if place == "path" else {}),
        **more,
    }


def answering(schema, **more):
    """An operation whose answer has a schema."""
    answer = {"description": "-", "content": {"application/json": {"schema": schema}}}
    return {"responses": {"200": answer}, **more}


def done(name, **more):
    """An operation whose answer has no body."""
    return {"operationId": name, "responses": {"204": {"description": "-"}}, **more}


def taking(schema, kind="application/json", **more):
    """A required body of one content type."""
    return {"required": True, "content": {kind: {"schema": schema, **more}}}


def document(paths=None, schemas=None, openapi="3.1.0", **more):
    """A whole document."""
    info = {"title": "T", "version": "1"}
    return {
        "openapi": openapi,
        "info": info,
        "paths": paths or {},
        "components": {"schemas": schemas or {}},
        **more,
    }


def written(folder: Path, tree, name="some") -> Path:
    """The file of a document."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(tree), encoding="utf-8")
    return path


def checked(folder: Path, tree) -> Report:
    """What the check finds in the package of a document."""
    return check(written(folder, tree), None)


class Wire:
    """The package, and the requests that its functions send.

    Args:
        folder: An empty folder.
        name: The name of the package; None gives one that no other has.
        lossy: Whether a part of the document may be left out.
        document: What the document says besides `openapi` and `info`, or instead of them.
    """

    def __init__(self, folder: Path, name=None, *, lossy=False, **document):
        name = name or f"wire_{next(NUMBERS)}"
        whole = {"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, **document}
        self.path = written(folder, whole, "document")
        self.result = generate(self.path, folder, name=name)
        assert lossy or self.result.left_out == []
        self.name = name
        self.folder = folder
        self.response = httpx.Response(204)
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(folder)
            for each in (folder / name / "api").rglob("*.py"):
                importlib.import_module(".".join(each.relative_to(folder).with_suffix("").parts))
            self.models = importlib.import_module(f"{name}.models")
            self.types = importlib.import_module(f"{name}.types")
            self.client_module = importlib.import_module(f"{name}.client")

    @cached_property
    def webhooks(self):
        """The module that reads webhooks."""
        return importlib.import_module(f"{self.name}.webhooks")

    def module(self, operation):
        """The module of an operation of the tag `default`."""
        return importlib.import_module(f"{self.name}.api.default.{operation}")

    def client(
        self, requests: list[httpx.Request], response: httpx.Response | None = None, **options
    ):
        """A client that records what it sends, and gets a response; without one, that of the
        package.
        """
        server = Server(response or self.response, requests)
        return self.client_module.Client(
            base_url=BASE, httpx_args={"transport": server.transport}, **options
        )

    def send(self, operation, *arguments, **named) -> httpx.Request:
        """The request of one call. That the async function sends the same, `faults` sees."""
        requests = []
        with self.client(requests) as client:
            self.module(operation).sync_detailed(*arguments, client=client, **named)
        return requests[0]

    def target(self, operation, *arguments, **named):
        """The path and the query of one call, below the base URL."""
        return self.send(operation, *arguments, **named).url.raw_path.decode().removeprefix("/base")

    def read(self, operation, response: httpx.Response):
        """What a function without arguments makes of a response."""
        return self.module(operation).sync(client=self.client([], response))

    def report(self) -> Report:
        """What the check finds in the package of the document."""
        return check(self.path, None)

    @cached_property
    def verdict(self):
        """What calls find in the package."""
        return judged(load(self.path), self.result.package)

    def faults(self):
        """Where calls find the package wrong, beside what is left out."""
        return [fault.place for fault in self.verdict.beside(self.result.left_out)]


def package(response: httpx.Response | None = None, **document):
    """A fixture of a module: the package of a document, and how its server answers."""

    @pytest.fixture(scope="module")
    def made(tmp_path_factory):
        wire = Wire(tmp_path_factory.mktemp("wire"), **document)
        wire.response = response or wire.response
        return wire

    return made


def reading(schemas):
    """A document with an operation for each schema, which answers with it."""
    return document(
        {f"/{each}": {"get": answering(ref(each), operationId=each.lower())} for each in schemas},
        schemas,
    )


def made_with_settings(folder: Path, text, settings) -> GenerationResult:
    """The package of a document, `shop.yaml`, with settings beside it."""
    spec = folder / "shop.yaml"
    spec.write_text(text, encoding="utf-8")
    (folder / "shop.settings.yaml").write_text(settings, encoding="utf-8")
    return generate(spec, folder)


def edited(text, edits):
    """A text with other words in some places, each of which is there once."""
    for old, new in edits.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def source_of(result: GenerationResult, module):
    """A typed module of a package, each run of blanks as one."""
    source = (result.package / "typed" / f"{module}.py").read_text(encoding="utf-8")
    return " ".join(source.split())


def tables_of(result: GenerationResult):
    """The rows of a package, as YAML has them: tuples are lists."""
    tables = runpy.run_path(str(result.package / "typed" / "rows.py"))
    return json.loads(json.dumps({name: tables[name] for name in ("FORMS", "CALLS", "PARTS")}))
