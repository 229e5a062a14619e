"""`victor rfp`: operations on requests for payment.

Options are named after the Python arguments. The commands come in the order of a payment request's
life: create, get, list, find, accept, decline, watch. What they share follows.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, cast

import victor_ext
from victor_ext._privacy import short_mask

from . import _view
from ._arguments import MethodSession
from ._document import words_of
from ._failures import ONLY_READS, Recovery
from ._options import (
    Yes,
    argument,
    group,
    moments,
    number,
    option,
    option_words,
    whole_number,
)
from ._screen import complain, plain, say, show_notices
from ._session import Session, with_session, without_none

if TYPE_CHECKING:
    from victor_ext import PaymentRequest, Victor

rfp = group("Requests for payment: create, read, answer, follow.")

_EVERY_STATUS = words_of("list_payment_requests", "status")

RequestId = Annotated[str, argument("ID")]
AnswerNotes = Annotated[str | None, option("1 to 150 characters. [needed]", "TEXT", default=...)]


class _CreateSession(MethodSession, operation="create_request_payment", without=("yes",)):
    """The options of `create`: the arguments of the client's method, as text."""

    amount: str | None = option("US dollars, above zero, at most two decimals. [needed]", "USD")
    due_date: str | None = option(
        "YYYY-MM-DD, today or tomorrow; at most 24 hours ahead. [needed]", "DATE"
    )
    idempotency_key: str | None = option(
        "20 to 128 visible ASCII characters: one key per payment, kept for every retry of it, "
        "such as "
        '"$(victor key invoice 1042)" (default: a random one).',
        "KEY",
    )


@rfp.command()
@with_session
def create(session: _CreateSession, *, yes: Yes = False) -> None:
    """Ask a counterparty for money.

    Status 0 means asked, not paid: follow it with `victor rfp watch`.
    """
    # With a key of the user, this run may repeat an earlier one.
    is_first_run = session.idempotency_key is None
    with session.client() as victor:
        arguments = session.arguments(doing="The payment request was not sent")
        if is_first_run:
            # Created here, so that it can be shown whatever the outcome of the call.
            arguments["idempotency_key"] = str(uuid.uuid4())
        recovery = _create_recovery(session, arguments, yes=yes, is_first_run=is_first_run)
        with session.report_failures(recovery):
            now = victor.provider_time().moment
            _check_create(arguments, now, is_first_run=is_first_run)
        session.confirm(victor, partial(_create_question, arguments), yes=yes)
        with session.report_failures(recovery):
            request = victor.payment_requests.create(**arguments)
            _show(session, request, victor, recovery)


def _create_recovery(
    session: _CreateSession, arguments: dict[str, Any], *, yes: bool, is_first_run: bool
) -> Recovery:
    """Return how to settle a create: by the same command with the same key."""
    words = option_words({**arguments, "yes": yes or None})
    connection = session.connection_words(as_json=session.as_json)
    return Recovery(
        advice="With the same key, this command makes no second request:",
        command=["victor", "rfp", "create", *words, *connection],
        look=_search_command(session, arguments["client_reference_id"], is_first_run=is_first_run),
        key=arguments["idempotency_key"],
        secret=arguments["payee_account_number"],
    )


def _create_question(arguments: Mapping[str, Any]) -> str:
    """Return what a person confirms before a request is created."""
    payer = plain(arguments["payer_counterparty_id"])
    amount = plain(arguments["amount"])
    payee = plain(short_mask(arguments["payee_account_number"]))
    return f"This asks {payer} for {amount} USD, to be paid to {payee}."


@rfp.command()
@with_session
def get(session: Session, request_id: RequestId) -> None:
    """Read one payment request.

    ID is its id. Its status may stay pending: `list --victor-id` has the current one.
    """
    with session.client() as victor:
        _show(session, victor.payment_requests.get(request_id))


class _ListSession(
    MethodSession,
    operation="list_payment_requests",
    without=("page", "page_size", "limit"),
):
    """The options of `list`: the filters of the client's method, as text."""


@rfp.command("list")
@with_session
def list_(
    session: _ListSession,
    *,
    limit: int | None = option(
        "Stop after this number of requests, 1 or more (default: all).", "N", parser=whole_number(1)
    ),
    page_size: int | None = option("How many to ask for at a time.", "N", parser=whole_number()),
) -> None:
    """List payment requests.

    With --json: one JSON document a line, page by page as they come in.
    """
    with session.client() as victor:
        requests = victor.payment_requests
        # A list that is not iterated sends nothing, and checks its arguments all the same.
        list_requests = partial(requests.list, page_size=page_size)
        filters = without_none(session.arguments("The list was not sent", check=list_requests))
        filled_pages = (page.items for page in list_requests(**filters).pages() if page.items)
        pages = _view.at_most(limit, filled_pages)
        has_any = _view.show_list(pages, as_json=session.as_json)
    if has_any or session.as_json:
        return
    if filters:
        complain("No payment request passes these filters.")
    else:
        complain("There are no payment requests.")


