"""One way to write a test of both modes: a client is made by `make`, and its calls are run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

from tests.providers.connected.till import client_class, operation
from victor_ext import AsyncApiClient, RetryPolicy, connect, connect_async

URL = "https://api.till.example"
QUICK = RetryPolicy(base=0.0, max_attempts=3)
MODES = ("blocking", "awaited")
Handler = Callable[[httpx.Request], httpx.Response]


class Caller:
    """Calls operations of Till with a client of one mode, over a handler in place of a network."""

    def __init__(self, mode: str, handler: Handler | None = None, **options: Any) -> None:
        self.mode = mode
        self.options: dict[str, Any] = {"base_url": URL, "retry": QUICK, **options}
        if handler is not None:
            self.options["transport"] = httpx.MockTransport(handler)

    def run(self, use: Callable[[Any], Any]) -> Any:
        """Make a client, and what `use` makes of it; awaited where calls are awaited."""
        if self.mode == "blocking":
            with connect(client_class(), **self.options) as client:
                return use(client)

        async def main() -> Any:
            async with connect_async(client_class(), **self.options) as client:
                return await use(client)

        return asyncio.run(main())

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

        def use(client: Any) -> Any:
            items = client.paged(*args, **kwargs)
            if self.mode == "blocking":
                return list(items)

            async def collect() -> list[Any]:
                return [item async for item in items]

            return collect()

        items_read: list[Any] = self.run(use)
        return items_read
