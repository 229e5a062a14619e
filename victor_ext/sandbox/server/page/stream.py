"""Server-sent events: what has changed on the page, as rendered fragments.

One message is a JSON object. `lists` has, for each list that has changed, the ids of its items in `order`, the `html`
of those that are new or different, and the `total` of which these are the newest. `parts` has the html of each part
that is different.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

from starlette.types import Receive, Scope, Send

from victor_ext.sandbox.server.changes import Changes
from victor_ext.sandbox.server.jsontypes import JsonObject
from victor_ext.sandbox.server.page.view import Fragments, PageView

_TICK = 1.0
"""Seconds after which time alone may have moved something."""
_REST = 0.1
"""Seconds between two messages at least: a busy sandbox has better things to do."""
_QUIET_TICKS = 15
"""After so many ticks without a message a comment is sent, by which a dead connection is noticed."""


@dataclass
class Sent:
    """What one page has been sent."""

    lists: dict[str, Fragments] = field(default_factory=dict[str, Fragments])
    parts: Fragments = field(default_factory=dict[str, str])

    def update(self, view: PageView) -> JsonObject:
        """What is different now; empty when nothing is."""
        lists, parts = view.lists(), view.parts()
        update: JsonObject = {}
        for name, items in lists.items():
            before = self.lists.get(name)
            if before is None or before != items or [*before] != [*items]:
                html = {each: text for each, text in items.items() if (before or {}).get(each) != text}
                update.setdefault("lists", {})[name] = {"order": [*items], "html": html, "total": view.totals[name]}
        changed = {name: text for name, text in parts.items() if self.parts.get(name) != text}
        if changed:
            update["parts"] = changed
        self.lists, self.parts = lists, parts
        return update


class EventStream:
    """The ASGI application behind the page's `EventSource`."""

    def __init__(self, view: PageView, changes: Changes) -> None:
        self._view = view
        self._changes = changes

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send messages until the page is closed or the sandbox ends."""
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            await self._send_changes(send, gone)
        except asyncio.CancelledError:
            # The sandbox ends, and uvicorn would print a traceback.
            return
        finally:
            gone.cancel()

    async def _send_changes(self, send: Send, gone: asyncio.Future[None]) -> None:
        sent, quiet = Sent(), 0
        with self._changes.watch() as changed:
            while not gone.done():
                changed.clear()
                update = sent.update(self._view)
                quiet = 0 if update else quiet + 1
                if update:
                    await _send(send, f"data: {json.dumps(update)}\n\n")
                elif quiet % _QUIET_TICKS == 0:
                    await _send(send, ": still here\n\n")
                await asyncio.wait((gone,), timeout=_REST)
                await _first_of(gone, changed)


async def _first_of(gone: asyncio.Future[None], changed: asyncio.Event) -> None:
    waiting = asyncio.ensure_future(changed.wait())
    try:
        await asyncio.wait((gone, waiting), timeout=_TICK, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()


async def _send(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode("ascii"), "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
