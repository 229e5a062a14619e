"""`victor rfp`: operations on requests for payment.

Options are named after the Python arguments.
"""

from __future__ import annotations

import json
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, cast

import victor_ext
from victor_ext.privacy import short_mask

from . import view
from .failures import ONLY_READS, Doubt
from .options import Yes, argument, flag, group, number, option, whole_number, words_of
from .screen import complain, notices, plain, say
from .session import Session, with_session
from .times import DAYS, MOMENTS, day, moments

if TYPE_CHECKING:
    from victor_ext import PaymentRequest, Victor

rfp = group("Requests for payment: create, read, answer, follow.")

_EVERY_STATUS = (
    "created",
    "pending",
    "processing",
    "needs-review",
    "accepted",
    "completed",
    "declined",
    "expired",
    "failed",
)
_STATUSES = f"{', '.join(_EVERY_STATUS[:-1])} or {_EVERY_STATUS[-1]}"

RequestId = Annotated[str, argument("ID")]
AnswerNotes = Annotated[str | None, option("1 to 150 characters. [needed]", "TEXT")]
Timeout = Annotated[
    float, option("Give up after SECONDS, with exit status 1.", "SECONDS", parser=number())
]


def _needed(text: str, metavar: str, *words: str) -> Any:
    return option(f"{text} [needed]", metavar, *words)


Until = Annotated[
    str | None,
    option(f"Stop at this status: {_STATUSES} (default: a final one).", "STATUS", *_EVERY_STATUS),
]


class _Create(Session):
    payee_account_number: Annotated[
        str | None, _needed("The account that receives; 3 to 20 digits.", "DIGITS")
    ] = None
    payer_counterparty_id: Annotated[
        str | None, _needed("Who is asked; up to 16 characters.", "ID")
    ] = None
    amount: Annotated[
        str | None, _needed("US dollars, above zero, at most two decimals.", "USD")
    ] = None
    biller_type: Annotated[
        str | None, _needed("BUSINESS or CONSUMER.", "TYPE", "BUSINESS", "CONSUMER")
    ] = None
    due_date: Annotated[
        str | None, _needed("YYYY-MM-DD, today or tomorrow; at most 24 hours ahead.", "DATE", *DAYS)
    ] = None
    ultimate_creditor: Annotated[
        str | None, option("For whom it is collected; only with BUSINESS.", "NAME")
    ] = None
    amount_modification_allowed: Annotated[
        bool | None, option("Whether the payer may pay another amount.")
    ] = None
    notes: Annotated[str | None, option("For the payer; up to 150 characters.", "TEXT")] = None
    client_reference_id: Annotated[
        str | None, option("Your reference; up to 128 characters.", "TEXT")
    ] = None
    idempotency_key: Annotated[
        str | None,
        option(
            "20 to 128 visible ASCII characters: one key per payment, kept for every retry of it, "
            "such as "
            '"$(victor key invoice 1042)" (default: a random one).',
            "KEY",
        ),
    ] = None


@rfp.command()
@with_session
def create(session: _Create, *, yes: Yes = False) -> None:
    """Ask a counterparty for money.

    Status 0 means asked, not paid: follow it with `victor rfp watch`.
    """
    is_first = session.idempotency_key is None
    arguments = session.own | {"due_date": day(session.due_date)}
    if is_first:
        # Created here, so that it can be shown whatever the outcome of the call.
        arguments["idempotency_key"] = str(uuid.uuid4())
    doubt = _create_doubt(session, arguments, yes=yes, is_first=is_first)
    with session.client() as victor:
        with session.failures(doubt):
            _check(arguments, victor.provider_time().moment, is_first=is_first)
        session.confirm(victor, partial(_create_question, session), yes=yes)
        with session.failures(doubt):
            request = victor.payment_requests.create(**arguments)
            _show(session, request, victor, doubt)


def _create_doubt(
    session: _Create, arguments: dict[str, Any], *, yes: bool, is_first: bool
) -> Doubt:
    words = words_of({**arguments, "yes": yes or None})
    connection = session.options(as_json=session.as_json)
    return Doubt(
        advice="With the same key, this command makes no second request:",
        command=["victor", "rfp", "create", *words, *connection],
        look=_search(session.client_reference_id, session, is_first=is_first),
        key=arguments["idempotency_key"],
        secret=session.payee_account_number,
    )


def _create_question(session: _Create) -> str:
    payer = plain(session.payer_counterparty_id or "")
    amount = plain(session.amount or "")
    payee = plain(short_mask(session.payee_account_number or ""))
    return f"This asks {payer} for {amount} USD, to be paid to {payee}."


