"""The calls of Velo's API that read the audit: lists, histories, numbers and the export."""

from __future__ import annotations

from victor_ext.sandbox.server import Call, JsonObject, Response, json_response
from victor_ext.sandbox.velo.accounts import Accounts
from victor_ext.sandbox.velo.audit import Audit
from victor_ext.sandbox.velo.formats import in_order, matches, page_of
from victor_ext.sandbox.velo.operations import AUDIT_FILTERS, NEWEST_FIRST, PAYOUT_FILTERS
from victor_ext.sandbox.velo.payouts import Payouts


class AuditCalls:
    """The part of Velo's provider that reads the audit."""

    payor_id: str
    accounts: Accounts
    _payouts: Payouts
    _audit: Audit

    def _payor_of(self, query: dict[str, str], *, required: bool) -> str:
        """The payor of a query."""
        raise NotImplementedError

    def _list_payments(self, call: Call) -> Response:
        query = call.query_values()
        payments = self._payouts.audit(self._payor_of(query, required=True))
        found = self._in_window([one for one in payments if _passes(one, query)], query)
        return json_response(200, page_of(in_order(found, query.get("sort"), NEWEST_FIRST), query))

    @staticmethod
    def _in_window(items: list[JsonObject], query: dict[str, str]) -> list[JsonObject]:
        first, last = query.get("submittedDateFrom", "0"), query.get("submittedDateTo", "9")
        return [one for one in items if first <= one["submittedDateTime"][:10] <= last]

    def _get_payment(self, call: Call) -> Response:
        return json_response(200, self._audit.payment(self.payor_id, call.params["payment_id"]))

    def _export(self, call: Call) -> Response:
        query = call.query_values()
        payor_id = self._payor_of(query, required=False)
        text = self._audit.export(payor_id, query.get("startDate", "0"), query.get("endDate", "9"))
        return Response(200, text.encode("utf-8"), ((b"content-type", b"application/csv"),))

    def _list_payouts(self, call: Call) -> Response:
        query = call.query_values()
        payouts = self._audit.payouts(self._payor_of(query, required=False))
        memo = query.get("payoutMemo", "").casefold()
        found = [one for one in payouts if matches(one, query, PAYOUT_FILTERS)]
        found = self._in_window([one for one in found if memo in (one["payoutMemo"] or "").casefold()], query)
        return json_response(200, page_of(in_order(found, query.get("sort"), "submittedDateTime:asc"), query))

    def _payout_history(self, call: Call) -> Response:
        query, payout_id = call.query_values(), call.params["payout_id"]
        summary = self._audit.history(payout_id)
        payments = [one for one in self._payouts.audit(self.payor_id) if one["payout"]["payoutId"] == payout_id]
        found = self._in_window([one for one in payments if _passes(one, query)], query)
        page = page_of(in_order(found, query.get("sort"), "remoteId:asc"), query)
        return json_response(200, {"summary": summary, **page})

    def _statistics(self, call: Call) -> Response:
        return json_response(200, self._audit.statistics(self._payor_of(call.query_values(), required=False)))

    def _list_fundings(self, call: Call) -> Response:
        query = call.query_values()
        fundings = self.accounts.audit(self._payor_of(query, required=True))
        found = [one for one in fundings if matches(one, query, {"sourceAccountName": "sourceAccountName"})]
        return json_response(200, page_of(in_order(found, query.get("sort"), "dateTime"), query))


def _passes(payment: JsonObject, query: dict[str, str]) -> bool:
    """Whether a payment passes the filters. Those by schedule, exchange and payor's name pass all: nothing has them."""
    amounts = ("sourceAmount", "paymentAmount")
    return matches(payment, query, AUDIT_FILTERS) and all(
        int(query.get(f"{name}From", 0)) <= payment[name] <= int(query.get(f"{name}To", 2**63)) for name in amounts
    )
