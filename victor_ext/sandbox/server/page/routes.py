"""The page over HTTP. Pages elsewhere can neither call it nor show it in a frame; it loads nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from victor_ext.sandbox.server.commands import Command, NotFound
from victor_ext.sandbox.server.page.rendering import render, static_file
from victor_ext.sandbox.server.page.stream import EventStream
from victor_ext.sandbox.server.page.view import PageView
from victor_ext.sandbox.server.paths import CONTROL, DOCS, PAGE
from victor_ext.sandbox.server.provider import AnyProvider

ASSETS = CONTROL + "/page"
_TYPES = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


def page_routes(provider: AnyProvider, commands: Sequence[Command]) -> list[Route]:
    """The routes of the page, of its parts, and of the documentation of the commands."""
    view = PageView(provider, commands)
    stream = EventStream(view, provider.context.changes)
    return [
        Route(PAGE, _html(lambda _: view.index())),
        Route(DOCS, _html(lambda request: view.docs(str(request.base_url).rstrip("/")))),
        Route(ASSETS + "/events", stream, methods=["GET"]),
        Route(ASSETS + "/records/{id:path}", _html(lambda request: view.record(request.path_params["id"]))),
        Route(ASSETS + "/keys/{key:path}", _html(lambda request: view.key(request.path_params["key"]))),
        Route(ASSETS + "/calls/{number:int}", _html(lambda request: view.call(request.path_params["number"]))),
        *(Route(f"{ASSETS}/{name}", _static(name)) for name in _TYPES),
    ]


def _html(page: Callable[[Request], str]) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        try:
            return _response(page(request), 200)
        except NotFound as error:
            return _response(render("missing.html", message=str(error)), 404)

    return serve


def _response(html: str, status: int) -> Response:
    # A lone surrogate, which JSON can carry, has no bytes in UTF-8.
    return Response(html.encode("utf-8", "replace"), status, _HEADERS, "text/html")


def _static(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def serve(_request: Request) -> Response:
        return Response(static_file(name), 200, {**_HEADERS, "content-type": _TYPES[name]})

    return serve
