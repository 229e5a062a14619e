"""One definition of an operation, called with and without `await`."""

from __future__ import annotations

import importlib
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.runtime.fakes import OneRow
from victor_ext import ConfigurationError, NotFound, Outcome, RetryPolicy, UnreadableResponse
from victor_ext.runtime.auth.tokens import FixedToken
from victor_ext.runtime.client.base import AwaitedClient, BlockingClient
from victor_ext.runtime.client.config import ClientConfig, take
from victor_ext.runtime.client.paging import PageReader
from victor_ext.runtime.client.resources import Awaited, Blocking, Mode, Resource, Walk, listing, operation
from victor_ext.runtime.client.runners import Call, OperationFlow, call
from victor_ext.runtime.core.clock import ServerClock
from victor_ext.runtime.loop.behaviour import Behaviour
from victor_ext.runtime.loop.evidence import document_complaint
from victor_ext.runtime.loop.flow import Sleep

URL = httpx.URL("https://pets.example")
MADE_UP = {
    "__init__.py": "",
    "errors.py": """
        class UnexpectedStatus(Exception):
            def __init__(self, status_code, content):
                self.status_code, self.content = status_code, content
        class UnreadableBody(Exception):
            def __init__(self, status_code, content, reason):
                super().__init__(reason)
                self.status_code, self.content, self.reason = status_code, content, reason
        """,
    "client.py": """
        class Client:
            def __init__(self, base_url): self.base_url = base_url
            def parse_response(self, parse, response): return parse(client=self, response=response)
            def set_httpx_client(self, client): self.http = client; return self
            def set_async_httpx_client(self, client): self.http = client; return self
        class AuthenticatedClient(Client):
            __match_args__ = ("base_url", "token")
            def __init__(self, base_url, token): super().__init__(base_url); self.token = token
        """,
    "api/__init__.py": "",
    "api/get_pet.py": """
        from types import SimpleNamespace
        from ..errors import UnexpectedStatus, UnreadableBody
        def _parse(*, client, response):
            if response.status_code != 200: raise UnexpectedStatus(response.status_code, response.content)
            if not response.content.startswith(b"{"): raise UnreadableBody(200, response.content, "no object")
            return response.json()
        def _read(client, response):
            return SimpleNamespace(parsed=client.parse_response(_parse, response), headers=response.headers)
        def sync_detailed(name, *, client): return _read(client, client.http.get(f"/pets/{name}"))
        async def asyncio_detailed(name, *, client): return _read(client, await client.http.get(f"/pets/{name}"))
        """,
}


def made_up(name: str) -> Any:
    return importlib.import_module(f"made_up_api.{name}")


class Pet(dict[str, Any]):
    """The parts of a model that these tests need."""

    from_dict = classmethod(lambda cls, data: cls(data))


class Pets(Resource[Mode]):
    @operation
    def get(self, name: str, *, patience: float = 0.0) -> OperationFlow[dict[str, Any]]:
        """Read one."""
        yield Sleep(patience)
        found: dict[str, Any] = yield from call(made_up("api.get_pet"), Pet, name=name)
        return found

    @operation
    def both(self, first: str, second: str) -> OperationFlow[list[str]]:
        """Read two, through the flow of `get`."""
        one = yield from Pets.get.flow(self, first)
        other = yield from Pets.get.flow(self, second)
        return [one["name"], other["name"]]

    @operation
    def headers(self, name: str) -> OperationFlow[httpx.Headers]:
        """The whole answer is there for those who need it."""
        response = yield Call(made_up("api.get_pet"), {"name": name}, Pet)
        return response.headers

    @listing
    def list(self, *, prefix: str) -> Walk[str]:
        """All names."""
        if not prefix:
            raise ConfigurationError("prefix is empty")

        def read(reader: PageReader[str]) -> OperationFlow[list[str]]:
            page = yield from call(made_up("api.get_pet"), Pet, name=f"{prefix}{reader.number}")
            return page["names"]

        return Walk(lambda: PageReader(lambda name: name, first=1), read)


def answer(request: httpx.Request) -> httpx.Response:
    name = request.url.path.removeprefix("/pets/")
    if name in ("p1", "p2"):
        return httpx.Response(200, json={"names": [f"{name}-a", f"{name}-b"]})
    if name.startswith("p"):
        return httpx.Response(200, json={"names": []})
    if name == "nobody":
        return httpx.Response(404)
    if name == "early":
        return httpx.Response(203, json={"name": "early"})
    if name == "list":
        return httpx.Response(200, json=["no", "object"])
    return httpx.Response(200, json={"name": name, "token": request.headers["authorization"]}, headers={"x-seen": name})


