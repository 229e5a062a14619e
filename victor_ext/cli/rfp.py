"""`victor rfp`: operations on requests for payment. Options are named after the Python arguments."""

from __future__ import annotations

import json
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

import victor_ext

from . import view
from .failures import ONLY_READS, Doubt
from .screen import complain, masked, notices, plain, say, terminal_width
from .session import Checks, Session, Yes, day, flag, option, with_session
from .table import at_most, show_list, with_payers

if TYPE_CHECKING:
    from victor_ext import PaymentRequest

rfp = typer.Typer(rich_markup_mode=None)

_EVERY_STATUS = (
    "created", "pending", "processing", "needs-review", "accepted", "completed", "declined", "expired", "failed",
)  # fmt: skip
_STATUSES = f"{', '.join(_EVERY_STATUS[:-1])} or {_EVERY_STATUS[-1]}"

_DAYS = ("today", "tomorrow")
_MOMENTS = ("yesterday", *_DAYS)

RequestId = Annotated[str, typer.Argument(metavar="ID", help="The id of the payment request.")]
AnswerNotes = Annotated[str | None, option("1 to 150 characters. [needed]", "TEXT")]
Timeout = Annotated[float, option("Give up after SECONDS, with exit status 1.", "SECONDS")]


def _needed(text: str, metavar: str, *words: str) -> Any:
    return option(f"{text} [needed]", metavar, *words)


Until = Annotated[
    str | None, option(f"Stop at this status: {_STATUSES} (default: a final one).", "STATUS", *_EVERY_STATUS)
]


@rfp.callback(invoke_without_command=True)
def root(context: typer.Context) -> None:
    """Requests for payment: create, read, answer, follow."""
    if context.invoked_subcommand is None:
        say(context.get_help())


@rfp.command()
@with_session
def create(
    session: Session,
    *,
    payee_account_number: Annotated[str | None, _needed("The account that receives; 3 to 20 digits.", "DIGITS")] = None,
    payer_counterparty_id: Annotated[str | None, _needed("Who is asked; up to 16 characters.", "ID")] = None,
    amount: Annotated[str | None, _needed("US dollars, above zero, at most two decimals.", "USD")] = None,
    biller_type: Annotated[str | None, _needed("BUSINESS or CONSUMER.", "TYPE", "BUSINESS", "CONSUMER")] = None,
    due_date: Annotated[
        str | None, _needed("YYYY-MM-DD, today or tomorrow; at most 24 hours ahead.", "DATE", *_DAYS)
    ] = None,
    ultimate_creditor: Annotated[str | None, option("For whom it is collected; only with BUSINESS.", "NAME")] = None,
    amount_modification_allowed: Annotated[bool | None, option("Whether the payer may pay another amount.")] = None,
    notes: Annotated[str | None, option("For the payer; up to 150 characters.", "TEXT")] = None,
    client_reference_id: Annotated[str | None, option("Your reference; up to 128 characters.", "TEXT")] = None,
    idempotency_key: Annotated[
        str | None,
        option(
            "20 to 128 visible ASCII characters: one key per payment, kept for every retry of it, such as "
            '"$(victor key invoice 1042)" (default: a random one).',
            "KEY",
        ),
    ] = None,
    yes: Yes = False,
) -> None:
    """Ask a counterparty for money. Status 0 means asked, not paid: follow it with `victor rfp watch`."""
    arguments: dict[str, Any] = {
        "payee_account_number": payee_account_number,
        "payer_counterparty_id": payer_counterparty_id,
        "amount": amount,
        "biller_type": biller_type,
        "due_date": day(due_date),
        "ultimate_creditor": ultimate_creditor,
        "amount_modification_allowed": amount_modification_allowed,
        "notes": notes,
        "client_reference_id": client_reference_id,
        # Created here, so that it can be shown whatever the outcome of the call.
        "idempotency_key": idempotency_key if idempotency_key is not None else str(uuid.uuid4()),
    }
    confirmed = ["--yes"] if yes else []
    doubt = Doubt(
        advice="With the same key, this command makes no second request:",
        command=["victor", "rfp", "create", *_words(arguments), *confirmed, *session.options(as_json=session.as_json)],
        look=_search(client_reference_id, session, is_first=idempotency_key is None),
        key=arguments["idempotency_key"],
        secret=payee_account_number,
    )

    def question() -> str:
        account = masked(payee_account_number or "")
        return f"This asks {plain(payer_counterparty_id or '')} for {plain(amount or '')} USD, to be paid to {account}."

    with session.client() as victor:
        with session.failures(doubt):
            _check(arguments, victor.provider_time().moment, is_first=idempotency_key is None)
        session.confirm(victor, question, yes=yes)
        with session.failures(doubt):
            made = victor.payment_requests.create(**arguments)
            with session.failures(doubt, made):
                _show(made, as_json=session.as_json, place=session.place(victor))