@rfp.command()
@with_session
def get(session: Session, request_id: RequestId) -> None:
    """Read one payment request.

    ID is its id. Its status may stay pending: `list --victor-id` has the current one.
    """
    with session.client() as victor:
        _show(session, victor.payment_requests.get(request_id))


class _Filters(Session):
    status: Annotated[str | None, option(f"{_STATUSES}.", "TEXT", *_EVERY_STATUS)] = None
    direction: Annotated[
        str | None,
        option("outbound (we ask) or inbound (we are asked).", "TEXT", "outbound", "inbound"),
    ] = None
    start_datetime: Annotated[
        str | None, option("From this moment on, in Zulu time.", "TIME", *MOMENTS)
    ] = None
    end_datetime: Annotated[
        str | None, option("Up to this moment, in Zulu time.", "TIME", *MOMENTS)
    ] = None
    victor_id: Annotated[str | None, option("The provider's id.", "TEXT")] = None
    due_date_start_date: Annotated[str | None, option("Due from this day on.", "DATE", *DAYS)] = (
        None
    )
    due_date_end_date: Annotated[str | None, option("Due up to this day.", "DATE", *DAYS)] = None
    approval_start_datetime: Annotated[
        str | None, option("Approved from this moment on.", "TIME", *MOMENTS)
    ] = None
    approval_end_datetime: Annotated[
        str | None, option("Approved up to this moment.", "TIME", *MOMENTS)
    ] = None
    victor_payment_request_parent_id: Annotated[
        str | None, option("The outbound request of a twin.", "TEXT")
    ] = None
    victor_payment_request_child_id: Annotated[
        str | None, option("The inbound twin of a request.", "TEXT")
    ] = None
    network_type: Annotated[str | None, option("FedNow or RTP.", "TEXT", "FedNow", "RTP")] = None
    tracking_id: Annotated[str | None, option("The tracking id.", "TEXT")] = None
    instant_payment_rails_id: Annotated[
        str | None, option("The id on the payment network.", "TEXT")
    ] = None


@rfp.command("list")
@with_session
def list_(
    session: _Filters,
    *,
    limit: Annotated[
        int | None,
        option(
            "Stop after this number of requests, 1 or more (default: all).",
            "N",
            parser=whole_number(1),
        ),
    ] = None,
    page_size: Annotated[
        int | None, option("How many to ask for at a time.", "N", parser=whole_number())
    ] = None,
    payers: Annotated[
        bool, flag("--payers", "Name the payers of inbound requests: a call for each of them.")
    ] = False,
) -> None:
    """List payment requests, page by page as they come in.

    With --json: one JSON document a line.
    """
    filters, times = _filters(session)
    with session.client() as victor:
        requests = victor.payment_requests
        whole = partial(requests.list, **filters, page_size=page_size)
        # A list that is not iterated sends nothing.
        window: Any = moments(times, doing="The list was not sent", check=whole)
        filled = (page.items for page in whole(**window).pages() if page.items)
        pages = view.at_most(limit, filled)
        if payers:
            pages = view.with_payers(pages, requests.get)
        has_any = view.show_list(pages, as_json=session.as_json)
    if has_any or session.as_json:
        return
    if filters or times:
        complain("No payment request passes these filters.")
    else:
        complain("There are no payment requests.")


