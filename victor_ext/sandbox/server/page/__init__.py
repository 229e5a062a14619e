"""The page, as fragments, and over HTTP.

Pages elsewhere can neither call nor frame it; it loads nothing from them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from itertools import count
from typing import TYPE_CHECKING, TypeAlias

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from victor_ext.sandbox.server.commands import NotFound
from victor_ext.sandbox.server.context import Received, SandboxContext
from victor_ext.sandbox.server.exchange import CONTROL, DOCS, PAGE, JsonObject
from victor_ext.sandbox.server.faults import AFTER, BEFORE, KINDS
from victor_ext.sandbox.server.privacy import body_text, masked, shown_headers
from victor_ext.sandbox.server.provider import AnyProvider, Move, Record

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = files(__name__)  # also in a zip
_ASSETS = CONTROL + "/page"
_TYPES = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src "
    "'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}
_BEAT = 0.2
"""Seconds between two messages at least, so that a busy sandbox spends its time on calls."""
_TICK = 5
"""The beats after which time alone may have moved something."""
_SHOWN = 200

Fragments: TypeAlias = dict[str, str]
"""Rendered fragments by their id, in the order of the page."""


@dataclass
class Group:
    """What one idempotency key, or one record without a key, has led to."""

    id: str
    at: float
    key: str | None
    records: list[Record] = field(default_factory=list[Record])
    attempts: int = 0
    work: int = 0
    faults: list[str] = field(default_factory=list[str])


class PageView:
    """The page of one sandbox. All of it runs on the serving thread, and nothing in it waits."""

    def __init__(self, provider: AnyProvider) -> None:
        self._provider, self._context = provider, provider.context

    def index(self) -> str:
        return _render(
            "index.html",
            heading=self._provider.heading,
            title=self._provider.records_title,
            lists=self.lists(),
            parts=self.parts(),
            operations=self._context.operations.names,
            kinds={
                kind: "before" if kind in BEFORE else "after" if kind in AFTER else "either"
                for kind in KINDS
            },
        )

    def docs(self, url: str) -> str:
        heading, names = self._provider.heading, self._context.operations.names
        commands = self._provider.commands_type.commands()
        return _render(
            "docs.html", url=url, heading=heading, commands=commands, kinds=KINDS, operations=names
        )

    def lists(self) -> dict[str, Fragments]:
        self._provider.tick()
        calls = self._context.last(_SHOWN)
        return {
            "groups": {
                group.id: _render("fragments.html", "group", group=group)
                for group in self._groups(calls)
            },
            "calls": {
                str(call.number): _render("fragments.html", "call", call=call) for call in calls
            },
        }

    def parts(self) -> Fragments:
        clock, faults = self._context.clock, self._context.faults.waiting
        advanced = timedelta(seconds=clock.advanced)
        return {
            "clock": _render("fragments.html", "clock", clock=clock, advanced=advanced),
            "faults": _render("fragments.html", "faults", faults=faults),
        }

    def _groups(self, calls: Sequence[Received]) -> list[Group]:
        work, attempts = self._context.work_by_key, self._context.attempts
        groups: dict[str, Group] = {}
        records = self._provider.records(_SHOWN)
        for record in records:
            group_id = record.group if record.key is None else f"key:{record.key}"
            group = groups.setdefault(group_id, Group(group_id, record.at, record.key))
            group.at = min(group.at, record.at)
            group.records.append(record)
        by_key = {group.key: group for group in groups.values() if group.key is not None}
        for call in reversed(calls):
            key = call.idempotency_key
            # A record that is older than those that are shown keeps its key: nothing new has come
            # of it.
            if key is None or (key not in by_key and records and work.get(key)):
                continue
            group = by_key.setdefault(key, Group(f"key:{key}", call.at, key))
            groups.setdefault(group.id, group)
            if call.fault is not None:
                group.faults.append(
                    f"{call.fault} {call.status}" if call.fault == "status" else call.fault
                )
        for key, group in by_key.items():
            group.attempts, group.work = attempts.get(key, 0), work.get(key, 0)
        for group in groups.values():
            group.records.sort(key=lambda record: record.incoming)
        return sorted(groups.values(), key=lambda group: group.at, reverse=True)

    def record(self, record_id: str) -> str:
        """The life of one record; raises `NotFound`."""
        details = self._provider.record_details(record_id)
        calls = self._context.about({record_id, *details.related.values()}, details.record.key)
        return _render(
            "fragments.html", "record", details=details, entries=_timeline(details.moves, calls)
        )

    def key(self, key: str) -> str:
        """The calls with one key; raises `NotFound`."""
        attempts = self._context.attempts.get(key)
        if attempts is None:
            raise NotFound("No call with this key has come.")
        calls = self._context.about((), key)
        work = self._context.work_by_key[key]
        return _render(
            "fragments.html",
            "key",
            key=key,
            attempts=attempts,
            entries=_timeline((), calls),
            work=work,
        )

    def call(self, number: int) -> str:
        """One call with its headers and bodies; raises `NotFound`."""
        call = next(
            (call for call in self._context.after(number - 1) if call.number == number), None
        )
        if call is None:
            raise NotFound("There is no such call, or it has been forgotten.")
        body, response = self._context.contents.get(number, (None, None))
        text = None if body is None else body_text(body, call.headers.get("content-type", ""))
        headers = {} if response is None else shown_headers(response.headers)
        exchange = {
            "call": call,
            "request_body": text,
            "response": response,
            "response_headers": headers,
        }
        return _render("fragments.html", "exchange", **exchange)


def _timeline(moves: Iterable[Move], calls: Iterable[Received]) -> list[Move | Received]:
    """Calls and moves in the order of the wall clock: a call comes before what it has moved."""
    return sorted([*calls, *moves], key=lambda each: each.at)


def _render(template: str, block: str | None = None, **values: object) -> str:
    """One template, or one macro of it, with its values. Every value is escaped."""
    loaded = _environment().get_template(template)
    return loaded.render(values) if block is None else str(getattr(loaded.module, block)(**values))


@lru_cache(maxsize=1)
def _template(name: str) -> str:
    return (_FOLDER / "templates" / name).read_text(encoding="utf-8")


def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # noqa: PLC0415 (only an open page needs it)

    made = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "clock": _formatted("%H:%M:%S"),
        "moment": _formatted("%Y-%m-%d %H:%M:%S UTC"),
        "masked": masked,
    }
    return made


def _formatted(pattern: str) -> Callable[[float], str]:
    return lambda seconds: datetime.fromtimestamp(seconds, UTC).strftime(pattern)


def page_routes(provider: AnyProvider) -> list[Route]:
    view = PageView(provider)

    async def stream(_request: Request) -> StreamingResponse:
        messages = _messages(view, provider.context)
        return StreamingResponse(messages, 200, {"cache-control": "no-store"}, "text/event-stream")

    return [
        Route(PAGE, _html(lambda _: view.index())),
        Route(DOCS, _html(lambda request: view.docs(str(request.base_url).rstrip("/")))),
        Route(_ASSETS + "/events", stream),
        Route(
            _ASSETS + "/records/{id:path}",
            _html(lambda request: view.record(request.path_params["id"])),
        ),
        Route(
            _ASSETS + "/keys/{key:path}",
            _html(lambda request: view.key(request.path_params["key"])),
        ),
        Route(
            _ASSETS + "/calls/{number:int}",
            _html(lambda request: view.call(request.path_params["number"])),
        ),
        *(Route(f"{_ASSETS}/{name}", _asset(name), methods=["GET"]) for name in _TYPES),
    ]


def _asset(name: str) -> Response:
    return Response((_FOLDER / "static" / name).read_bytes(), 200, _HEADERS, _TYPES[name])


def _html(page: Callable[[Request], str]) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        try:
            html, status = page(request), 200
        except NotFound as error:
            html, status = _render("fragments.html", "missing", message=str(error)), 404
        # A lone surrogate, which JSON can carry, has no bytes in UTF-8.
        return Response(html.encode("utf-8", "replace"), status, _HEADERS, "text/html")

    return serve


async def _messages(view: PageView, context: SandboxContext) -> AsyncGenerator[str]:
    """What the page's `EventSource` receives until it is closed: what is different since the last
    message, as HTML.

    Of a list that has changed, `lists` has the ids of all items in `order`, and the `html` of new
    and different ones.
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
                    html = {
                        item: text
                        for item, text in items.items()
                        if (before or {}).get(item) != text
                    }
                    update.setdefault("lists", {})[name] = {"order": [*items], "html": html}
                lists[name] = items
            if changed := {
                name: text for name, text in view.parts().items() if parts.get(name) != text
            }:
                parts |= changed
                update["parts"] = changed
            if update:
                yield f"data: {json.dumps(update)}\n\n"
        await asyncio.sleep(_BEAT)
