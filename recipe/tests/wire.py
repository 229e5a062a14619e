"""A package made of a small document, with a server that records its requests."""

import asyncio
import importlib
import json
import runpy
from functools import cached_property, partial
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
TEXT: Tree = {"type": "string"}


beside = partial(cases_beside, __file__)
"""The YAML file of a name that stands beside the tests."""


def an_object(required: tuple[str, ...] = (), **properties: Any) -> Tree:
    """The schema of an object."""
    return {
        "type": "object",
        "properties": properties,
        **({"required": [*required]} if required else {}),
    }


def ref(name: str) -> Tree:
    """A reference to a named schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def listed(items: Any) -> Tree:
    """The schema of a list."""
    return {"type": "array", "items": items}


def parameter(name: str, place: str = "query", schema: Any = TEXT, **more: Any) -> Tree:
    """A parameter; one in the path is required."""
    return {
        "in": place,
        "name": name,
        "schema": schema,
        **({"required": True} if place == "path" else {}),
        **more,
    }


def answering(schema: Tree, **more: Any) -> Tree:
    """An operation whose answer has a schema."""
    answer = {"description": "-", "content": {"application/json": {"schema": schema}}}
    return {"responses": {"200": answer}, **more}


def done(name: str, **more: Any) -> Tree:
    """An operation whose answer has no body."""
    return {"operationId": name, "responses": {"204": {"description": "-"}}, **more}


def taking(schema: Tree, kind: str = "application/json", **more: Any) -> Tree:
    """A required body of one content type."""
    return {"required": True, "content": {kind: {"schema": schema, **more}}}


def document(
    paths: Tree | None = None, schemas: Tree | None = None, openapi: str = "3.1.0", **more: Any
) -> Tree:
    """A whole document."""
    info = {"title": "T", "version": "1"}
    return {
        "openapi": openapi,
        "info": info,
        "paths": paths or {},
        "components": {"schemas": schemas or {}},
        **more,
    }


def written(folder: Path, tree: Tree, name: str = "some") -> Path:
    """The file of a document."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(tree), encoding="utf-8")
    return path


def checked(folder: Path, tree: Tree) -> Report:
    """What the check finds in the package of a document."""
    return check(written(folder, tree), None)


class Wire:
    """The package, and the requests that its functions send.

    Args:
        folder: An empty folder.
        name: The name of the package, which no other test has.
        lossy: Whether a part of the document may be left out.
        document: What the document says besides `openapi` and `info`, or instead of them.
    """

    def __init__(self, folder: Path, name: str, *, lossy: bool = False, **document: Any) -> None:
        whole = {"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, **document}
        self.path = written(folder, whole, "document")
        self.result: GenerationResult = generate(self.path, folder, name=name)
        assert lossy or self.result.left_out == []
        self.name = name
        self.folder = folder
        self.response = httpx.Response(204)
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(folder)
            for each in (folder / name / "api").rglob("*.py"):
                importlib.import_module(".".join(each.relative_to(folder).with_suffix("").parts))
            self.models: Any = importlib.import_module(f"{name}.models")
            self.types: Any = importlib.import_module(f"{name}.types")
            self.client_module: Any = importlib.import_module(f"{name}.client")

    @cached_property
    def webhooks(self) -> Any:
        """The module that reads webhooks."""
        return importlib.import_module(f"{self.name}.webhooks")

    def module(self, operation: str) -> Any:
        """The module of an operation of the tag `default`."""
        return importlib.import_module(f"{self.name}.api.default.{operation}")

    def client(
        self, requests: list[httpx.Request], response: httpx.Response | None = None, **options: Any
    ) -> Any:
        """A client that records what it sends, and gets a response; without one, that of the
        package.
        """
        server = Server(response or self.response, requests)
        return self.client_module.Client(
            base_url=BASE, httpx_args={"transport": server.transport}, **options
        )

    def send(self, operation: str, *arguments: Any, **named: Any) -> httpx.Request:
        """The request of one call. The async function must send the same."""
        requests: list[httpx.Request] = []
        module = self.module(operation)
        with self.client(requests) as client:
            module.sync_detailed(*arguments, client=client, **named)

        async def awaited() -> None:
            async with self.client(requests) as client:
                await module.asyncio_detailed(*arguments, client=client, **named)

        asyncio.run(awaited())
        first, second = requests
        assert (first.method, first.url) == (second.method, second.url)
        return first

    def target(self, operation: str, *arguments: Any, **named: Any) -> str:
        """The path and the query of one call, below the base URL."""
        return self.send(operation, *arguments, **named).url.raw_path.decode().removeprefix("/base")

    def read(self, operation: str, response: httpx.Response) -> Any:
        """What a function without arguments makes of a response."""
        return self.module(operation).sync(client=self.client([], response))

    def report(self) -> Report:
        """What the check finds in the package of the document."""
        return check(self.path, None)

    def faults(self) -> list[str]:
        """Where calls find the package wrong, beside what is left out."""
        verdict = judged(load(self.path), self.result.package)
        return [fault.place for fault in verdict.beside(self.result.left_out)]


def package(name: str, response: httpx.Response | None = None, **document: Any) -> Any:
    """A fixture of a module: the package of a document, and how its server answers."""

    @pytest.fixture(scope="module")
    def made(tmp_path_factory):
        wire = Wire(tmp_path_factory.mktemp(name), f"wire_{name}", **document)
        wire.response = response or wire.response
        return wire

    return made


def reading(schemas: Tree) -> Tree:
    """A document with an operation for each schema, which answers with it."""
    return document(
        {f"/{each}": {"get": answering(ref(each), operationId=each.lower())} for each in schemas},
        schemas,
    )


def made_with_settings(folder: Path, text: str, settings: str) -> GenerationResult:
    """The package of a document, `shop.yaml`, with settings beside it."""
    spec = folder / "shop.yaml"
    spec.write_text(text, encoding="utf-8")
    (folder / "shop.settings.yaml").write_text(settings, encoding="utf-8")
    return generate(spec, folder)


def edited(text: str, edits: dict[str, str]) -> str:
    """A text with other words in some places, each of which is there once."""
    for old, new in edits.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def source_of(result: GenerationResult, module: str) -> str:
    """A typed module of a package, each run of blanks as one."""
    source = (result.package / "typed" / f"{module}.py").read_text(encoding="utf-8")
    return " ".join(source.split())


def tables_of(result: GenerationResult) -> dict[str, Any]:
    """The rows of a package, as YAML has them: tuples are lists."""
    tables = runpy.run_path(str(result.package / "typed" / "rows.py"))
    rows: dict[str, Any] = json.loads(
        json.dumps({name: tables[name] for name in ("FORMS", "CALLS", "PARTS")})
    )
    return rows