def _filters(session: _Filters) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the filters of a list that are named, and apart from them those that are moments."""
    filters: dict[str, Any] = {}
    times: dict[str, str] = {}
    for name, value in session.own.items():
        if value is None:
            continue
        if name.endswith("_datetime"):
            times[name] = value
        else:
            filters[name] = day(value) if name.endswith("_date") else value
    return filters, times


@rfp.command()
@with_session
def find(
    session: Session,
    client_reference_id: Annotated[str, argument("REFERENCE")],
    *,
    start_datetime: Annotated[
        str | None, _needed("From this moment on, in Zulu time.", "TIME", *MOMENTS)
    ] = None,
    end_datetime: Annotated[
        str | None, option("Up to this moment, in Zulu time.", "TIME", *MOMENTS)
    ] = None,
) -> None:
    """List the payment requests with a client reference, to see whether a create took effect.

    The provider has no filter for the REFERENCE, so that all of the window is read: keep it small.
    """
    window = {"start_datetime": start_datetime, "end_datetime": end_datetime}
    with session.client() as victor:
        times: Any = moments(window, "start_datetime", doing="The search was not sent")
        matches = victor.payment_requests.find(client_reference_id, **times)
        if matches:
            view.show_list([matches], as_json=session.as_json)
    if not matches and not session.as_json:
        complain("No payment request in this period has this reference.")


@rfp.command()
@with_session
def accept(
    session: Session,
    request_id: RequestId,
    *,
    notes: AnswerNotes = None,
    modified_amount: Annotated[
        str | None, option("Another amount to pay, if the request allows it.", "USD")
    ] = None,
    yes: Yes = False,
) -> None:
    """Agree to pay an inbound request.

    This moves money. ID is the id of the request. It is sent once, and read back if the outcome is
    unknown.
    """
    with session.client() as victor:
        request: str | PaymentRequest = request_id
        if modified_amount is not None:
            # Its record says whether it allows that. What is wrong with the id is reported together
            # with the rest.
            with suppress(victor_ext.InvalidRequest):
                request = victor.payment_requests.get(request_id)
        session.confirm(
            victor, partial(_accept_question, victor, request, modified_amount), yes=yes
        )
        doubt = _response_doubt(request_id, session)
        with session.failures(doubt):
            # The client reports missing notes together with other problems.
            text = cast("str", notes)
            accepted = victor.payment_requests.accept(
                request, notes=text, modified_amount=modified_amount
            )
            _show(session, accepted, victor, doubt)


def _accept_question(
    victor: Victor, request: str | PaymentRequest, modified_amount: str | None
) -> str:
    if isinstance(request, str):
        request = victor.payment_requests.get(request)
    lines = [line.plain for line in view.full(request)]
    other = ""
    if modified_amount is not None:
        other = f" {plain(modified_amount)} USD, in place of its amount"
    return "\n".join([*lines, f"This pays it{other}."])


@rfp.command()
@with_session
def decline(session: Session, request_id: RequestId, *, notes: AnswerNotes = None) -> None:
    """Refuse to pay an inbound request.

    ID is the id of the request. It is sent once, and read back if the outcome is unknown.
    """
    doubt = _response_doubt(request_id, session)
    with session.client(doubt) as victor:
        declined = victor.payment_requests.decline(request_id, notes=cast("str", notes))
        _show(session, declined, victor, doubt)


@rfp.command()
@with_session
def watch(
    session: Session, request_id: RequestId, *, until: Until = None, timeout: Timeout = 300
) -> None:
    """Show each change of a request's status as it happens.

    ID is the id of the payment request. With --json: the whole record, a line a change.
    """
    with session.client() as victor, notices(lambda text: complain(f"Still watching: {text}")):
        status = cast("victor_ext.Status | None", until)  # the client checks it
        for request in victor.payment_requests.watch(request_id, until=status, timeout=timeout):
            if session.as_json:
                say(json.dumps(request.to_dict()))
            else:
                say(view.change(request, datetime.now(UTC)))


def _show(
    session: Session,
    request: PaymentRequest,
    victor: Victor | None = None,
    doubt: Doubt | None = None,
) -> None:
    """Print a payment request; one that was written with the environment of the client,
    `victor`.
    """
    with session.failures(doubt, request):
        if session.as_json:
            say(json.dumps(request.to_dict()))
            return
        place = None if victor is None else session.place(victor)
        for line in view.full(request, place):
            say(line)


def _check(arguments: dict[str, Any], now: datetime, *, is_first: bool) -> None:
    """Raise `InvalidRequest` with all problems of a create, those of its due date at this time
    among them.

    The client leaves these out because the call has a key. A repeat may come on a later day: its
    due date may be past. One that is too late today was too late then.
    """
    try:
        victor_ext.check_payment_request(**arguments, now=now)
    except victor_ext.InvalidRequest as error:
        problems = [problem for problem in error.problems if is_first or problem.code != "past"]
        if problems:
            raise victor_ext.InvalidRequest.of(problems, doing="The payment request") from None


def _search(reference: str | None, session: Session, *, is_first: bool) -> list[str]:
    """Return a command that lists what `create` may have made, possibly in an earlier run with the
    user's key.
    """
    age = timedelta(minutes=5) if is_first else timedelta(days=1)
    start = f"{datetime.now(UTC) - age:%Y-%m-%dT%H:%M:%SZ}"
    search = ["list", "--direction", "outbound"]
    if reference is not None:
        search = ["find", reference]
    connection = session.options(as_json=session.as_json)
    return ["victor", "rfp", *search, "--start-datetime", start, *connection]


def _response_doubt(request_id: str, session: Session) -> Doubt:
    get = ["victor", "rfp", "get", request_id]
    command = [*get, *session.options(as_json=session.as_json)]
    return Doubt(advice=ONLY_READS, command=command, look=[*get, *session.options()])
