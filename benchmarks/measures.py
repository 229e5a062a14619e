"""What is measured, and of whom.

The run and the page read these two tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Contender:
    """One client, or one setting of a client.

    Attributes:
        label: What the page calls it.
        module: Its module in `benchmarks.peers`.
        shape: Whose answers it gets, a name in `answers.ANSWERS`.
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

    @property
    def plain(self) -> str:
        """The label without the marks of a page."""
        return self.label.replace("*", "").replace("`", "")


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

Kind = Literal["call", "items", "threads", "awaited", "first", "memory", "size"]


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


PROCESSES = tuple(
    name
    for name, each in CONTENDERS.items()
    if name not in ("bare", "victor_alone", "victor_reused") and not each.tls
)
BLOCKING = tuple(name for name in PROCESSES if name != "victor_oauth")
CALLED = tuple(name for name, each in CONTENDERS.items() if name != "victor_oauth" and not each.tls)
AWAITED = tuple(name for name, each in CONTENDERS.items() if each.awaited)
PACKAGES = tuple(name for name in BLOCKING if name != "stripe_httpx")

MEASURES = {
    "get": Measure(
        "One GET",
        "call",
        CALLED,
        "call",
        9,
        150,
        0.25,
        "get",
    ),
    "create": Measure(
        "One POST that makes a payment",
        "call",
        CALLED,
        "call",
        9,
        150,
        0.25,
        "create",
        "victor_ext makes an idempotency key, checks the request, and compares the answer with it. "
        "At thousands of calls\n"
        "a second, some writes open a connection: one rests for 0.1 s before a write uses it. "
        "`limits=httpx.Limits(max_connections=300)`\nsaves that.",
    ),
    "tls": Measure(
        "One GET over TLS",
        "call",
        tuple(name for name, each in CONTENDERS.items() if each.tls),
        "call",
        9,
        150,
        0.25,
        "get",
    ),
    "items_100": Measure(
        "Items in pages of 100, five fields of each read",
        "items",
        BLOCKING,
        "item",
        5,
        20_000,
        0.25,
        100,
    ),
    "items_1000": Measure(
        "Items in pages of 1,000, five fields of each read",
        "items",
        BLOCKING,
        "item",
        5,
        20_000,
        0.25,
        1000,
        "Some providers allow at most 100 items a page.",
    ),
    "awaited": Measure(
        "Awaited, 50 calls at a time",
        "awaited",
        AWAITED,
        "call",
        5,
        2_000,
        0.45,
        50,
    ),
    "threads": Measure(
        "16 threads on one client",
        "threads",
        BLOCKING,
        "call",
        5,
        800,
        0.35,
        16,
    ),
    "first": Measure(
        "A fresh process: import, client, first answer",
        "first",
        PROCESSES,
        "process",
        7,
        1,
        0,
        note="victor_ext reads its key and signs a token. By OAuth, it requests a token instead. "
        "The modules were\n"
        "compiled before.",
    ),
    "memory": Measure(
        "Peak memory while iterating",
        "memory",
        PROCESSES,
        "item",
        1,
        20_000,
        2.0,
        100,
        "Growth is the rise of the peak from the second page to the last. The difference to OAuth "
        "is the library\n"
        "that signs.",
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
}

ROWS = {"first-answer" if name == "first" else name.replace("_", "-"): name for name in MEASURES}
"""The measures by what `--rows` calls them."""
