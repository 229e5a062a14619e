"""What is measured, and of whom.

The run, the page and the test of the page all read these two tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Literal


@dataclass(frozen=True, slots=True)
class Contender:
    """One client, or one setting of a client.

    Attributes:
        label: What the page calls it.
        module: Its module in `benchmarks.peers`.
        shape: Whose answers it gets, a name in `shapes.SHAPES`.
        distribution: The name under which it is installed; empty for ours and for what is no
            package.
        connect: The function that connects it.
        awaited: The function that connects its awaited client; empty if it has none.
        peer: Whether it is another client, with which ours is compared.
        tls: Whether it talks to the server over TLS.
    """

    label: str
    module: str
    shape: str
    distribution: str = ""
    connect: str = "connect"
    awaited: str = "connect_awaited"
    peer: bool = True
    tls: bool = False


CONTENDERS = {
    "bare": Contender("a bare socket: the server's cost", "bare", "victor", awaited="", peer=False),
    "raw": Contender("raw httpx, `json()`", "raw", "victor", "httpx", peer=False),
    "victor": Contender("**victor_ext** as it comes", "victor", "victor", peer=False),
    "victor_alone": Contender(
        "**victor_ext** as it comes, a lone call: it signs a token",
        "victor",
        "victor",
        "",
        "connect_alone",
        "",
        peer=False,
    ),
    "victor_reused": Contender(
        "**victor_ext**, token reused",
        "victor",
        "victor",
        "",
        "connect_reused",
        "connect_reused_awaited",
        peer=False,
    ),
    "victor_oauth": Contender(
        "**victor_ext**, by OAuth", "victor", "victor", "", "connect_oauth", "", peer=False
    ),
    "stock": Contender(
        "openapi-python-client, stock", "stock", "victor_documented", "openapi-python-client"
    ),
    "stripe_requests": Contender(
        "stripe, on requests", "stripe_sdk", "stripe", "stripe", awaited=""
    ),
    "stripe_httpx": Contender(
        "stripe, on httpx", "stripe_sdk", "stripe", "stripe", connect="connect_httpx"
    ),
    "modern_treasury": Contender(
        "modern-treasury", "modern_treasury_sdk", "modern_treasury", "modern-treasury"
    ),
    "increase": Contender("increase", "increase_sdk", "increase", "increase"),
    "square": Contender("squareup", "square_sdk", "square", "squareup"),
    "gocardless": Contender(
        "gocardless-pro (untyped)", "gocardless_sdk", "gocardless", "gocardless-pro", awaited=""
    ),
    "mollie": Contender("mollie-api-py", "mollie_sdk", "mollie", "mollie-api-py"),
    "raw_tls": Contender(
        "raw httpx, `json()`", "raw", "victor", "httpx", awaited="", peer=False, tls=True
    ),
    "victor_tls": Contender(
        "**victor_ext** as it comes", "victor", "victor", awaited="", peer=False, tls=True
    ),
    "victor_alone_tls": Contender(
        "**victor_ext** as it comes, a lone call",
        "victor",
        "victor",
        "",
        "connect_alone",
        "",
        peer=False,
        tls=True,
    ),
    "stock_tls": Contender(
        "openapi-python-client, stock",
        "stock",
        "victor_documented",
        "openapi-python-client",
        awaited="",
        tls=True,
    ),
}
VARIANTS = {
    "signature_2048": "RS512 at 2048 bits alone, no call",
    "signature_4096": "RS512 at 4096 bits alone, no call",
    "reused_2048": "2048 bits, token reused",
    "signed_2048": "2048 bits, signed for each call",
    "reused_4096": "4096 bits, token reused",
    "signed_4096": "4096 bits, signed for each call",
    "features_none": "one attempt, no deadline",
    "features_default": "as it comes: attempts, quota, deadline",
    "features_all": "and `on_event`, and `max_concurrency=64`",
    "rest_none": "without a rest, which is not safe",
    "rest_default": "as it comes: 0.1 s before a write",
    "rest_many": "as it comes, with 300 connections",
    "rest_none_tls": "TLS, without a rest, which is not safe",
    "rest_default_tls": "TLS, as it comes",
    "rest_many_tls": "TLS, as it comes, with 300 connections",
}
"""Other settings of victor_ext (`peers.victor.VARIANTS`) and what the page calls them."""


def contender(name: str) -> Contender:
    """The contender, or the variant of ours, of this name."""
    if name in VARIANTS:
        tls = name.endswith("_tls")
        return Contender(
            VARIANTS[name], "victor", "victor", connect=name, awaited="", peer=False, tls=tls
        )
    return CONTENDERS[name]


Kind = Literal["call", "items", "threads", "awaited", "first", "growth", "memory", "size"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One table of the page.

    Attributes:
        title: Its heading.
        kind: How it is measured; see `peers.worker`.
        rows: Its contenders, in order.
        what: What one unit is: `call`, `item` or `process`.
        rounds: How often each is measured, in turn with the others.
        share: How many units each takes in a round.
        budget: Seconds after which a round ends all the same; the page shows how many units there
            were.
        argument: The operation, the size of a page, or how many at a time.
        note: What a reader must know to judge it.
        limits: By row of ours, the most that its ratio to raw httpx may be; of memory, its MB.
            `make bench` ends with 1 beyond it.
        most_growth: Of memory, the most that the last peak of each of these rows may be, over its
            peak at the second page.
    """

    title: str
    kind: Kind
    rows: tuple[str, ...]
    what: str
    rounds: int
    share: int
    budget: float
    argument: str | int = 0
    note: str = ""
    limits: Mapping[str, float] = field(default_factory=dict)
    most_growth: float = inf