@rfp.command()
@with_session
def get(session: Session, request_id: RequestId) -> None:
    """Read one payment request. Its status may stay pending: `list --victor-id` has the current one."""
    with session.client() as victor:
        _show(victor.payment_requests.get(request_id), as_json=session.as_json)


@rfp.command("list")
@with_session
def list_(
    session: Session,
    *,
    status: Annotated[str | None, option(f"{_STATUSES}.", "TEXT", *_EVERY_STATUS)] = None,
    direction: Annotated[
        str | None, option("outbound (we ask) or inbound (we are asked).", "TEXT", "outbound", "inbound")
    ] = None,
    start_datetime: Annotated[str | None, option("From this moment on, in Zulu time.", "TIME", *_MOMENTS)] = None,
    end_datetime: Annotated[str | None, option("Up to this moment, in Zulu time.", "TIME", *_MOMENTS)] = None,
    victor_id: Annotated[str | None, option("The provider's id.", "TEXT")] = None,
    due_date_start_date: Annotated[str | None, option("Due from this day on.", "DATE", *_DAYS)] = None,
    due_date_end_date: Annotated[str | None, option("Due up to this day.", "DATE", *_DAYS)] = None,
    approval_start_datetime: Annotated[str | None, option("Approved from this moment on.", "TIME", *_MOMENTS)] = None,
    approval_end_datetime: Annotated[str | None, option("Approved up to this moment.", "TIME", *_MOMENTS)] = None,
    victor_payment_request_parent_id: Annotated[str | None, option("The outbound request of a twin.", "TEXT")] = None,
    victor_payment_request_child_id: Annotated[str | None, option("The inbound twin of a request.", "TEXT")] = None,
    network_type: Annotated[str | None, option("FedNow or RTP.", "TEXT", "FedNow", "RTP")] = None,
    tracking_id: Annotated[str | None, option("The tracking id.", "TEXT")] = None,
    instant_payment_rails_id: Annotated[str | None, option("The id on the payment network.", "TEXT")] = None,
    limit: Annotated[int | None, option("Stop after this number of requests (default: all).", "N", min=1)] = None,
    page: Annotated[int, option("The page to begin with; the first is 0.", "N")] = 0,
    page_size: Annotated[int | None, option("How many to ask for at a time.", "N")] = None,
    payers: Annotated[
        bool, flag("--payers", "Name the payers of inbound requests, too: one more call for each of them.")
    ] = False,
) -> None:
    """List payment requests, page by page as they come in. With --json: one JSON document a line."""
    checks = Checks()
    filters = {
        "status": status,
        "direction": direction,
        "start_datetime": checks.moment("start_datetime", start_datetime),
        "end_datetime": checks.moment("end_datetime", end_datetime),
        "victor_id": victor_id,
        "due_date_start_date": day(due_date_start_date),
        "due_date_end_date": day(due_date_end_date),
        "approval_start_datetime": checks.moment("approval_start_datetime", approval_start_datetime),
        "approval_end_datetime": checks.moment("approval_end_datetime", approval_end_datetime),
        "victor_payment_request_parent_id": victor_payment_request_parent_id,
        "victor_payment_request_child_id": victor_payment_request_child_id,
        "network_type": network_type,
        "tracking_id": tracking_id,
        "instant_payment_rails_id": instant_payment_rails_id,
    }
    given: dict[str, Any] = {name: value for name, value in filters.items() if value is not None}
    with session.client() as victor:
        requests = victor.payment_requests
        # The client checks filters and paging separately; a list that is not iterated sends nothing.
        checks.run(lambda: requests.list(**given))
        checks.run(lambda: requests.list(page=page, page_size=page_size))
        checks.finish("The list was not sent")
        listing = requests.list(**given, page=page, page_size=page_size)
        pages = at_most(limit, (page.items for page in listing.pages()))
        if payers:
            pages = with_payers(pages, requests.get)
        count = show_list(pages, as_json=session.as_json)
    if count == 0 and not session.as_json:
        complain("No payment request passes these filters." if given else "There are no payment requests.")


@rfp.command()
@with_session
def find(
    session: Session,
    client_reference_id: Annotated[str, typer.Argument(metavar="REFERENCE", help="Your reference.")],
    *,
    start_datetime: Annotated[str | None, _needed("From this moment on, in Zulu time.", "TIME", *_MOMENTS)] = None,
    end_datetime: Annotated[str | None, option("Up to this moment, in Zulu time.", "TIME", *_MOMENTS)] = None,
) -> None:
    """List the payment requests with a client reference, to see whether a create took effect.

    The provider has no filter for the reference, so that all of the window is read: keep it small.
    """
    checks = Checks()
    window: dict[str, Any] = {
        "start_datetime": checks.moment("start_datetime", start_datetime, needed=True),
        "end_datetime": checks.moment("end_datetime", end_datetime),
    }
    with session.client() as victor:
        checks.finish("The search was not sent")
        matches = victor.payment_requests.find(client_reference_id, **window)
        if matches:
            show_list([matches], as_json=session.as_json)
    if not matches and not session.as_json:
        complain("No payment request in this period has this reference.")


