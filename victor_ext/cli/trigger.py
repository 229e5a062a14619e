"""`victor trigger`: post a notification of a connected API to a service, by the API's document."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from victor_ext._exit_status import FAILED

from . import packages
from .failures import Misuse
from .options import AsJson, option
from .screen import conclude, plain, say

SECRET = "VICTOR_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable
"""The variable that has the secret of the signature."""
_PATIENCE = 30.0
"""Seconds in which the service answers; the sandbox itself waits ten."""


def _header(text: str) -> str:
    """Parse --header."""
    name, colon, value = text.partition(":")
    if not name.strip() or not colon:
        raise typer.BadParameter(f"{text!r} is no header: write 'X-Signature: {{signature}}'.")
    return f"{name.strip()}:{value.strip()}"


Headers = Annotated[
    list[str] | None,
    option(
        "A header; {signature}, {id} and {timestamp} are filled in. Repeat it.",
        "NAME:VALUE",
        parser=_header,
    ),
]


def trigger(
    package: Annotated[str, typer.Argument(metavar="PACKAGE", help=packages.IN_WORDS)],
    webhook: Annotated[
        str | None,
        typer.Argument(metavar="WEBHOOK", help="A webhook of the document; without it, each."),
    ] = None,
    *,
    notify: Annotated[
        str | None, option("Where to post it. Without it, the body is printed.", "URL")
    ] = None,
    example: Annotated[
        str | None, option("Which example is the body (default: the first one).", "NAME")
    ] = None,
    body: Annotated[Path | None, option("A file of JSON that is the body.", "FILE")] = None,
    header: Headers = None,
    signed: Annotated[
        str, option("What is signed: {body}, {timestamp} and {id}.", "TEXT")
    ] = "{body}",
    algorithm: Annotated[
        str,
        option("The hash of the HMAC.", "NAME", "sha1", "sha256", "sha384", "sha512"),
    ] = "sha256",
    encoding: Annotated[
        str, option("How the signature is written.", "NAME", "hex", "base64")
    ] = "hex",
    secret_encoding: Annotated[
        str, option("How the secret is written.", "NAME", "text", "base64", "hex")
    ] = "text",  # noqa: S107 - no secret
    as_json: AsJson = False,
) -> int:
    """Post a notification of an API with a generated package to your service, by the API's
    document.

    Its body is an example of the document. A {signature} in a --header is an HMAC by the secret in
    VICTOR_WEBHOOK_SECRET. The command ends with 1 unless the service answers each with 200 to 299.
    Without WEBHOOK, one of each is posted; without --notify too, their names are listed.
    """
    _require_use(webhook, notify, example, body, header)
    try:
        connected: Any = import_module("victor_ext.sandbox.connected")
    except ImportError as error:
        raise Misuse(f"{error}.") from error
    sign = {
        "signed": signed,
        "algorithm": algorithm,
        "encoding": encoding,
        "secret_encoding": secret_encoding,
    }
    try:
        sandbox = _sandbox(connected, package, notify, _by_name(header or ()), sign)
        with sandbox:
            if notify is not None:
                named = sandbox.webhooks() if webhook is None else (webhook,)
                statuses = [_post(sandbox, each, example, body, as_json=as_json) for each in named]
                return max(statuses)
            if webhook is None:
                return _list(sandbox.webhooks(), as_json=as_json)
            content = _content(body) if body else sandbox.notification(webhook, example)
            say(json.dumps(content, ensure_ascii=False, indent=None if as_json else 2))
    except ValueError as error:
        raise Misuse(f"{error}.") from error
    return 0


def _require_use(
    webhook: str | None,
    notify: str | None,
    example: str | None,
    body: Path | None,
    headers: list[str] | None,
) -> None:
    """Refuse an option that would have no effect beside the others."""
    if body is not None and example is not None:
        raise Misuse("--body and --example: give one of them.")
    for name, value in (("--body", body), ("--example", example)):
        if value is not None and webhook is None:
            raise Misuse(f"{name} is of one webhook: write its name after PACKAGE.")
    if headers and notify is None:
        raise Misuse("--header is of what is posted: give --notify URL.")


def _post(
    sandbox: Any, webhook: str, example: str | None, body: Path | None, *, as_json: bool
) -> int:
    """Post one notification, show what became of it, and return the exit status."""
    content = _content(body) if body else sandbox.notification(webhook, example)
    sandbox.trigger(webhook, body=content)
    sandbox.wait_for_deliveries(_PATIENCE)
    return _report(sandbox.deliveries()[-1], as_json=as_json)


def _sandbox(
    connected: Any,
    package: str,
    notify: str | None,
    headers: dict[str, str],
    sign: dict[str, str],
) -> Any:
    """The sandbox that posts; `ValueError` says which argument cannot work."""
    settings = import_module("victor_ext.sandbox.server.notifying").NotifyingSettings(notify=notify)
    name = packages.importable_name(package)
    signing = {key: value for key, value in headers.items() if _has_signature(value)}
    others = {key: value for key, value in headers.items() if key not in signing}
    if not signing:
        return connected.ConnectedSandbox(name, settings, headers=others)
    secret = os.environ.get(SECRET)
    if not secret:
        raise Misuse(f"{SECRET} is not set: put the secret there that your service has.")
    signature = connected.Signature(headers=signing, secret=secret, **sign)
    return connected.ConnectedSandbox(name, settings, sign=signature, headers=others)


def _has_signature(value: str) -> bool:
    """Whether the value of a header has more to fill in than what every notification has."""
    return "{" in value.replace("{id}", "").replace("{timestamp}", "")


def _by_name(headers: Sequence[str]) -> dict[str, str]:
    """The headers by name, each of which is there once."""
    values: dict[str, str] = {}
    for header in headers:
        name, _, value = header.partition(":")
        if name.lower() in map(str.lower, values):
            raise Misuse(f"--header {name} is there twice: write both values in one, with a comma.")
        values[name] = value
    return values


def _content(file: Path) -> Any:
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not JSON"
        raise Misuse(f"--body {file} cannot be read: {reason}.") from error
    if content is None:
        raise Misuse(f"--body {file} is null: write what the notification has.")
    return content


def _list(webhooks: dict[str, list[str]], *, as_json: bool) -> int:
    if as_json:
        say(json.dumps(webhooks))
    else:
        for name, examples in webhooks.items():
            say(plain(f"{name}  ({', '.join(examples)})"))
    return 0


def _report(delivery: dict[str, Any], *, as_json: bool) -> int:
    """Show what became of a notification, and return the exit status."""
    attempt: dict[str, Any] = delivery["attempts"][-1]
    came = attempt["error"] if attempt["status"] is None else attempt["status"]
    line = f"{delivery['event']} to {delivery['url']}: {came}  {attempt['milliseconds']:.1f} ms"
    document = {key: delivery[key] for key in ("event", "about", "url")} | attempt
    conclude(document, plain(line), as_json=as_json)
    return 0 if delivery["state"] == "taken" else FAILED
