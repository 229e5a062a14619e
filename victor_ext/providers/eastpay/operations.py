"""What each operation of the gateway is: the table that the attempt loop asks, and the format of
errors.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import httpx

from victor_ext.errors import Problem
from victor_ext.ids import is_same_id, reference_of
from victor_ext.money import from_wire
from victor_ext.privacy import PrivateTexts, one_line, redact_code, redact_excerpt
from victor_ext.runtime.client.records import as_timestamp
from victor_ext.runtime.core import comparing
from victor_ext.runtime.core.comparing import (
    Comparer,
    Likeness,
    Values,
    as_id,
    first_that_is,
)
from victor_ext.runtime.core.json_values import (
    is_object,
    list_or_empty,
    no_object_reason,
    object_of,
    object_or_empty,
    text_or_empty,
)
from victor_ext.runtime.loop.behaviour import Behaviour
from victor_ext.runtime.loop.conflicts import is_about_earlier
from victor_ext.runtime.loop.evidence import (
    ListPage,
    Members,
    Problems,
    reports_error,
    said_members,
)
from victor_ext.runtime.loop.idempotency_keys import NoKey
from victor_ext.runtime.loop.operations import (
    AskedPayment,
    Done,
    Effect,
    Finding,
    Follow,
    Operation,
    Operations,
    Proof,
    Repeats,
    RepeatsId,
    id_in_path,
)
from victor_ext.runtime.loop.resending import asked_url

from .checks import ID
from .result_codes import Rejection, ResultClass, ResultCode

_CONTRADICTION = "its result code says that it succeeded"
_NO_MESSAGE = "the gateway gave no message"
_LISTS = ("payments", "records")
_PUBLIC = frozenset(
    {
        "entityId",
        "entityType",
        "amount",
        "currency",
        "paymentType",
        "paymentBrand",
        "merchantTransactionId",
        "originalTransactionId",
        "notificationUrl",
        "shopperResultUrl",
        "merchant.id",
        "checkoutType",
        "checkoutId",
        "card.expiryMonth",
        "card.expiryYear",
    }
)
"""What a form has that names no person.

