"""What each operation of FlexFactor is, for the attempt loop: its table, and the format of
errors.
"""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

import httpx

from victor_ext.books import in_major_units
from victor_ext.errors import Problem, VictorError
from victor_ext.ids import reference_of
from victor_ext.privacy import (
    HIDDEN,
    PrivateTexts,
    is_code,
    mask,
    redact_code,
    redact_excerpt,
    texts_within,
)
from victor_ext.runtime.core import comparing
from victor_ext.runtime.core.comparing import Comparer, Values
from victor_ext.runtime.core.json_values import (
    is_list,
    is_object,
    json_of,
    no_object_reason,
    object_of,
    object_or_empty,
    text_or_empty,
)
from victor_ext.runtime.core.response import OPERATION
from victor_ext.runtime.loop import operations
from victor_ext.runtime.loop.behaviour import Behaviour
from victor_ext.runtime.loop.evidence import Problems, document_complaint, said_members
from victor_ext.runtime.loop.idempotency_keys import TAKEN, BodyKey
from victor_ext.runtime.loop.operations import (
    AskedPayment,
    Effect,
    Follow,
    Operation,
    Operations,
    Repeats,
    Shown,
    id_in_path,
)

from . import responses
from .responses import (
    CODES,
    SENTENCES,
    Says,
    code_in,
    error_in_words,
    error_status,
    member,
    split_code,
)

Lack = Callable[[dict[str, Any], Says], str | None]


def _no_result(_body: dict[str, Any], meaning: Says) -> str | None:
    return "its body states no result" if meaning is Says.NOTHING else None


def _no_page(body: dict[str, Any], _meaning: Says) -> str | None:
    page = responses.page_of(body)
    if page is None:
        return "its body is not a page of orders"
    # An empty page would be taken for the end.
    return "its page is empty, and reports an error" if not page[0] and error_status(body) else None


def _is_empty(response: httpx.Response) -> bool:
    page = responses.page_of(object_of(response))
    return page is not None and not page[0]


@dataclass(frozen=True, slots=True)
class Result:
    """Evidence of a JSON object that says yes, and has the result of the call.

    Attributes:
        says: What a body says of the call.
        lack: Why a body that says neither no nor "not yet" is not the result, or None.
        may_be_empty: Whether the response may have no body, or only what the document declares for
            its status.
        leads_to: The states to which the call leads, in capitals. None: any, because it makes the
            order that has them.
    """

    says: Callable[[dict[str, Any]], Says]
    lack: Lack = _no_result
    may_be_empty: bool = False
    leads_to: Container[str] | None = None

    def __call__(self, response: httpx.Response, problems: Problems) -> str | None:
        if self.may_be_empty and not response.content:
            return None
        body = object_of(response)
        meaning = self.says(body)
        if meaning in (Says.BOTH, Says.NOT_YET):
            what = "contradicts itself" if meaning is Says.BOTH else "does not say that it is done"
            return f"its body {what} ({responses.in_words(body)})"
        reason = no_object_reason(response) or self.lack(body, meaning)
        is_empty = self.may_be_empty and meaning is Says.NOTHING
        return reason or (document_complaint(response, problems) if is_empty else None)

    def was_reached(self, response: httpx.Response) -> bool:
        """Whether a body says, under any status, that the call was done or is under way.

        `success` says so, if it is true. So does an order that is named beside its state. A refusal
        of a step tells the state of its order, too: only a state to which the step leads counts,
        and no words may be beside it.
        """
        body = said_members(response)
        meaning, success = self.says(body), responses.success_of(body)
        if success is False or meaning is Says.NO or self.lack(body, meaning) is not None:
            return False
        if success is True:
            return True
        is_state_of_call = self.leads_to is None or (
            responses.status_of(body) in self.leads_to and not responses.has_words(body)
        )
        return meaning is Says.YES and responses.names_order(body) and is_state_of_call

    def refusal(self, response: httpx.Response) -> str | None:
        """The words of a body that says no, or None."""
        body = object_of(response)
        return responses.in_words(body) if self.says(body) is Says.NO else None


_REPEATED: dict[str, Comparer] = {
    **dict.fromkeys(("idempotencyKey", "mid", "senseKey"), comparing.same_id),
    "currency": comparing.same_word,
}
"""What a response may repeat of the request.

Amounts are no evidence: the unit differs between operations.
"""


