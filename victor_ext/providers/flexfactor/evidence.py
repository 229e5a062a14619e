"""What makes a response of FlexFactor a success: `Result`, of which each row of the table has one.

After it come the reasons why a body is not the result of its call (`Lack`).
"""

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any

import httpx

from victor_ext.runtime.core.json_values import no_object_reason, object_of
from victor_ext.runtime.loop.evidence import Problems, document_complaint, said_members

from . import responses
from .order_pages import is_order, orders_page
from .responses import Says, error_status, member, names_order, status_of

Lack = Callable[[dict[str, Any], Says], str | None]
"""Why a body, which says this of its call, is not the result of the call; None: it is."""


def no_result(_body: dict[str, Any], meaning: Says) -> str | None:
    return "its body states no result" if meaning is Says.NOTHING else None


def no_page(body: dict[str, Any], _meaning: Says) -> str | None:
    page = orders_page(body)
    if page is None:
        return "its body is not a page of orders"
    if not page.orders and error_status(body):
        # An empty page would be taken for the end of the list.
        return "its page is empty, and reports an error"
    return None


def no_order(body: dict[str, Any], _meaning: Says) -> str | None:
    return None if is_order(body) else "its body is not an order"


def no_decision(body: dict[str, Any], _meaning: Says) -> str | None:
    return None if status_of(body) else "its body has no decision"


def no_copy(body: dict[str, Any], meaning: Says) -> str | None:
    """Why a body does not say that the copy of a transaction was accepted: the id of the copy says
    so without a word.
    """
    has_id = member(body, "transmitId") not in (None, "")
    return None if has_id else no_result(body, meaning)


def no_cancellation(body: dict[str, Any], meaning: Says) -> str | None:
    """Why a body does not say that an order is cancelled.

    An empty object is documented: `orders.cancel` reads the order then.
    """
    if not body or names_order(body):
        return None
    return no_result(body, meaning)


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
    lack: Lack = no_result
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
        if reason or not is_empty:
            return reason
        return document_complaint(response, problems, may_be_empty=True)

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