GIVEN = take(None, {"transport": httpx.MockTransport(answer), "deadline": 10.0, "retry": RetryPolicy(base=0.0)})


def parts() -> ClientConfig:
    return ClientConfig(
        GIVEN,
        behaviour=Behaviour(name="Pets", operations=OneRow(evidence=document_complaint)),
        authenticator=FixedToken("Bearer t"),
        base_url=URL,
        clock=ServerClock(),
    )


class Shop(BlockingClient):
    _generated = property(lambda _: made_up("client").Client)

    def __init__(self) -> None:
        self._start(parts(), GIVEN)

    def _attach(self) -> None:
        self.pets: Pets[Blocking] = Pets(*self._shared)


class AsyncShop(AwaitedClient):
    _generated = property(lambda _: made_up("client").Client)

    def __init__(self) -> None:
        self._start(parts(), GIVEN)

    def _attach(self) -> None:
        self.pets: Pets[Awaited] = Pets(*self._shared)


@pytest.fixture(autouse=True)
def made_up_api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, text in MADE_UP.items():
        path = tmp_path / "made_up_api" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
    monkeypatch.syspath_prepend(tmp_path)
    yield
    import sys

    for name in [name for name in sys.modules if name.partition(".")[0] == "made_up_api"]:
        del sys.modules[name]


def test_without_await() -> None:
    with Shop() as shop:
        assert shop.pets.get("rex") == {"name": "rex", "token": "Bearer t"}
        assert shop.pets.both("rex", "tom") == ["rex", "tom"]
        assert shop.pets.headers("rex")["x-seen"] == "rex"
        assert list(shop.pets.list(prefix="p")) == ["p1-a", "p1-b", "p2-a", "p2-b"]


@pytest.mark.anyio
async def test_with_await() -> None:
    async with AsyncShop() as shop:
        assert await shop.pets.get("rex") == {"name": "rex", "token": "Bearer t"}
        assert await shop.pets.both("rex", "tom") == ["rex", "tom"]
        assert (await shop.pets.headers("rex"))["x-seen"] == "rex"
        assert [name async for name in shop.pets.list(prefix="p")] == ["p1-a", "p1-b", "p2-a", "p2-b"]


def test_what_a_list_refuses_it_refuses_at_once() -> None:
    with Shop() as shop, pytest.raises(ConfigurationError, match="prefix"):
        shop.pets.list(prefix="")


def test_errors_come_through() -> None:
    with Shop() as shop:
        with pytest.raises(NotFound):
            shop.pets.get("nobody")
        with pytest.raises(UnreadableResponse) as caught:
            shop.pets.get("list")
        assert (caught.value.outcome, caught.value.body) == (Outcome.UNKNOWN, b'["no","object"]')
        assert (caught.value.attempts, caught.value.request.url.path) == (1, "/pets/list")  # type: ignore[union-attr]


def test_a_good_status_that_the_document_does_not_list_is_read_as_the_good_answer() -> None:
    with Shop() as shop:
        assert shop.pets.get("early") == {"name": "early"}


def test_another_generated_package_goes_the_same_way() -> None:
    generated = made_up("client")
    with Shop() as shop:
        for client_class in (generated.Client, generated.AuthenticatedClient):
            bound = shop.bind(client_class)
            assert isinstance(bound, client_class)
            found = made_up("api.get_pet").sync_detailed("rex", client=bound)
            assert found.parsed["token"] == "Bearer t"
            for name, words, outcome in (
                ("early", "status 203", Outcome.UNKNOWN),
                ("list", "cannot be read: no object", Outcome.UNKNOWN),
            ):
                with pytest.raises(UnreadableResponse, match=words) as caught:
                    made_up("api.get_pet").sync_detailed(name, client=bound)
                assert (caught.value.outcome, caught.value.attempts) == (outcome, 1)


def test_what_comes_through_an_http_client_of_the_callers_own_is_its_packages_affair() -> None:
    generated, errors = made_up("client"), made_up("errors")
    with Shop() as shop, httpx.Client(base_url=URL, transport=httpx.MockTransport(answer)) as http:
        bound = shop.bind(generated.Client)
        bound.set_httpx_client(http)
        with pytest.raises(errors.UnexpectedStatus):
            made_up("api.get_pet").sync_detailed("early", client=bound)