@rfp.command()
@with_session
def find(
    session: Session,
    client_reference_id: str = argument("REFERENCE"),
    *,
    start_datetime: str | None = option("From this moment on, in Zulu time. [needed]", "TIME"),
    end_datetime: str | None = option("Up to this moment, in Zulu time.", "TIME"),
) -> None:
    """List the payment requests with a client reference.

    It shows whether a create took effect. The provider has no filter for the REFERENCE, so that all
    of the window is read: keep it small. If none has it, that does not prove that none exists.
    """
    window = {"start_datetime": start_datetime, "end_datetime": end_datetime}
    with session.client() as victor:
        times: Any = moments(window, "start_datetime", doing="The search was not sent")
        matches = victor.payment_requests.find(client_reference_id, **times)
        if matches:
            _view.show_list([matches], as_json=session.as_json)
    if not matches:
        complain(matches.caveat)


@rfp.command()
@with_session
def accept(
    session: Session,
    request_id: RequestId,
    *,
    notes: AnswerNotes = None,
    modified_amount: str | None = option("Another amount to pay, if the request allows it.", "USD"),
    yes: Yes = False,
) -> None:
    """Agree to pay an inbound request.

    This moves money. ID is the id of the request. It is sent once, and read back if the outcome is
    unknown.
    """
    with session.client() as victor:
        session.confirm(
            victor, partial(_accept_question, victor, request_id, modified_amount), yes=yes
        )
        recovery = _response_recovery(request_id, session)
        with session.report_failures(recovery):
            # The client reports missing notes (None) together with other problems.
            text = cast("str", notes)
            accepted = victor.payment_requests.accept(
                request_id, notes=text, modified_amount=modified_amount
            )
            _show(session, accepted, victor, recovery)


def _accept_question(victor: Victor, request_id: str, modified_amount: str | None) -> str:
    """Return the question before a request is paid, below the request in full."""
    request = victor.payment_requests.get(request_id)
    lines = [line.plain for line in _view.full(request)]
    other_amount = ""
    if modified_amount is not None:
        other_amount = f" {plain(modified_amount)} USD, in place of its amount"
    return "\n".join([*lines, f"This pays it{other_amount}."])


@rfp.command()
@with_session
def decline(session: Session, request_id: RequestId, *, notes: AnswerNotes = None) -> None:
    """Refuse to pay an inbound request.

    ID is the id of the request. It is sent once, and read back if the outcome is unknown.
    """
    recovery = _response_recovery(request_id, session)
    with session.client(recovery) as victor:
        declined = victor.payment_requests.decline(request_id, notes=cast("str", notes))
        _show(session, declined, victor, recovery)


@rfp.command()
@with_session
def watch(
    session: Session,
    request_id: RequestId,
    *,
    until: str | None = option(
        f"Stop at this status: {', '.join(_EVERY_STATUS)} (default: a final one).", "STATUS"
    ),
    timeout: float = option(
        "Give up after SECONDS, with exit status 1.", "SECONDS", parser=number(), default=300
    ),
) -> None:
    """Show each change of a request's status as it happens.

    ID is the id of the payment request. With --json: the whole record, a line a change. The exit
    status is 0 at a final status; with --until, 1 at a final status that is another one.
    """
    with session.client() as victor, show_notices(lambda text: complain(f"Still watching: {text}")):
        status = cast("victor_ext.Status | None", until)  # the client checks it
        for request in victor.payment_requests.watch(request_id, until=status, timeout=timeout):
            change = _view.change(request, datetime.now(UTC))
            say(request.to_dict() if session.as_json else change)


def _show(
    session: Session,
    request: PaymentRequest,
    victor: Victor | None = None,
    recovery: Recovery | None = None,
) -> None:
    """Print a payment request.

    After a write, `victor` is the client, whose environment is shown too, and `recovery` is what
    settles the write if the output is lost. After a read, both are None.
    """
    with session.report_failures(recovery, request):
        if session.as_json:
            say(request.to_dict())
            return
        environment = None if victor is None else session.environment_text(victor)
        say(*_view.full(request, environment))


def _check_create(arguments: dict[str, Any], now: datetime, *, is_first_run: bool) -> None:
    """Raise `InvalidRequest` with all problems of a create, those of its due date at `now` among
    them.

    The client leaves out the problems of the due date, because the call has a key: a repeat may
    come on a later day, when the due date is past. A due date that is too far ahead today was so in
    the first run, too.
    """
    try:
        victor_ext.check_payment_request(**arguments, now=now)
    except victor_ext.InvalidRequest as error:
        problems = error.problems
        if not is_first_run:
            problems = [problem for problem in problems if problem.code != "past"]
        if problems:
            raise victor_ext.InvalidRequest.of(problems, doing="The payment request") from None


def _search_command(session: Session, reference: str | None, *, is_first_run: bool) -> list[str]:
    """Return the command that lists what a create may have made, in this run or, unless this is the
    first one, in an earlier run with the same key. `reference` is that of the create.
    """
    age = timedelta(minutes=5) if is_first_run else timedelta(days=1)
    start = f"{datetime.now(UTC) - age:%Y-%m-%dT%H:%M:%SZ}"
    search = ["list", "--direction", "outbound"]
    if reference is not None:
        search = ["find", reference]
    connection = session.connection_words(as_json=session.as_json)
    return ["victor", "rfp", *search, "--start-datetime", start, *connection]


def _response_recovery(request_id: str, session: Session) -> Recovery:
    """Return how to see whether a request was accepted or declined: neither is sent twice."""
    get = ["victor", "rfp", "get", request_id]
    return Recovery(
        advice=ONLY_READS,
        command=[*get, *session.connection_words(as_json=session.as_json)],
        look=[*get, *session.connection_words()],
    )
