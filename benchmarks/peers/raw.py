"""httpx alone, with `json()`: it asks for the same bytes as the client that it is measured
beside, in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx

from benchmarks.answers import ANSWERS
from benchmarks.peers import number


class Raw:
    """Calls of one API by httpx."""

    def __init__(self, url: str, name: str) -> None:
        self.api = ANSWERS[name]
        self.client = httpx.Client(
            base_url=f"{url}/{name}", headers={"authorization": "Bearer benchmark"}
        )

    def get(self) -> object:
        return self.client.get(self.api["one"] + number()).json()

    def create(self) -> object:
        return self.client.post(self.api["many"], json=self.api["body"]).json()

    def items(self, page_size: int) -> Iterator[Any]:
        number = 0
        while True:
            found = self.client.get(
                self.api["many"],
                params={self.api["size"]: page_size, self.api["cursor"]: f"{number:05d}"},
            ).json()
            for key in self.api["items"]:
                found = found[key]
            yield from found
            number += 1

    def read(self, item: Any) -> tuple[Any, ...]:
        found = []
        for path in self.api["fields"]:
            value = item
            for key in path:
                value = value[key]
            found.append(value)
        return tuple(found)

    def close(self) -> None:
        self.client.close()


class AwaitedRaw:
    """Calls of one API by `httpx.AsyncClient`."""

    def __init__(self, url: str, name: str) -> None:
        self.path = ANSWERS[name]["one"]
        self.client = httpx.AsyncClient(
            base_url=f"{url}/{name}", headers={"authorization": "Bearer benchmark"}
        )

    async def get(self) -> object:
        return (await self.client.get(self.path + number())).json()

    async def close(self) -> None:
        await self.client.aclose()


def connect(url: str, name: str = "victor") -> Raw:
    """A client of an API."""
    return Raw(url, name)


def connect_awaited(url: str, name: str = "victor") -> AwaitedRaw:
    """An awaited client of an API."""
    return AwaitedRaw(url, name)
