"""`make fuzz`: a coverage-guided search for bytes that make the client raise anything but a `VictorError`.

    python -m tests.fuzz.fuzz_answers [seconds] [options of libFuzzer]

The fuzzer (atheris) watches which lines of the client, the generated layer and the HTTP stack an answer reaches,
and goes on from those that reached new ones. What it finds is printed as a traceback, and kept in a file whose name
is printed: `python -m tests.fuzz.fuzz_answers FILE` runs that one again.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# `make fuzz` puts the fuzzer there.
sys.path[:0] = [str(ROOT / ".venv" / "fuzz")]

SECONDS = 60
INSTRUMENTED = ["victor_ext", "victor_api", "h11", "http.cookiejar", "email.utils"]


def _atheris() -> Any:
    try:
        import atheris
    except ImportError:
        sys.exit(
            "atheris is not installed: `make fuzz` installs it, where there is one (Linux on x86-64). Elsewhere the "
            "tests in tests/fuzz feed the same client from hypothesis."
        )
    return atheris


def _names() -> list[str]:
    """Every name of a property that the document knows: an answer made of others reaches next to nothing."""
    import yaml

    document = ROOT / "openapi" / "victor.yaml"
    schemas = yaml.safe_load(document.read_text())["components"]["schemas"]
    return sorted({name for schema in schemas.values() for name in schema.get("properties", {})})


def _grown(take: Any, names: list[str], depth: int = 0) -> Any:
    """A JSON value made of what the fuzzer gives."""
    kind = take.ConsumeIntInRange(0, 9 if depth < 5 else 6)
    leaves: list[Callable[[], Any]] = [
        lambda: None,
        take.ConsumeBool,
        lambda: take.ConsumeInt(8),
        take.ConsumeFloat,
        lambda: take.ConsumeUnicode(12),
        lambda: take.PickValueInList(["created", "Accepted", "44.23", "2026-03-04", "INBOUND", "2026-03-04T05:06:07Z"]),
        lambda: 10 ** take.ConsumeIntInRange(0, 400),
    ]
    if kind < len(leaves):
        return leaves[kind]()
    if kind == len(leaves):
        return [_grown(take, names, depth + 1) for _ in range(take.ConsumeIntInRange(0, 3))]
    return {take.PickValueInList(names): _grown(take, names, depth + 1) for _ in range(take.ConsumeIntInRange(0, 6))}


def _target(atheris: Any) -> Callable[[bytes], None]:
    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.fuzz.fuzz_reading import read_all_of_error
        from tests.fuzz.fuzz_wire import OPERATIONS, Fuzzed, answer
        from victor_ext import VictorError

        mode, names = Fuzzed(), _names()
        for operation in OPERATIONS:  # what is loaded on first use is to be watched too
            with contextlib.suppress(VictorError):
                mode.run(operation, answer(b"{}", 400))
                mode.run(operation, answer(b'{"victor_payment_request_id": "R1", "status": "created", "page": 0}'))

    def one_input(data: bytes) -> None:
        take = atheris.FuzzedDataProvider(data)
        operation = OPERATIONS[take.ConsumeIntInRange(0, len(OPERATIONS) - 1)]
        way = take.ConsumeIntInRange(0, 2)
        status = take.PickValueInList([200, 200, 200, 201, 302, 400, 401, 404, 409, 422, 429, 500, 503, 999])
        if way == 0:
            wire = take.ConsumeBytes(take.remaining_bytes())
        elif way == 1:
            header = take.ConsumeBytes(take.ConsumeIntInRange(0, 40))
            wire = answer(take.ConsumeBytes(take.remaining_bytes()), status, *([header] if header else []))
        else:
            grown = json.dumps(_grown(take, names))
            wire = answer(grown.encode("utf-8", "surrogatepass"), status)
        try:
            mode.run(operation, wire)
        except VictorError as error:
            read_all_of_error(error)

    return one_input


def _seeds(folder: Path) -> None:
    """Answers to begin with: whole ones, as bytes on the wire and as bodies."""
    body = b'{"victor_payment_request_id": "R1", "status": "created", "payment_request": {"created_at": 1683308669000}}'
    head = b"HTTP/1.1 200 OK\r\n"
    whole = head + b"Content-Length: %d\r\nDate: Sun, 06 Nov 2026 08:49:37 GMT\r\n\r\n%b" % (len(body), body)
    chunks = b"8\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (body[:8], len(body) - 8, body[8:])
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks
    refusal = (
        b'{"status": 0, "data": null, "error": {"code": 101, "message": "error.no", "field": "paymentDetails.amount"}}'
    )
    # A provider takes its numbers from the end of the data, and its bytes from the beginning.
    for number, data in enumerate(
        [whole + b"\0\0\0", chunked + b"\0\0\0", whole + b"\0\0\2", body + b"\0\1\1", refusal + b"\5\1\2", b"\1" * 64]
    ):
        (folder / f"seed-{number}").write_bytes(data)


def _words(folder: Path) -> Path:
    """A dictionary of libFuzzer: what the parsers look for."""
    headers = [
        "Content-Length: ",
        "Transfer-Encoding: chunked",
        "Retry-After: ",
        "Date: ",
        "Location: ",
        "Set-Cookie: ",
    ]
    words = [*_names(), *headers, "HTTP/1.1 200 OK", "Content-Encoding: gzip"]
    file = folder / "words.dict"
    file.write_text("".join(f'"{word}"\n' for word in words))
    return file


def main() -> None:
    atheris = _atheris()
    given = sys.argv[1:]
    if given and not given[0].isdigit() and not given[0].startswith("-") and not Path(given[0]).is_file():
        raise SystemExit(f"{given[0]!r} is neither a number of seconds nor a file that was found earlier.")
    seconds = given.pop(0) if given and given[0].isdigit() else str(SECONDS)
    folder = Path(tempfile.mkdtemp(prefix="victor-fuzz-"))
    corpus = folder / "corpus"
    corpus.mkdir()
    _seeds(corpus)
    options = [f"-max_total_time={seconds}", "-timeout=20", "-max_len=4096", f"-artifact_prefix={folder}{os.sep}found-"]
    if not any(Path(each).is_file() for each in given):
        options += [f"-dict={_words(folder)}", str(corpus)]
    atheris.Setup([sys.argv[0], *options, *given], _target(atheris))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
