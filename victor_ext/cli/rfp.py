"""`victor rfp ...`: the operations on requests for payment, with options named after the Python arguments."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import view
from .failures import Doubt, Misuse
from .options import (
    STATUSES,
    AnswerNotes,
    AsJson,
    BaseUrl,
    Deadline,
    Environment,
    RequestId,
    day,
    moment,
)
from .options import status as known_status
from .screen import at_terminal, plain, say
from .session import Session
from .watching import changes, spinner

if TYPE_CHECKING:
    from victor_ext import PaymentRequest

rfp = typer.Typer(rich_markup_mode=None)

_REPEAT = "It may have been done. Repeating it with its key makes no second one:"
_LOOK = "It is never sent again by itself. Look before you repeat it:"


def _needed(text: str, metavar: str) -> Any:
    return typer.Option(help=f"{text} [needed]", metavar=metavar)


def _optional(text: str, metavar: str = "TEXT") -> Any:
    return typer.Option(help=text, metavar=metavar)


@rfp.callback(invoke_without_command=True)
def root(context: typer.Context) -> None:
    """Requests for payment: create, read, answer, follow."""
    if context.invoked_subcommand is None:
        say(context.get_help())


@rfp.command()
def create(
    *,
    payee_account_number: Annotated[str | None, _needed("The account that receives; 3 to 20 digits.", "DIGITS")] = None,
    payer_counterparty_id: Annotated[str | None, _needed("Who is asked; up to 16 characters.", "ID")] = None,
    amount: Annotated[str | None, _needed("US dollars, above zero, at most two decimals.", "USD")] = None,
    biller_type: Annotated[str | None, _needed("BUSINESS or CONSUMER.", "TYPE")] = None,
    due_date: Annotated[str | None, _needed("YYYY-MM-DD, today or tomorrow; at most 24 hours ahead.", "DATE")] = None,
    ultimate_creditor: Annotated[
        str | None, typer.Option(help="For whom it is collected; only with BUSINESS.", metavar="NAME")
    ] = None,
    amount_modification_allowed: Annotated[
        bool | None,
        typer.Option(
            "--amount-modification-allowed/--no-amount-modification-allowed",
            help="Whether the payer may pay another amount.",
        ),
    ] = None,
    notes: Annotated[str | None, typer.Option(help="For the payer; up to 150 characters.", metavar="TEXT")] = None,
    client_reference_id: Annotated[
        str | None, typer.Option(help="Your own reference; up to 128 characters.", metavar="TEXT")
    ] = None,
    idempotency_key: Annotated[
        str | None, _optional("One key per payment, kept for every retry of it (default: a random one).", "KEY")
    ] = None,
    as_json: AsJson = False,
    environment: Environment = None,
    base_url: BaseUrl = None,
    deadline: Deadline = None,
) -> None:
    """Ask a counterparty for money. Status 0 means asked, not paid: follow it with `victor rfp watch`."""
    session = Session(environment, base_url, deadline, as_json=as_json)
    arguments: dict[str, Any] = {
        "payee_account_number": payee_account_number,
        "payer_counterparty_id": payer_counterparty_id,
        "amount": amount,
        "biller_type": biller_type,
        "due_date": day("--due-date", due_date),
        "ultimate_creditor": ultimate_creditor,
        "amount_modification_allowed": amount_modification_allowed,
        "notes": notes,
        "client_reference_id": client_reference_id,
        # Made here, so that it can be told whatever becomes of the call.
        "idempotency_key": idempotency_key if idempotency_key is not None else str(uuid.uuid4()),
    }
    _require(arguments, "payee_account_number", "payer_counterparty_id", "amount", "biller_type", "due_date")
    doubt = Doubt(
        advice=_REPEAT,
        command=["victor", "rfp", "create", *_words(arguments), *session.options()],
        key=arguments["idempotency_key"],
        secret=payee_account_number,
    )
    with session.client(doubt) as victor:
        _show(victor.payment_requests.create(**arguments), as_json=as_json)


@rfp.command()
def get(
    request_id: RequestId,
    *,
    as_json: AsJson = False,
    environment: Environment = None,
    base_url: BaseUrl = None,
    deadline: Deadline = None,
) -> None:
    """Read one payment request."""
    with Session(environment, base_url, deadline, as_json=as_json).client() as victor:
        _show(victor.payment_requests.get(request_id), as_json=as_json)


@rfp.command("list")
def list_(
    *,
    status: Annotated[str | None, _optional(f"{STATUSES}.")] = None,
    direction: Annotated[str | None, _optional("outbound (we ask) or inbound (we are asked).")] = None,
    start_datetime: Annotated[str | None, _optional("From this moment on, in Zulu time.", "TIME")] = None,
    end_datetime: Annotated[str | None, _optional("Up to this moment, in Zulu time.", "TIME")] = None,
    victor_id: Annotated[str | None, _optional("The provider's id.")] = None,
    due_date_start_date: Annotated[str | None, _optional("Due from this day on.", "DATE")] = None,
    due_date_end_date: Annotated[str | None, _optional("Due up to this day.", "DATE")] = None,
    approval_start_datetime: Annotated[str | None, _optional("Approved from this moment on.", "TIME")] = None,
    approval_end_datetime: Annotated[str | None, _optional("Approved up to this moment.", "TIME")] = None,
    victor_payment_request_parent_id: Annotated[str | None, _optional("The outbound request of a twin.")] = None,
    victor_payment_request_child_id: Annotated[str | None, _optional("The inbound twin of a request.")] = None,
    network_type: Annotated[str | None, _optional("FedNow or RTP.")] = None,
    tracking_id: Annotated[str | None, _optional("The tracking id.")] = None,
    instant_payment_rails_id: Annotated[str | None, _optional("The id on the payment network.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Stop after so many (default: all).")] = None,
    page: Annotated[int, typer.Option(metavar="N", help="The page to begin with; the first is 0.")] = 0,
    page_size: Annotated[int | None, typer.Option(metavar="N", help="How many to ask for at a time.")] = None,
    as_json: AsJson = False,
    environment: Environment = None,
    base_url: BaseUrl = None,
    deadline: Deadline = None,
) -> None:
    """List payment requests, page by page as they come in. With --json: one JSON document a line."""
    filters = {
        "status": status,
        "direction": direction,
        "start_datetime": moment("--start-datetime", start_datetime),
        "end_datetime": moment("--end-datetime", end_datetime),
        "victor_id": victor_id,
        "due_date_start_date": day("--due-date-start-date", due_date_start_date),
        "due_date_end_date": day("--due-date-end-date", due_date_end_date),
        "approval_start_datetime": moment("--approval-start-datetime", approval_start_datetime),
        "approval_end_datetime": moment("--approval-end-datetime", approval_end_datetime),
        "victor_payment_request_parent_id": victor_payment_request_parent_id,
        "victor_payment_request_child_id": victor_payment_request_child_id,
        "network_type": network_type,
        "tracking_id": tracking_id,
        "instant_payment_rails_id": instant_payment_rails_id,
    }
    given: dict[str, Any] = {name: value for name, value in filters.items() if value is not None}
    with Session(environment, base_url, deadline, as_json=as_json).client() as victor:
        found = victor.payment_requests.list(**given, page=page, page_size=page_size)
        pages = _at_most(limit, (page.items for page in found.pages()))
        count = _list_as_json(pages) if as_json else _list_as_table(pages)
    if count == 0 and not as_json:
        _note("No payment request passes these filters." if given else "There are no payment requests.")


@rfp.command()
def accept(
    request_id: RequestId,
    *,
    notes: AnswerNotes = None,
    modified_amount: Annotated[
        str | None, typer.Option(help="Another amount to pay, if the request allows it.", metavar="USD")
    ] = None,
    as_json: AsJson = False,
    environment: Environment = None,
    base_url: BaseUrl = None,
    deadline: Deadline = None,
) -> None:
    """Agree to pay an inbound request. This moves money. It is sent once, and read back when in doubt."""
    _require({"notes": notes}, "notes")
    session = Session(environment, base_url, deadline, as_json=as_json)
    with session.client(_answer_doubt(request_id, session)) as victor:
        _show(
            victor.payment_requests.accept(request_id, notes=notes or "", modified_amount=modified_amount),
            as_json=as_json,
        )


@rfp.command()
def decline(
    request_id: RequestId,
    *,
    notes: AnswerNotes = None,
    as_json: AsJson = False,
    environment: Environment = None,
    base_url: BaseUrl = None,
    deadline: Deadline = None,
) -> None:
    """Refuse to pay an inbound request. It is sent once, and read back when in doubt."""
    _require({"notes": notes}, "notes")
    session = Session(environment, base_url, deadline, as_json=as_json)
    with session.client(_answer_doubt(request_id, session)) as victor:
        _show(victor.payment_requests.decline(request_id, notes=notes or ""), as_json=as_json)


@rfp.command()
def watch(
    request_id: RequestId,
    *,
    until: Annotated[
        str | None, typer.Option(metavar="STATUS", help=f"Stop at it: {STATUSES} (default: a final one).")
    ] = None,
    timeout: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="Stop after so long, with status 1.")] = 300,
    as_json: AsJson = False,
    environment: Environment = None,
    base_url: BaseUrl = None,
    deadline: Deadline = None,
) -> None:
    """Show each change of a request's status as it happens. With --json: the whole record, a line a change."""
    target = known_status("--until", until)
    with Session(environment, base_url, deadline, as_json=as_json).client() as victor:
        people = at_terminal() and not as_json
        with spinner(plain(request_id), shown=people):
            for request in changes(victor, request_id, until=target, timeout=timeout):
                say(json.dumps(request.to_dict()) if as_json else view.change(request, datetime.now(UTC)))