def _repeated(response: httpx.Response) -> Values:
    request, body = object_of(response.request), object_of(response)
    # The currency is that of the transaction, of the capture, or of a refund, whose amount is in
    # dollars.
    dollars = None if member(request, "amountToRefund") is None else {"currency": "USD"}
    sent = (request, dollars or object_or_empty(member(request, "transaction")))

    def first(name: str) -> str | None:
        return next(filter(None, (comparing.as_id(member(part, name)) for part in sent)), None)

    return comparing.values(_REPEATED, first, lambda name: member(body, name))


_REPEATS = Repeats("call", _repeated)


def _other_order(asked: Callable[[httpx.Request], object], *names: str) -> operations.Says:
    """How a body is about another order than the one with this id; the first of these members with
    one counts.
    """

    def mismatch(response: httpx.Response) -> str | None:
        body, wanted = object_of(response), asked(response.request)
        named = next((value for name in names if (value := member(body, name)) is not None), None)
        return (
            comparing.about_another(wanted, named, "order")
            if isinstance(wanted, str) and wanted
            else None
        )

    return mismatch


def _is_refusal(response: httpx.Response) -> bool:
    return responses.status_of(object_of(response)) in responses.REFUSALS


def _made(response: httpx.Response) -> str | None:
    body = object_of(response)
    return next(
        filter(None, (text_or_empty(member(body, name)) for name in ("orderId", "transmitId"))),
        None,
    )


def _captured(response: httpx.Response) -> str | None:
    """The order, which the request names and the response may not."""
    return _made(response) or text_or_empty(member(object_of(response.request), "orderId"))


def _row(
    effect: Effect, result: Result, made: operations.Says = _made, **columns: Any
) -> Operation:
    def said(response: httpx.Response) -> str:
        return responses.status_of(object_of(response))

    return Operation(
        effect=effect,
        evidence=result,
        refuses=result.refusal,
        proves_work=result.was_reached,
        repeats=_REPEATS,
        made=made,
        said=said,
        **columns,
    )


_TOKEN, _PAGE = Result(responses.says_read), Result(responses.says_read, _no_page)
_ORDER = Result(
    responses.says_order,
    lambda body, _: None if responses.is_order(body) else "its body is not an order",
)
_DECISION = Result(
    responses.says_decided,
    lambda body, _: None if responses.status_of(body) else "its body has no decision",
)
_COPY = Result(
    responses.says,
    lambda body, said: _no_result(body, said) if member(body, "transmitId") in (None, "") else None,
)
_CAPTURED = Result(partial(responses.says, at_once=True), leads_to={"CAPTURED"})
_REFUNDED = Result(partial(responses.says, at_once=True), leads_to={"REFUNDED"})
_CANCELLED = Result(  # an empty object is documented: `orders.cancel` reads the order then
    responses.says_cancelled,
    lambda body, said: _no_result(body, said) if body and not responses.names_order(body) else None,
    may_be_empty=True,
    leads_to={"CANCELLED", "CANCELED"},
)

_OF_PATH = _other_order(partial(id_in_path, after=1), "orderId")
_OF_BODY = _other_order(lambda request: member(object_of(request), "orderId"), "orderId")
_BY_ID = "with orders.get(order_id)"


def _order_until(*words: str) -> Follow:
    """An order is read until its state has one of these names, or one that no state follows."""
    ended = {"CANCELLED", "COMPLETED", "RETURNED", *words}
    return Follow(lambda client, _call, id: client.orders.get(id), ended, _state_name)


def _state_name(order: Any) -> str | None:
    name: str | None = getattr(order.status, "name", order.status_name)
    return name


TOKEN_PATH = "/v1/oauth2/token"  # noqa: S105 - a path, not a secret


def _asked(request: httpx.Request) -> list[AskedPayment]:
    body = object_of(request)
    transaction = object_or_empty(body.get("transaction"))
    currency = transaction.get("currency")
    amount = in_major_units(transaction.get("amount"), currency)
    reference = reference_of(body.get("orderId")) or None
    return [] if amount is None else [AskedPayment(reference, amount, str(currency))]