@rfp.command()
@with_session
def accept(
    session: Session,
    request_id: RequestId,
    *,
    notes: AnswerNotes = None,
    modified_amount: Annotated[str | None, option("Another amount to pay, if the request allows it.", "USD")] = None,
    yes: Yes = False,
) -> None:
    """Agree to pay an inbound request. This moves money. It is sent once, and read back if the outcome is unknown."""
    with session.client() as victor:
        request: str | PaymentRequest = request_id
        if modified_amount is not None:
            # Its record says whether it allows that. What is wrong with the id is reported together with the rest.
            with suppress(victor_ext.InvalidRequest):
                request = victor.payment_requests.get(request_id)

        def question() -> str:
            record = victor.payment_requests.get(request_id) if isinstance(request, str) else request
            lines = view.full(record, None, terminal_width())
            other = "" if modified_amount is None else f" {plain(modified_amount)} USD, in place of its amount"
            return "\n".join([*(line.plain for line in lines), f"This pays it{other}."])

        session.confirm(victor, question, yes=yes)
        doubt = _answer_doubt(request_id, session)
        with session.failures(doubt):
            # The client reports missing notes together with other problems.
            answered = victor.payment_requests.accept(
                request, notes=cast("str", notes), modified_amount=modified_amount
            )
            with session.failures(doubt, answered):
                _show(answered, as_json=session.as_json, place=session.place(victor))


@rfp.command()
@with_session
def decline(session: Session, request_id: RequestId, *, notes: AnswerNotes = None) -> None:
    """Refuse to pay an inbound request. It is sent once, and read back if the outcome is unknown."""
    doubt = _answer_doubt(request_id, session)
    with session.client(doubt) as victor:
        answered = victor.payment_requests.decline(request_id, notes=cast("str", notes))
        with session.failures(doubt, answered):
            _show(answered, as_json=session.as_json, place=session.place(victor))


@rfp.command()
@with_session
def watch(session: Session, request_id: RequestId, *, until: Until = None, timeout: Timeout = 300) -> None:
    """Show each change of a request's status as it happens. With --json: the whole record, a line a change."""
    with session.client() as victor, notices(lambda text: complain(f"Still watching: {text}")):
        wanted = cast("victor_ext.Status | None", until)  # the client checks it
        for request in victor.payment_requests.watch(request_id, until=wanted, timeout=timeout):
            say(json.dumps(request.to_dict()) if session.as_json else view.change(request, datetime.now(UTC)))


def _show(request: PaymentRequest, *, as_json: bool, place: str | None = None) -> None:
    if as_json:
        say(json.dumps(request.to_dict()))
        return
    for line in view.full(request, place, terminal_width()):
        say(line)


def _check(arguments: dict[str, Any], now: datetime, *, is_first: bool) -> None:
    """Raise `InvalidRequest` with all problems of a create, those of its due date at this time among them.

    The client leaves these out because the call has a key. A repeat may come on a later day: its due date may be past.
    One that is too late today was too late then.
    """
    try:
        victor_ext.check_payment_request(**arguments, now=now)
    except victor_ext.InvalidRequest as error:
        problems = [problem for problem in error.problems if is_first or problem.code != "past"]
        if problems:
            raise victor_ext.InvalidRequest.of(problems, doing="The payment request") from None


def _words(arguments: dict[str, Any]) -> list[str]:
    """Convert arguments to command-line words, unabbreviated: a repeat must have exactly the same values."""
    words: list[str] = []
    for name, value in arguments.items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        elif value is not None:
            words += [f"--{option}", str(value)]
    return words


def _search(reference: str | None, session: Session, *, is_first: bool) -> list[str]:
    """Return a command that lists what `create` may have made, possibly in an earlier run with the user's key."""
    begin = datetime.now(UTC) - (timedelta(minutes=5) if is_first else timedelta(days=1))
    what = ["list", "--direction", "outbound"] if reference is None else ["find", reference]
    return [
        "victor",
        "rfp",
        *what,
        "--start-datetime",
        f"{begin:%Y-%m-%dT%H:%M:%SZ}",
        *session.options(as_json=session.as_json),
    ]


def _answer_doubt(request_id: str, session: Session) -> Doubt:
    get = ["victor", "rfp", "get", request_id]
    command = [*get, *session.options(as_json=session.as_json)]
    return Doubt(advice=ONLY_READS, command=command, look=[*get, *session.options()])