No message repeats the rest, which includes a caller's further parameters.
"""
_REPEATED: dict[str, Comparer] = {
    **dict.fromkeys(("merchantTransactionId", "entityId"), comparing.same_id),
    **dict.fromkeys(("paymentType", "currency"), comparing.same_word),
}  # fmt: skip
"""What a response may repeat of the form, beside the amount: it is then that of the payment that
was asked for.
"""


def behaviour_of(base_url: httpx.URL, *, found_by_reference: bool) -> Behaviour:
    """The gateway's behaviour at one bank.

    No operation takes a key: no write that may have been done is repeated.
    """
    rows = operations_of(found_by_reference=found_by_reference)
    return Behaviour(
        name="EastPay",
        environment=str(base_url),
        operations=Operations(rows, base_url, NoKey(), results=may_be_result),
        resent_redirects=frozenset({307}),
        problems=read_problems,
        # "401 invalid authorization header provided", "403 invalid access token provided"
        refused_credentials=frozenset({401, 403}),
        authentication_hint=(
            "The token is fixed: check it in the bank's back office (account data, merchant or "
            "channel), and that it belongs to this host."
        ),
    )


_FOLLOW = Follow(
    lambda eastpay, _call, id: eastpay.payments.inquire(id),
    {ResultClass.SUCCEEDED.value, ResultClass.REJECTED.value},
    lambda payment: (
        payment.result.kind.value
    ),  # the code of the same result may change, and its kind may not
)


def operations_of(*, found_by_reference: bool) -> Mapping[str, Operation]:
    """The table of a gateway; `found_by_reference`: whether its bank says that it answers
    `GET /v3/query`.
    """
    write = partial(
        Operation, shown=lambda response: not private_texts(response.request), said=_code_of
    )
    by_reference = Proof(_find, subject=reference_in) if found_by_reference else None
    pay = partial(
        write,
        effect=Effect.MOVES_MONEY,
        evidence=_no_result,
        repeats=_REPEATS,
        results=_is_result,
        proves_work=_names_payment,
        proof=by_reference,
        follow=_FOLLOW,
    )
    ask = partial(Operation, effect=Effect.READS, evidence=_no_result, results=_is_result)
    return {
        "POST /v3/payments": pay(
            payments=_asked, look_up=partial(_payment_hint, found_by_reference=found_by_reference)
        ),
        "POST /v3/payments/{}": pay(
            look_up=lambda step: (
                f"with payments.inquire({one_line(id_in_path(step))!r}), or {_office(step)}"
            )
        ),
        # `POST /v3/payments` responds with this id, too.
        "GET /v3/payments/{}": ask(
            id=RepeatsId("payment", "id", is_of_reads_alone=False),
            client_method="payments.inquire",
        ),
        "GET /v3/query": Operation(
            effect=Effect.READS,
            evidence=_PAGE,
            is_empty=_PAGE.is_empty,
            id=_another_reference,
            not_found="This does not prove that there is none: a gateway without this inquiry "
            "responds with 404, too.",
        ),
        "POST /v3/checkouts": write(
            effect=Effect.MAKES,
            evidence=Members(
                ("id",), "its body has no checkout id that can be used", _is_id, proof="id"
            ),
            proves_work=_names_checkout,
            look_up=lambda request: (
                f"{_office(request)} (a checkout that no shopper saw lapses after 15 minutes)"
            ),
        ),
        "GET /v3/checkouts/{}/payment": ask(client_method="checkouts.status"),
    }


def _is_page(body: dict[str, Any]) -> bool:
    """Whether a body is the result of an inquiry that found no payment: null in place of its list.

    Without that member it may be any response of the gateway: each has a result.
    """
    has_place = any(name in body for name in _LISTS)
    return has_place and code_in(body).succeeded and body.get("id") is None


_PAGE = ListPage(_LISTS, _is_page, "its body has no list of payments")

# The gateway answers 400 for a payment that was declined, and for a request that was wrong: its
# result code decides.


def _is_id(value: object) -> bool:
    return isinstance(value, str) and ID.fullmatch(value) is not None


def is_under_way(response: httpx.Response) -> bool:
    """Whether status 4xx comes with the code of a payment made, or may be.

    Success contradicts the status.
    """
    is_open = code_in(object_of(response)).kind in (
        ResultClass.SUCCEEDED,
        ResultClass.PENDING,
        ResultClass.REVIEW,
    )
    return is_open and 400 <= response.status_code < 500


def may_be_result(response: httpx.Response) -> bool:
    """Whether an error status of an operation without a row may come with a result: a code that
    rejects nothing.

    One that is not in EastPay's table is of class `UNKNOWN`: nothing says that it was not done.
    """
    body = object_of(response)
    code = code_in(body)
    is_open = (
        response.status_code == 400
        and code.is_code
        and not code.rejected
        and not parameter_errors(body)
    )
    return is_open or is_under_way(response)


def _is_result(response: httpx.Response) -> bool:
    """Whether a response with an error status says what became of a payment, and refuses neither
    request nor inquiry.

    A refusal that names no payment is one only of a write, with the code of a declined payment or
    none of EastPay's.
    """
    body = object_of(response)
    code = code_in(body)
    if (
        is_under_way(response)
        or response.status_code != 400
        or not code.code
        or parameter_errors(body)
    ):
        return is_under_way(response)
    if body.get("id") not in (None, "") or (code.is_code and not code.rejected):
        return True
    # What may be about an earlier payment is open, as in all systems: the error tells how to look.
    may_refuse = code.rejected and (
        code.rejection is not Rejection.DECLINED or is_about_earlier(description_in(body))
    )
    return response.request.method != "GET" and not may_refuse


def _no_result(response: httpx.Response, _problems: Problems) -> str | None:
    body, is_inquiry = object_of(response), response.request.method == "GET"
    code = code_in(body)
    if response.status_code >= 400 and code.succeeded:
        return _CONTRADICTION
    if code.rejected and is_inquiry and body.get("id") in (None, ""):
        return (
            "its code is a rejection without the id of a payment: it may reject the inquiry itself"
        )
    return no_object_reason(response) or (None if code.code else "its body has no result code")


def _repeated(response: httpx.Response) -> Values:
    """What a response repeats of a form: with another value it came late, or from a cache."""
    sent = dict(_form_of(response.request))
    return comparing.values(_kinds(sent), sent.get, object_of(response).get)


def _kinds(form: Mapping[str, str]) -> Mapping[str, Comparer]:
    """How each value is compared that a payment may repeat of its form."""
    read = partial(from_wire, currency=form.get("currency", ""))
    return _REPEATED | {"amount": comparing.same_amount(read)}


_REPEATS = Repeats("payment", _repeated)


def _another_reference(response: httpx.Response) -> str | None:
    body, asked = (
        object_of(response),
        asked_url(response.request).params.get("merchantTransactionId", ""),
    )
    found = (
        object_or_empty(payment) for name in _LISTS for payment in list_or_empty(body.get(name))
    )
    if all(
        reference_of(payment.get("merchantTransactionId")) == reference_of(asked)
        for payment in found
    ):
        return None
    return f"a payment in its body does not name merchantTransactionId {one_line(asked)!r}"


def _names_payment(response: httpx.Response) -> bool:
    """Whether a response has the id of a payment or a step that was made, whatever became of it,
    and refuses no parameter.

    Beside the id it has a result code of EastPay's table, or a value that was sent. A code that
    refuses the request, or may, is a refusal: so is one of a group that the table does not have,
    such as those of credentials and of too many requests, and words without a code. Of a step, a
    refusal may repeat the id in the path, and the values with it.
    """
    body = said_members(response)
    code, named = code_in(body), as_id(body.get("id")) or ""
    is_of_payment = code.rejection is Rejection.DECLINED and code.is_in_table
    is_refused = code.rejected and not is_of_payment
    if not named.strip() or is_refused or parameter_errors(body) or _complains(body):
        return False
    repeats_value = first_that_is(Likeness.SAME, _repeated(response)) is not None
    if is_same_id(named, id_in_path(response.request)):
        return repeats_value and not code.rejected
    return code.is_in_table or repeats_value


_WORDS = ("message", "error", "errors", "detail", "title", "description", "reason")


def _complains(body: dict[str, Any]) -> bool:
    """Whether a body says something beside a result, which is where the gateway says it."""
    return any(body.get(name) not in (None, "", [], {}) for name in _WORDS)


def _names_checkout(response: httpx.Response) -> bool:
    body = said_members(response)
    is_refused = code_in(body).rejected or bool(parameter_errors(body))
    complains = reports_error(response) or _complains(body)
    return _is_id(body.get("id")) and not is_refused and not complains


def _code_of(response: httpx.Response) -> str:
    return code_in(object_of(response)).code


def reference_in(request: httpx.Request) -> str:
    """The merchant's own reference of a payment or a step; empty without one."""
    return reference_of(dict(_form_of(request)).get("merchantTransactionId"))