TOKEN = replace(operations.TOKEN, evidence=_TOKEN, refuses=_TOKEN.refusal)
# The client's methods make a key (a GUID) where none is given. A body that was made by hand is not
# changed.
OPERATIONS: Mapping[str, Operation] = {
    f"POST {TOKEN_PATH}": TOKEN,
    "POST /v1/evaluate": _row(
        Effect.MOVES_MONEY,
        _DECISION,
        payments=_asked,
        key=TAKEN,
        look_up="with orders.list(), or stop it with orders.external_cancel(order_id)",
        may_list_errors=_is_refusal,
        shown=Shown.UNSENT,
        follow=_order_until("CAPTUREREQUIRED"),  # which goes on by a capture
    ),
    "POST /v1/capture": _row(
        Effect.MOVES_MONEY,
        _CAPTURED,
        _captured,
        key=TAKEN,
        id=_OF_BODY,
        look_up=_BY_ID,
        follow=_order_until(),
    ),
    "POST /v1/transmit": _row(
        Effect.MAKES, _COPY, look_up="in the merchant portal", shown=Shown.UNSENT
    ),
    "GET /v1/orders": _row(Effect.READS, _PAGE, is_empty=_is_empty),
    "GET /v1/orders/{}": _row(
        Effect.READS,
        _ORDER,
        id=_other_order(id_in_path, "id", "orderId"),
        client_method="orders.get",
    ),
    "POST /v1/orders/{}/refund": _row(
        Effect.MOVES_MONEY, _REFUNDED, id=_OF_PATH, look_up=_BY_ID, shown=Shown.UNSENT
    ),
    "POST /v1/orders/{}/cancel": _row(
        Effect.SETS, _CANCELLED, key=TAKEN, id=_OF_PATH, look_up=_BY_ID
    ),
    # By the merchant's id.
    "POST /v1/orders/{}/external-cancel": _row(
        Effect.SETS, _CANCELLED, key=TAKEN, look_up="with orders.list()"
    ),
}


def behaviour_of(place: str, base_url: httpx.URL, authentication_hint: str) -> Behaviour:
    key_place = BodyKey("idempotencyKey")
    return Behaviour(
        name="FlexFactor",
        environment=place,
        key_place=key_place,
        operations=Operations(OPERATIONS, base_url, key_place),
        # Its pages give status 409 both meanings. Only one that mentions the payload, and not
        # progress, is final.
        waits_for_conflicts=True,
        problems=read_problems,
        request_id_headers=("apigw-requestid", "x-request-id", "request-id", "x-correlation-id"),
        request_id_in_body=trace_id,
        authentication_hint=authentication_hint,
    )


# Errors. The provider's error bodies have several shapes:
#
# - ASP.NET's ProblemDetails: `{status, title, traceId, errors: {"Transaction.Amount": ["..."]}}`;
# - business errors: `errors: ["..."]`, or `errors: [{item1: message, item2, item3: code, item4}]`;
# - an object of fields with messages, and a `TraceId` among the fields;
# - none of these: a sentence in `responseMessage`, `result`, `title`, `detail` or `message`.

_NO_MESSAGE = "the provider gave no message"
_ITEM = ("item1", *SENTENCES)
_MOST_PROBLEMS = 1000


def trace_id(source: VictorError | httpx.Response) -> str | None:
    """The `traceId` in the body of a response, or of an error's response: the provider's support
    asks for it.
    """
    response = source.response if isinstance(source, VictorError) else source
    return (
        None if response is None else text_or_empty(member(object_of(response), "traceId")) or None
    )


def read_problems(response: httpx.Response) -> Sequence[Problem]:
    """The problems in a body that says no: at least one if it is a JSON object.

    None in a body that says yes.
    """
    body = object_of(response)
    row: Operation | None = response.request.extensions.get(OPERATION)
    meaning: Callable[[dict[str, Any]], Says] = responses.says
    if row is not None and isinstance(row.evidence, Result):
        meaning = row.evidence.says
    is_good_status = response.status_code < 400
    if is_good_status and meaning(body) in (Says.YES, Says.NOTHING):
        return ()
    private = _private_texts(response.request)
    if private:
        body = _without(body, private)
    status = error_status(body)
    if not status and is_good_status:
        status = error_in_words(body)
    status = status or response.status_code
    listed = problems_in(body, status)
    if listed or not body:
        return listed
    return (_problem("", _code(body), _first_text(body, *SENTENCES), status),)


def problems_in(body: dict[str, Any], status: int = 0) -> tuple[Problem, ...]:
    """What `errors` or `error` lists, or else the fields that hold messages.

    `status` is the HTTP status.
    """
    code = _code(body)
    default = code if split_code(code) else ""
    items = islice(_items_in(_errors_by_field(body, status), status), _MOST_PROBLEMS)
    return tuple(_problem(*item, status, default) for item in items)


