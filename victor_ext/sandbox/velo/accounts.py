"""What is paid from: source and funding accounts, and the money between them."""

from dataclasses import replace
from functools import partial

from victor_ext.sandbox.engine import Asked, Refused, Result
from victor_ext.sandbox.server import JsonObject, find
from victor_ext.sandbox.velo.base import Base, iso, made_at

_FUNDING_TIME = 10.0
"""Seconds until requested money has arrived."""
_REQUESTED = "PAYOR_FUNDING_REQUESTED"
READY_AFTER = 2
"""Seconds until a new funding account can be read, as `Retry-After` says."""


class Accounts:
    def __init__(self, base: Base) -> None:
        self._base = base
        self._now, self._new_id = base.now, base.new_id
        self.sources: dict[str, JsonObject] = {}
        self.banks: dict[str, JsonObject] = {}
        self.fundings: dict[str, JsonObject] = {}
        self._ready: dict[str, float] = {}

    def add_source(self, name: str, currency: str, balance: int) -> JsonObject:
        account_id = self._new_id()
        account: JsonObject = {
            "id": account_id, "name": name, "payorId": self._base.payor_id, "balance": balance,
            "currency": currency, "country": "US", "type": "FBO", "railsId": "SANDBOX",
            "fundingRef": f"REF{len(self.sources) + 1}", "pooled": False,
        }  # fmt: skip
        self.sources[account_id] = account
        return account

    def add_bank(self, name: str, currency: str) -> JsonObject:
        """Add a funding account that can be read at once."""
        account_id = self._new_id()
        bank: JsonObject = {
            "id": account_id,
            "payorId": self._base.payor_id,
            "name": name,
            "currency": currency,
            "country": "US",
            "type": "FBO",
            "accountName": name,
            "accountNumber": "XXXXX6789",
            "routingNumber": "XXXXX0021",
        }
        self.banks[account_id] = bank
        return bank

    def create_bank(self, asked: Asked) -> Result:
        """Add a funding account that can be read later."""
        body = asked.body
        made = self.add_bank(body["name"], body.get("currency", ""))
        made.update({**body, **made, "type": body["type"]})
        self._ready[made["id"]] = self._now() + READY_AFTER
        answer = made_at(f"/v2/fundingAccounts/{made['id']}", made["name"])
        return replace(answer, headers={**answer.headers, "Retry-After": str(READY_AFTER)})

    def readable_banks(self) -> dict[str, JsonObject]:
        return {
            name: bank
            for name, bank in self.banks.items()
            if self._now() >= self._ready.get(name, 0.0)
        }

    def bank(self, account_id: str) -> JsonObject:
        return find(self.readable_banks(), account_id, "funding account")

    def funding(self, funding_id: str) -> JsonObject:
        return find(self.fundings, funding_id, "funding")

    def source(self, account_id: str) -> JsonObject:
        return find(self.sources, account_id, "source account")

    def fund(self, asked: Asked) -> Result:
        """Request money."""
        account_id, body = asked.about, asked.body
        account = self.source(account_id)
        bank = self.banks.get(body["fundingAccountId"])
        if bank is None:
            raise Refused(400, "There is no such funding account.", "fundingAccountId")
        # The sandbox's own rule. The document has no rate for funding, and no currency beside the
        # amount. A funding account may be made without a currency.
        if bank["currency"] not in ("", account["currency"]):
            currencies = f"{account['currency']}, the funding account's {bank['currency']}"
            raise Refused(400, f"The account's currency is {currencies}.", "fundingAccountId")
        funding_id = self._new_id()
        self.fundings[funding_id] = {
            **body,
            "fundingId": funding_id,
            "payorId": self._base.payor_id,
            "sourceAccountId": account_id,
            "amount": body["amount"],
            "currency": account["currency"],
            "status": "PENDING",
            "allocationType": "AUTOMATIC",
            "fundingAccountType": "FBO",
        }
        self._base.timeline.plan(
            self._now() + _FUNDING_TIME, partial(self._allocate, self.fundings[funding_id])
        )
        self._base.touch(funding_id)
        return made_at(f"/v1/fundings/{funding_id}", account_id)

    def _allocate(self, funding: JsonObject) -> bool:
        """The money of a funding has arrived."""
        funding["status"], funding["allocationDate"] = "ALLOCATED", iso(self._now())
        self._base.touch(funding["fundingId"])
        self.sources[funding["sourceAccountId"]]["balance"] += funding["amount"]
        return True

    def audit(self) -> list[JsonObject]:
        return [
            {
                **one,
                "dateTime": (changed := iso(self._base.changed[one["fundingId"]])),
                "status": "PENDING" if one["status"] == "PENDING" else "CREDIT",
                "sourceAccountName": self.sources[one["sourceAccountId"]]["name"],
                "fundingType": "ACH",
                "topupType": "MANUAL",
                "events": [
                    {
                        "eventId": one["fundingId"],
                        "eventDateTime": changed,
                        "fundingEventType": _REQUESTED,
                    }
                ],
            }
            for one in self.fundings.values()
        ]
