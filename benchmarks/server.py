"""A server that costs next to nothing: canned answers over keep-alive, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PAGE_SIZE = 100
_PAGE = re.compile(rb"[?&]page=(\d+)")
_PLACE = "@@@@@"


def receipt(number: int, page: str) -> dict[str, Any]:
    """A listed payment request as the provider sends it: all fields, upper-case direction, epoch milliseconds."""
    return {
        "victor_payment_request_id": f"R{page}{number:03d}",
        "client_reference_id": f"INV-{page}{number:03d}",
        "error_message": None,
        "direction": "OUTBOUND",
        "status": "pending",
        "payment_network": "RTP",
        "victor_payment_request_parent_id": None,
        "victor_payment_request_child_id": "QNNEVS9JL4",
        "payment_request": {
            "payee": {"account_number": "043987673645", "ultimate_creditor": "SampleCo Billing Inc."},
            "payer": {"victor_counterparty_id": "aHeq349838"},
            "payment_details": {
                "amount": "44.23",
                "notes": "Notes regarding sample payment.",
                "biller_type": "BUSINESS",
                "due_date": "2026-03-04",
                "amount_modification_allowed": False,
                "original_amount": "44.23",
                "approval_notes": "Notes regarding accepted request.",
            },
            "approved_at": None,
            "created_at": 1772600000000,
        },
    }


def single() -> dict[str, Any]:
    """One payment request as `get` answers it."""
    listed = receipt(1, "00001")
    details = listed["payment_request"]
    return {
        "victor_payment_request_id": listed["victor_payment_request_id"],
        "client_reference_id": listed["client_reference_id"],
        "direction": "INBOUND",
        "error_message": None,
        "status": "Pending",
        "payment_request": {
            "payee": details["payee"],
            "payer": {"account_number": "243884643621", "routing_number": "011401533", "name": "Victor Doe"},
            "payment_details": details["payment_details"],
            "payment_request_response": {},
        },
    }


class _Canned(asyncio.Protocol):
    pages = 1000
    template = b""
    one = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            self.transport.write(self._answer(head))  # type: ignore[attr-defined]  # a TCP transport can write

    def _answer(self, head: bytes) -> bytes:
        line = head.split(b"\r\n", 1)[0]
        page = _PAGE.search(line)
        if page is None:
            return _http(self.one)
        number = int(page[1])
        if number >= self.pages:
            return _http(b'{"page":%d,"page_size":25,"results":[]}' % number)
        page_of = self.template.replace(b'"page": 0,', b'"page": %d,' % number, 1)
        return _http(page_of.replace(_PLACE.encode(), b"%05d" % number))


def _http(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


def _serve(port: Any, pages: int) -> None:
    listed = {"page": 0, "page_size": 25, "results": [receipt(n, _PLACE) for n in range(PAGE_SIZE)]}
    _Canned.template = json.dumps(listed).encode()
    _Canned.one = json.dumps(single()).encode()
    _Canned.pages = pages

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(_Canned, "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


@contextmanager
def canned_server(pages: int) -> Iterator[str]:
    """The URL of a running server with this number of pages of 100 items."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, pages), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        process.terminate()
        process.join()