def _show(request: PaymentRequest, *, as_json: bool) -> None:
    if as_json:
        say(json.dumps(request.to_dict()))
        return
    for line in view.full(request):
        say(line)


def _list_as_json(pages: Iterable[Sequence[PaymentRequest]]) -> int:
    count = 0
    for page in pages:
        say("\n".join(json.dumps(request.to_dict()) for request in page))
        count += len(page)
    return count


def _list_as_table(pages: Iterable[Sequence[PaymentRequest]]) -> int:
    count = 0
    for count, line in enumerate(view.table(pages)):  # noqa: B007 - the heading is line 0
        say(line)
    return count


def _at_most(limit: int | None, pages: Iterator[Sequence[PaymentRequest]]) -> Iterator[Sequence[PaymentRequest]]:
    left = limit
    for page in pages:
        items = page if left is None else list(islice(page, left))
        yield items
        if left is not None:
            left -= len(items)
            if left <= 0:
                # Not a page further: it would be read for nothing.
                return


def _require(arguments: dict[str, Any], *names: str) -> None:
    missing = ["--" + name.replace("_", "-") for name in names if arguments[name] is None]
    if missing:
        raise Misuse(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing.")


def _words(arguments: dict[str, Any]) -> list[str]:
    """Arguments as words of a command line, in full: what is repeated must be the same to the letter."""
    words: list[str] = []
    for name, value in arguments.items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        elif value is not None:
            words += [f"--{option}", str(value)]
    return words


def _answer_doubt(request_id: str, session: Session) -> Doubt:
    return Doubt(advice=_LOOK, command=["victor", "rfp", "get", request_id, *session.options()])


def _note(text: str) -> None:
    print(text, file=sys.stderr)
