"""The page, as fragments, and over HTTP.

Pages elsewhere can neither call nor frame it; it loads nothing from them.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import count
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from victor_ext.sandbox.server._commands import NotFound
from victor_ext.sandbox.server._context import Received, SandboxContext
from victor_ext.sandbox.server._exchange import CONTROL, DOCS, PAGE, JsonObject
from victor_ext.sandbox.server._faults import AFTER, BEFORE, KINDS, OF_NOTIFICATIONS
from victor_ext.sandbox.server._privacy import body_text, masked, shown_headers
from victor_ext.sandbox.server._provider import AnyProvider, Record, StatusChange

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
    faults: Counter[str] = field(default_factory=Counter[str])
    """How often each fault was met."""

    def note_fault(self, call: Received) -> None:
        if call.fault == "status":
            self.faults[f"status {call.status}"] += 1
        elif call.fault is not None:
            self.faults[call.fault] += 1


class PageView:
    """The page of one sandbox. All of it runs on the serving thread, and nothing in it waits."""

    def __init__(self, provider: AnyProvider) -> None:
        self._provider = provider
        self._context = provider.context
        self._notifies = provider.resending is not None

    def index(self) -> str:
        return _render(
            "index.html",
            heading=self._provider.heading,
            title=self._provider.records_title,
            lists=self.lists(),
            parts=self.parts(),
            operations=self._context.operations.names,
            kinds={kind: _when(kind) for kind in KINDS if kind not in OF_NOTIFICATIONS},
            notifies=self._notifies,
            creating=self._provider.creating,
        )

    def docs(self, url: str) -> str:
        heading, names = self._provider.heading, self._context.operations.names
        commands = self._provider.commands_type.commands()
        kinds = [kind for kind in KINDS if self._notifies or kind not in OF_NOTIFICATIONS]
        return _render(
            "docs.html", url=url, heading=heading, commands=commands, kinds=kinds, operations=names
        )

    def lists(self) -> dict[str, Fragments]:
        self._provider.tick()
        calls = self._context.last(_SHOWN)
        lists: dict[str, Fragments] = {"groups": {}, "calls": {}}
        for group in self._groups(calls):
            lists["groups"][group.id] = _render("fragments.html", "group", group=group)
        for call in calls:
            lists["calls"][str(call.number)] = _render("fragments.html", "call", call=call)
        if self._notifies:
            rows = lists["deliveries"] = {}
            for delivery in self._provider.notifications.last(_SHOWN):
                rows[str(delivery.number)] = _render("notifications.html", "row", delivery=delivery)
        return lists

    def parts(self) -> Fragments:
        clock = self._context.clock
        faults = self._context.faults.waiting
        advanced = timedelta(seconds=clock.advanced)
        return {
            "clock": _render("fragments.html", "clock", clock=clock, advanced=advanced),
            "faults": _render("fragments.html", "faults", faults=faults),
        }

    def _groups(self, calls: Sequence[Received]) -> list[Group]:
        """What has come of the last calls and records, latest first."""
        records = self._provider.records(_SHOWN)
        groups = _grouped(records)
        by_key = {group.key: group for group in groups.values() if group.key is not None}
        for call in reversed(calls):
            key = call.idempotency_key
            if key is None:
                continue
            # A record that is older than those that are shown keeps its key: nothing new has come
            # of it.
            if key not in by_key and records and self._context.work_by_key.get(key):
                continue
            group = by_key.setdefault(key, Group(f"key:{key}", call.at, key))
            groups.setdefault(group.id, group)
            group.note_fault(call)
        for key, group in by_key.items():
            group.attempts = self._context.attempts.get(key, 0)
            group.work = self._context.work_by_key.get(key, 0)
        for group in groups.values():
            group.records.sort(key=lambda record: record.incoming)
        return sorted(groups.values(), key=lambda group: group.at, reverse=True)

    def record(self, record_id: str) -> str:
        """The life of one record, or the calls about an id of a provider without records; raises
        `NotFound`.
        """
        try:
            record = self._provider.record_details(record_id)
        except NotFound:
            calls = self._calls_with(record_id)
            if not calls:
                raise
            return _render("fragments.html", "about", id=record_id, entries=_timeline((), calls))
        calls = self._context.about({record_id, *record.related.values()}, record.key)
        return _render(
            "fragments.html", "record", record=record, entries=_timeline(record.moves, calls)
        )

    def _calls_with(self, record_id: str) -> list[Received]:
        """The last calls that made something with this id, or name it in their path."""
        names = quote(record_id, safe="")
        return [
            call
            for call in self._context.last(_SHOWN)
            if record_id == call.request_id or names in call.path.split("/")
        ]

    def key(self, key: str) -> str:
        """The calls with one key; raises `NotFound`."""
        attempts = self._context.attempts.get(key)
        if attempts is None:
            raise NotFound("No call with this key has come.")
        entries = _timeline((), self._context.about((), key))
        work = self._context.work_by_key[key]
        return _render(
            "fragments.html", "key", key=key, attempts=attempts, entries=entries, work=work
        )

    def delivery(self, number: int) -> str:
        """One notification with its attempts; raises `NotFound`."""
        delivery = self._provider.notifications.get(number)
        body = body_text(delivery.attempts[-1].body.encode(), "") if delivery.attempts else ""
        return _render("notifications.html", "delivery", delivery=delivery, body=body)

    def call(self, number: int) -> str:
        """One call with its headers and bodies; raises `NotFound`."""
        calls = {call.number: call for call in self._context.after(number - 1)}
        if number not in calls:
            raise NotFound("There is no such call, or it has been forgotten.")
        call = calls[number]
        body, response = self._context.contents.get(number, (None, None))
        text = None if body is None else body_text(body, call.headers.get("content-type", ""))
        headers = {} if response is None else shown_headers(response.headers)
        return _render(
            "fragments.html",
            "exchange",
            call=call,
            request_body=text,
            response=response,
            response_headers=headers,
        )


def _when(kind: str) -> str:
    """When faults of a kind fail: before the work, after it, or as they say."""
    if kind in BEFORE:
        return "before"
    return "after" if kind in AFTER else "either"


def _grouped(records: Iterable[Record]) -> dict[str, Group]:
    groups: dict[str, Group] = {}
    for record in records:
        group_id = record.group if record.key is None else f"key:{record.key}"
        group = groups.setdefault(group_id, Group(group_id, record.at, record.key))
        group.at = min(group.at, record.at)
        group.records.append(record)
    return groups


def _timeline(
    moves: Iterable[StatusChange], calls: Iterable[Received]
) -> list[StatusChange | Received]:
    """Calls and moves in the order of the wall clock: a call comes before what it has moved."""
    return sorted([*calls, *moves], key=lambda entry: entry.at)


def _render(template: str, block: str | None = None, **values: object) -> str:
    """One template, or one macro of it, with its values. Every value is escaped."""
    loaded = _environment().get_template(template)
    if block is None:
        return loaded.render(values)
    macro = getattr(loaded.module, block)
    return str(macro(**values))


def _template(name: str) -> str:
    return (_FOLDER / "templates" / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # noqa: PLC0415 - for pages

    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "clock": _formatted("%H:%M:%S"),
        "moment": _formatted("%Y-%m-%d %H:%M:%S UTC"),
        "masked": masked,
    }
    return environment


def _formatted(pattern: str) -> Callable[[float], str]:
    return lambda seconds: datetime.fromtimestamp(seconds, UTC).strftime(pattern)


def page_routes(provider: AnyProvider) -> list[Route]:
    view = PageView(provider)

    async def stream(_request: Request) -> StreamingResponse:
        messages = _messages(view, provider.context)
        return StreamingResponse(messages, 200, {"cache-control": "no-store"}, "text/event-stream")

    def part(path: str, show: Callable[[Any], str]) -> Route:
        return Route(f"{_ASSETS}/{path}", _html(lambda request: show(request.path_params["id"])))

    return [
        Route(PAGE, _html(lambda _: view.index())),
        Route(DOCS, _html(lambda request: view.docs(str(request.base_url).rstrip("/")))),
        Route(_ASSETS + "/events", stream),
        part("records/{id:path}", view.record),
        part("keys/{id:path}", view.key),
        part("calls/{id:int}", view.call),
        part("deliveries/{id:int}", view.delivery),
        *(Route(f"{_ASSETS}/{name}", _asset(name), methods=["GET"]) for name in _TYPES),
    ]


def _asset(name: str) -> Response:
    return Response((_FOLDER / "static" / name).read_bytes(), 200, _HEADERS, _TYPES[name])


def _html(page: Callable[[Request], str]) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        status = 200
        try:
            html = page(request)
        except NotFound as error:
            status = 404
            html = _render("fragments.html", "missing", message=str(error))
        # A lone surrogate, which JSON can carry, has no bytes in UTF-8.
        return Response(html.encode("utf-8", "replace"), status, _HEADERS, "text/html")

    return serve


async def _messages(view: PageView, context: SandboxContext) -> AsyncGenerator[str]:
    """What the page's `EventSource` receives until it is closed: what is different since the last
    message, as HTML.

    Of a list that has changed, `lists` has the ids of all items in `order`, and the `html` of new
    and different ones.
    """
    changes = _Changes()
    seen = -1
    for beat in count():
        if context.changes != seen or beat % _TICK == 0:
            seen = context.changes
            update = changes.since_last(view.lists(), view.parts())
            if update:
                yield f"data: {json.dumps(update)}\n\n"
        await asyncio.sleep(_BEAT)


class _Changes:
    """What an open page has, and what is different since then."""

    def __init__(self) -> None:
        self._lists: dict[str, Fragments] = {}
        self._parts: Fragments = {}

    def since_last(self, lists: dict[str, Fragments], parts: Fragments) -> JsonObject:
        update: JsonObject = {}
        changed_lists: JsonObject = {}
        for name, items in lists.items():
            before = self._lists.get(name)
            if before is None or list(before.items()) != list(items.items()):
                html = _different(items, before or {})
                changed_lists[name] = {"order": [*items], "html": html}
        if changed_lists:
            update["lists"] = changed_lists
        changed_parts = _different(parts, self._parts)
        if changed_parts:
            update["parts"] = changed_parts
        self._lists = lists
        self._parts = parts
        return update


def _different(fragments: Fragments, before: Fragments) -> Fragments:
    return {name: html for name, html in fragments.items() if before.get(name) != html}
