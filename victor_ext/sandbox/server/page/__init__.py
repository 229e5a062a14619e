"""The page over HTTP. Pages elsewhere can neither call it nor show it in a frame; it loads nothing from elsewhere."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from itertools import count

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from victor_ext.sandbox.server.commands import Command, NotFound
from victor_ext.sandbox.server.context import SandboxContext
from victor_ext.sandbox.server.operations import CONTROL, DOCS, PAGE, JsonObject
from victor_ext.sandbox.server.page.view import FOLDER, Fragments, PageView, render
from victor_ext.sandbox.server.provider import AnyProvider

ASSETS = CONTROL + "/page"
_TYPES = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}
_BEAT = 0.2
"""Seconds between two messages at least, so that a busy sandbox spends its time on calls."""
_TICK = 5
"""The beats after which time alone may have moved something."""


def page_routes(provider: AnyProvider, commands: Sequence[Command]) -> list[Route]:
    view = PageView(provider, commands)

    async def stream(_request: Request) -> StreamingResponse:
        messages = _messages(view, provider.context)
        return StreamingResponse(messages, 200, {"cache-control": "no-store"}, "text/event-stream")

    return [
        Route(PAGE, _html(lambda _: view.index())),
        Route(DOCS, _html(lambda request: view.docs(str(request.base_url).rstrip("/")))),
        Route(ASSETS + "/events", stream),
        Route(ASSETS + "/records/{id:path}", _html(lambda request: view.record(request.path_params["id"]))),
        Route(ASSETS + "/keys/{key:path}", _html(lambda request: view.key(request.path_params["key"]))),
        Route(ASSETS + "/calls/{number:int}", _html(lambda request: view.call(request.path_params["number"]))),
        *(Route(f"{ASSETS}/{name}", _asset(name), methods=["GET"]) for name in _TYPES),
    ]


def _asset(name: str) -> Response:
    return Response((FOLDER / "static" / name).read_bytes(), 200, _HEADERS, _TYPES[name])


def _html(page: Callable[[Request], str]) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        try:
            html, status = page(request), 200
        except NotFound as error:
            html, status = render("fragments.html", "missing", message=str(error)), 404
        # A lone surrogate, which JSON can carry, has no bytes in UTF-8.
        return Response(html.encode("utf-8", "replace"), status, _HEADERS, "text/html")

    return serve


async def _messages(view: PageView, context: SandboxContext) -> AsyncGenerator[str]:
    """What the page's `EventSource` receives until it is closed: what is different since the last message, as HTML.

    Of a list that has changed, `lists` has the ids of all items in `order`, and the `html` of new and different ones.
    """
    lists: dict[str, Fragments] = {}
    parts: Fragments = {}
    seen = -1
    for beat in count():
        if context.changes != seen or beat % _TICK == 0:
            seen = context.changes
            update: JsonObject = {}
            for name, items in view.lists().items():
                before = lists.get(name)
                if before is None or [*before.items()] != [*items.items()]:
                    html = {item: text for item, text in items.items() if (before or {}).get(item) != text}
                    update.setdefault("lists", {})[name] = {"order": [*items], "html": html}
                lists[name] = items
            if changed := {name: text for name, text in view.parts().items() if parts.get(name) != text}:
                parts |= changed
                update["parts"] = changed
            if update:
                yield f"data: {json.dumps(update)}\n\n"
        await asyncio.sleep(_BEAT)