PROCESSES = tuple(
    name
    for name, each in CONTENDERS.items()
    if name not in ("bare", "victor_alone", "victor_reused") and not each.tls
)
BLOCKING = tuple(name for name in PROCESSES if name != "victor_oauth")
CALLED = tuple(name for name, each in CONTENDERS.items() if name != "victor_oauth" and not each.tls)
AWAITED = tuple(name for name, each in CONTENDERS.items() if each.awaited)
PACKAGES = tuple(name for name in BLOCKING if name != "stripe_httpx")

_REST = """\
The client makes creates one after the other, as fast as it can. A second response to a call may arrive soon after the first. The next write
on the same connection could take it for its own. These rules prevent that:

- A connection rests for 0.1 s after a response before a write or a list uses it. So 100 connections serve 1,000 writes a second. Each
  write beyond that opens a connection. More connections (`limits=httpx.Limits(max_connections=300)`) save that.
- To make room for it, a full pool closes its newest connection, because the others have rested for longer.
- A read by id uses a connection at once, because its response must repeat the id.
- After an error status, a connection also rests before a read.
- A connection that received bytes before a request is closed. This check is one system call for each attempt."""

MEASURES = {
    "get": Measure(
        "One GET",
        "call",
        CALLED,
        "call",
        9,
        200,
        1.0,
        "get",
        limits={"victor": 0.87, "victor_reused": 0.85},
    ),
    "create": Measure(
        "One POST that makes a payment",
        "call",
        CALLED,
        "call",
        9,
        200,
        1.0,
        "create",
        "victor_ext makes an idempotency key, checks the request, and compares the answer with it. "
        "At thousands of calls\n"
        "a second, some writes [open a connection](#victor_ext-what-the-rules-of-connections-cost).",
        limits={"victor": 1.19, "victor_reused": 1.2},
    ),
    "tls": Measure(
        "One GET over TLS",
        "call",
        tuple(name for name, each in CONTENDERS.items() if each.tls),
        "call",
        9,
        200,
        1.0,
        "get",
        limits={"victor_tls": 0.89},
    ),
    "items_100": Measure(
        "Items in pages of 100, five fields of each read",
        "items",
        BLOCKING,
        "item",
        5,
        20_000,
        0.9,
        100,
        limits={"victor": 1.35},
    ),
    "items_1000": Measure(
        "Items in pages of 1,000, five fields of each read",
        "items",
        BLOCKING,
        "item",
        5,
        20_000,
        0.9,
        1000,
        "Some providers allow at most 100 items a page.",
        limits={"victor": 1.5},
    ),
    "awaited": Measure(
        "Awaited, 50 calls at a time",
        "awaited",
        AWAITED,
        "call",
        5,
        2_000,
        1.5,
        50,
        limits={"victor": 0.23, "victor_reused": 0.23},
    ),
    "threads": Measure(
        "16 threads on one client",
        "threads",
        BLOCKING,
        "call",
        5,
        1_600,
        0.7,
        16,
        limits={"victor": 0.7},
    ),
    "first": Measure(
        "A fresh process: import, client, first answer",
        "first",
        PROCESSES,
        "process",
        9,
        1,
        0,
        note="victor_ext reads its key and signs a token. By OAuth, it requests a token instead. "
        "The modules were\n"
        "compiled before.",
        limits={"victor": 2.7, "victor_oauth": 1.8},
    ),
    "memory": Measure(
        "Peak memory while iterating",
        "memory",
        PROCESSES,
        "item",
        1,
        20_000,
        6.0,
        100,
        "Growth is the rise of the peak from the second page to the last. The difference to OAuth "
        "is the library\n"
        "that signs.",
        limits={"victor": 46.0, "victor_oauth": 35.0},
        most_growth=1.15,
    ),
    "size": Measure(
        "Installed",
        "size",
        PACKAGES,
        "package",
        1,
        1,
        0,
        note="The package with its dependencies, without compiled modules. The stock client is "
        "counted without its\n"
        "generator.",
    ),
    "signing": Measure(
        "victor_ext: signing tokens (RS512)",
        "call",
        tuple(name for name in VARIANTS if name.endswith(("2048", "4096"))),
        "call",
        5,
        60,
        1.5,
        "get",
    ),
    "features": Measure(
        "victor_ext: what the loop's features cost where nothing fails",
        "call",
        tuple(name for name in VARIANTS if name.startswith("features")),
        "call",
        9,
        200,
        1.0,
        "get",
    ),
    "rest": Measure(
        "victor_ext: what the rules of connections cost",
        "call",
        tuple(name for name in VARIANTS if name.startswith("rest")),
        "call",
        5,
        1_000,
        1.0,
        "create",
        _REST,
    ),
    "growth": Measure(
        "victor_ext: from 1,000 to 1,000,000 items",
        "growth",
        ("1000", "10000", "100000", "1000000"),
        "item",
        2,
        0,
        60,
        1000,
        "Pages of 1,000, five fields of each item read. A round of few items is short, so that its "
        "figure differs more\nfrom that of another run.",
    ),
}