def _errors_by_field(body: dict[str, Any], status: int) -> dict[str, Any]:
    """The errors that a body has, by the field that they are about; empty: they do not say."""
    errors = member(body, "errors")
    if errors is None:
        error = member(body, "error")
        errors = [error] if is_object(error) else None
    if is_object(errors):
        return errors
    if is_list(errors):
        return {"": errors}
    fields: dict[str, Any] = {}
    for name, value in body.items():
        if is_list(value) or code_in(name, status):
            fields[name] = [text for text in _listed(value) if isinstance(text, str)]
    return fields


def _items_in(errors: dict[str, Any], status: int) -> Iterator[tuple[str, str, str]]:
    for name, value in errors.items():
        for item in _listed(value):
            yield from _of_item(item, name, status)


def _listed(value: Any) -> list[Any]:
    return value if is_list(value) else [value]


def _of_item(item: object, field: str, status: int) -> Iterator[tuple[str, str, str]]:
    """The field, the code and the message of a problem, if it is one."""
    # in another field it may be an account number
    if is_code(item) and field.lower() in ("", *CODES):
        yield "", redact_code(item), ""
    elif isinstance(item, str) or code_in(item, status):
        yield field, "", str(item)
    elif is_object(item):
        yield field or _first_text(item, "field", "key"), _code(item), _first_text(item, *_ITEM)


def _first_text(body: dict[str, Any], *names: str) -> str:
    """The first text, or number that is a code of FlexFactor's own."""
    for name in names:
        value = member(body, name)
        text = str(value) if split_code(value) else text_or_empty(value)
        if text:
            return text
    return ""


def _code(body: dict[str, Any]) -> str:
    for name in CODES:
        code = member(body, name)
        if code is not None:
            return redact_code(code)
    status = member(body, "status")
    return redact_code("" if split_code(status) is None else status)


def _problem(field: str, code: str, message: str, status: int, default: str = "") -> Problem:
    """A problem; `Transaction.Amount` and `$.transaction.amount` as the wire spells it:
    `transaction.amount`.

    FlexFactor's own code is not masked, and is no field. `default` is that of all problems, for one
    without.
    """
    own = code_in(message, status)
    name = field.strip()
    if name and code_in(field, status) == name:
        field, code = "", code or name
    code = code or own or default
    text = ""
    if message.strip() != own:
        text = redact_excerpt(message).replace(mask(own), own)
    if not text:
        text = f"{_NO_MESSAGE} ({code})" if code else _NO_MESSAGE
    provider_field = redact_excerpt(field)
    parts = provider_field.removeprefix("$").removeprefix(".").split(".")
    return Problem(
        field=".".join(part[:1].lower() + part[1:] for part in parts),
        code=code,
        message=text,
        provider_field=provider_field or None,
    )


# Private data of a request, which a response may repeat.


_PUBLIC_NAMES = {
    "": "mid siteid orderid idempotencykey isdeclined ismit isrecurring expirydateutc "
    "amounttorefund",
    "transaction.": (
        "id timestamputc timezoneutcoffset transactiontype amount currency responsecode "
        "responsecodesource avsresultcode cvvresultcode cavvresultcode cardnotpresent"
    ),
    "orderitems.": "sku name amount quantity discountamount tax",
}
_PUBLIC = {part + name for part, names in _PUBLIC_NAMES.items() for name in names.split()}
"""Members of a request that say nothing about the payer, by their place in the body.

All others are private.
"""


def _private_texts(request: httpx.Request) -> PrivateTexts:
    """The payer's and card's data in a request, and members that the caller added."""
    row: Operation | None = request.extensions.get(OPERATION)
    if row is None or row.shown is not Shown.UNSENT:
        return PrivateTexts(())
    return PrivateTexts(
        texts_within(json_of(request), lambda place: place.lower() in _PUBLIC, numbers=True)
    )


def _without(value: Any, private: PrivateTexts) -> Any:
    if isinstance(value, str):
        return private.hide(value)
    if isinstance(value, int | float):
        digits = str(abs(value))  # a sign is no part of a word
        return HIDDEN if private.hide(digits) == HIDDEN else value
    if is_object(value):
        return {private.hide(name): _without(item, private) for name, item in value.items()}
    if is_list(value):
        return [_without(item, private) for item in value]
    return value
