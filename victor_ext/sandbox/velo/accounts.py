"""Source accounts, funding accounts, and the money between them."""

from __future__ import annotations

from victor_ext.sandbox.server import JsonObject, find
from victor_ext.sandbox.velo.base import Base, Refused, amount_of, iso, text_of

_FUNDING_TIME = 10.0
"""Seconds until requested money has arrived."""


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
            "id": account_id, "payorId": self._base.payor_id, "name": name, "currency": currency, "country": "US",
            "type": "FBO", "accountName": name, "accountNumber": "XXXXX6789", "routingNumber": "XXXXX0021",
        }  # fmt: skip
        self.banks[account_id] = bank
        return bank

    def create_bank(self, body: JsonObject) -> tuple[str, list[str]]:
        """Add a funding account that can be read later; returns its address, and its name."""
        text_of(body, "type", 1, 40)
        made = self.add_bank(text_of(body, "name", 3, 30), body.get("currency", ""))
        made["type"] = body["type"]
        self._ready[made["id"]] = self._now() + self._base.settings.retry_after
        return f"/v2/fundingAccounts/{made['id']}", [made["name"]]

    def readable_banks(self) -> dict[str, JsonObject]:
        return {name: bank for name, bank in self.banks.items() if self._now() >= self._ready.get(name, 0.0)}

    def source(self, account_id: str) -> JsonObject:
        return find(self.sources, account_id, "source account")

    def fund(self, account_id: str, body: JsonObject) -> tuple[str, list[str]]:
        """Request money; returns the address of the funding, and the account."""
        account = self.source(account_id)
        amount = amount_of(body, "amount", 9_999_999_999)
        if body.get("fundingAccountId") not in self.banks:
            raise Refused(400, "There is no such funding account.", "fundingAccountId")
        funding_id = self._new_id()
        self.fundings[funding_id] = {
            "fundingId": funding_id,
            "payorId": self._base.payor_id,
            "sourceAccountId": account_id,
            "amount": amount,
            "currency": account["currency"],
            "status": "PENDING",
            "allocationType": "AUTOMATIC",
            "fundingAccountType": "FBO",
        }
        self._ready[funding_id] = self._now() + _FUNDING_TIME
        self._base.touch(funding_id)
        return f"/v1/fundings/{funding_id}", [account_id]

    def move(self) -> int:
        pending = [one for one in self.fundings.values() if one["status"] == "PENDING"]
        due = [one for one in pending if self._now() >= self._ready[one["fundingId"]]]
        for funding in due:
            funding["status"], funding["allocationDate"] = "ALLOCATED", iso(self._now())
            self._base.touch(funding["fundingId"])
            self.sources[funding["sourceAccountId"]]["balance"] += funding["amount"]
        return len(due)

    def audit(self) -> list[JsonObject]:
        return [self._audited(one, iso(self._base.changed[one["fundingId"]])) for one in self.fundings.values()]

    def _audited(self, funding: JsonObject, changed: str) -> JsonObject:
        event = {"eventId": f"{funding['fundingId'][:-1]}0", "eventDateTime": changed}
        return {
            "amount": funding["amount"],
            "currency": funding["currency"],
            "dateTime": changed,
            "status": "PENDING" if funding["status"] == "PENDING" else "CREDIT",
            "sourceAccountName": self.sources[funding["sourceAccountId"]]["name"],
            "fundingType": "ACH",
            "topupType": "MANUAL",
            "events": [{**event, "fundingEventType": "PAYOR_FUNDING_REQUESTED"}],
        }

    def changes(self) -> list[JsonObject]:
        names = ("fundingId", "amount", "currency", "status")
        return [{name: one[name] for name in names} for one in self.fundings.values()]
