"""What the tests of all systems share: a client of either mode, over a script or over a sandbox."""

import asyncio
import inspect
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, ClassVar

import httpx

from victor_ext import RetryPolicy

QUICK = RetryPolicy(base=0.0, max_attempts=3)
ONCE = RetryPolicy(max_attempts=1)
MODES = ("blocking", "awaited")
REFERENCE = "INV-1042"
GUID = "3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71"
FOR_EVER = 4_102_444_800_000
TOKEN = {
    "access_token": "t",
    "accessToken": "t",
    "token_type": "Bearer",
    "expires": FOR_EVER,
    "expires_in": 1799,
}
"""A good answer of every token endpoint."""


def is_for_token(request):
    return request.url.path.endswith(("/token", "/authenticate"))


class Running:
    """What `make` makes, a client of either mode, with one interface."""

    def __init__(self, make, *, awaited, debug=False):
        with ExitStack() as opened:
            self._runner = opened.enter_context(asyncio.Runner(debug=debug)) if awaited else None
            self.client = self.result(make)
            opened.callback(self.result, self.client.close)
            self._opened = opened.pop_all()  # a client that is refused leaves no event loop behind

    def result(self, act):
        """What an act comes to: awaited where calls are awaited. What is read item by item, a list
        or what a `watch` yields, is read to its end.
        """

        async def run():
            result = act()
            if hasattr(result, "__aiter__"):
                return [each async for each in result]
            return await result if inspect.isawaitable(result) else result

        result = act() if self._runner is None else self._runner.run(run())
        is_a_list = hasattr(result, "pages") or inspect.isgenerator(result)
        return list(result) if is_a_list else result

    def close(self):
        self._opened.close()


def run(kind, call, *args, **settings):
    """Make a client, and what `call` makes of it. Of several calls, what the last one makes."""
    make = partial(kind, *args, **settings)
    with closing(Running(make, awaited=hasattr(kind, "__aenter__"))) as running:
        calls = call if isinstance(call, tuple) else (call,)
        return [running.result(partial(each, running.client)) for each in calls][-1]


class Script:
    """A provider that issues tokens, and answers the rest from a script, whose last line stays. It
    keeps the requests.

    A line is a response, an exception, or a function of the request that returns or raises one.
    """

    def __init__(self, *lines, token=TOKEN):
        is_whole = isinstance(token, httpx.Response)
        self.lines = list(lines)
        self.token = token if is_whole else httpx.Response(200, json=token)
        self.requests = []
        self.for_tokens = []

    def __call__(self, request):
        sent = httpx.Request(
            request.method,
            request.url,
            headers=request.headers,
            content=request.content,
            extensions=request.extensions,
        )
        if is_for_token(request):
            self.for_tokens.append(sent)
            line = self.token
        else:
            self.requests.append(sent)
            line = self.lines.pop(0) if len(self.lines) > 1 else self.lines[0]
        if callable(line):
            line = line(request)
        if isinstance(line, Exception):
            raise line
        return httpx.Response(line.status_code, headers=line.headers, content=line.content)

    @property
    def transport(self):
        return httpx.MockTransport(self)


def scripted(kind, arguments, *lines, **options):
    """A client of a script, and the script."""
    script = Script(*lines)
    return kind(**{**arguments, "retry": QUICK, "transport": script.transport, **options}), script


def unreachable(_request):
    raise AssertionError("nothing is sent")


def forwarded(request):
    """What a sandbox answers to a request: the way there of a transport that changes something."""
    sent = {"headers": request.headers, "content": request.content}
    return httpx.request(request.method, request.url, **sent)


class Harness:
    """A system's sandbox, and a client of one mode, made anew for each use."""

    kinds: ClassVar[tuple[Any, Any]]

    def __init__(self, sandbox, awaited):
        self.sandbox, self.awaited = sandbox, awaited
        self.settings = {"retry": QUICK, "timeout": 5.0, **self.set_up()}

    def set_up(self):
        """Prepare the sandbox. Returns the arguments of a client of it."""
        raise NotImplementedError

    def __call__(self, *calls, **changes):
        """Make calls with a client of their own; what the last one returns, or what one raises."""
        return run(self.kinds[self.awaited], calls, **{**self.settings, **changes})

    def ask(self, method, *args, **kwargs):
        """Call a method of the client, such as `payouts.get`."""
        return self(lambda client: attrgetter(method)(client)(*args, **kwargs))

    def sent(self, word):
        """What the sandbox received of an operation."""
        return [seen for seen in self.sandbox.received() if seen.operation == word]

    def work(self, reference):
        """How often something was done, by the sandbox's own record."""
        return int(self.sandbox.work_done_by_reference().get(reference, 0))


def _work(harness, subject):
    return int(harness.work(subject[0] if isinstance(subject, tuple) else subject))


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """An operation in the suite over all systems (`test_every_system.py`).

    Attributes:
        word: The sandbox's word for it.
        call: Calls it, about a subject.
        subject: Makes what it is about: text, or several of which the first is what the sandbox
            counts work by.
        work: How often that was done, by the sandbox's own record.
        writes: Whether it changes anything.
        keyed: Whether a key makes its repeat safe.
        settles: Whether the client reads what a write did whose answer was lost.
        hint: What the message says of where to look, when the outcome is unknown.
    """

    word: str
    call: Callable[[Any, Any], Any]
    subject: Callable[[Any], Any] = lambda _harness: REFERENCE
    work: Callable[[Any, Any], int] = _work
    writes: bool = False
    keyed: bool = False
    settles: bool = False
    hint: str = ""