def _asked(request: httpx.Request) -> list[AskedPayment]:
    form = dict(_form_of(request))
    amount, currency = from_wire(form.get("amount")), form.get("currency")
    if amount is None or not currency:
        return []
    return [AskedPayment(reference_in(request) or None, f"{amount:f}", currency)]


def _find(client: Any, call: Any, since: datetime, _given: Mapping[str, str]) -> Finding:
    """The one payment or step of its kind since then with its reference.

    One that was declined was made, too.
    """
    form = dict(parse_qsl(call.content.decode("ascii", "replace")))
    matches = yield partial(client.payments.find, form["merchantTransactionId"])
    same: list[Any] = []
    for match in matches:
        is_of_its_kind = match.payment_type in (form.get("paymentType"), "")
        created_at = as_timestamp(match.timestamp)
        if is_of_its_kind and (created_at is None or created_at >= since):
            same.append(match)
    if len(same) != 1:
        return (
            f"{len(same) or 'No'} payments of its kind have its merchantTransactionId since it "
            "may have been sent."
        )
    (match,) = same
    return Done(
        match.id or None,
        match.result.code,
        match.to_dict(),
        created_at=as_timestamp(match.timestamp),
        compared=_compared(form, match.to_dict()),
    )


_SAID_BY_ALL = ("paymentType", "amount", "currency", "merchantTransactionId")
"""What a payment has to say of its form, to be the one that was asked for; the other names of
`_REPEATED` may be left out."""


def _compared(form: Mapping[str, str], payment: Mapping[str, Any]) -> dict[str, Likeness]:
    compared = {
        name: comparing.likeness(compare, sent, received)
        for name, compare, sent, received in comparing.values(_kinds(form), form.get, payment.get)
    }
    return {
        name: is_like
        for name, is_like in compared.items()
        if is_like is not Likeness.UNSAID or name in _SAID_BY_ALL
    }


def _payment_hint(request: httpx.Request, *, found_by_reference: bool) -> str:
    reference = one_line(dict(_form_of(request)).get("merchantTransactionId", ""))
    by_id = "inquire(id) once its notification names the id"
    return (
        f"with payments.{f'find({reference!r})' if found_by_reference and reference else by_id}, "
        f"or {_office(request)}"
    )


def _office(request: httpx.Request) -> str:
    reference = one_line(dict(_form_of(request)).get("merchantTransactionId", ""))
    return (
        f"{f'for merchantTransactionId {reference!r} ' if reference else ''}in the bank's back "
        "office"
    )


def private_texts(request: httpx.Request) -> PrivateTexts:
    """What a form says of the card and of persons."""
    return PrivateTexts(value for name, value in _form_of(request) if name not in _PUBLIC)


def _form_of(request: httpx.Request) -> list[tuple[str, str]]:
    is_form = request.headers.get("content-type", "").startswith(
        "application/x-www-form-urlencoded"
    )
    return parse_qsl(request.content.decode("ascii", "replace")) if is_form else []


def code_in(body: dict[str, Any]) -> ResultCode:
    """The result code; an empty one without any."""
    return ResultCode.parse(object_or_empty(body.get("result")).get("code"))


def description_in(body: dict[str, Any]) -> str:
    """The gateway's words for the result code."""
    return text_or_empty(object_or_empty(body.get("result")).get("description"))


def parameter_errors(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The parameters that were refused.

    How they are written is not documented: in the result, or beside it.
    """
    errors: list[dict[str, Any]] = []
    for holder in (object_or_empty(body.get("result")), body):
        listed = filter(is_object, list_or_empty(holder.get("parameterErrors")))
        errors += filter(None, listed)
    return errors


def read_problems(response: httpx.Response) -> Sequence[Problem]:
    """The problems of a response: each refused parameter, else the result code with the gateway's
    words for it.

    With a good status, only refused parameters, the code of a rejection, and words without a code
    are problems. No value is repeated, nor data of the card or a person from the request.
    """
    body, private = object_of(response), private_texts(response.request)
    result = code_in(body)
    # A code repeats nothing private, although one of its groups may happen to be the CVV.
    code = redact_code(result.code if result.is_code else private.hide(result.code))
    problems: list[Problem] = []
    for error in parameter_errors(body):
        name = redact_excerpt(private.hide(text_or_empty(error.get("name"))))
        message = redact_excerpt(private.hide(text_or_empty(error.get("message"))))
        problems.append(Problem(name, code, message or _NO_MESSAGE, provider_field=name or None))
    description = description_in(body)
    # Words without a code say that it was not done as well as that it was: they are no evidence.
    if response.status_code < 400 and not result.rejected and (result.code or not description):
        return problems
    if result.succeeded:
        problems.append(Problem("", code, f"{_CONTRADICTION} ({code})"))
    if not problems and (code or description):
        message = redact_excerpt(private.hide(description)) or _NO_MESSAGE
        if result.rejected:
            message += f"; {code}: {result.meaning}"
        elif code:
            message += f" ({code})"
        problems.append(Problem("", code, message))
    return problems
