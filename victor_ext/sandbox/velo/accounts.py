"""Whom is paid, and from what: payees and their batches; source and funding accounts, and the money
between them.
"""

from functools import partial

from victor_ext.sandbox.server import JsonObject, find
from victor_ext.sandbox.velo.base import Asked, Base, Refused, iso
from victor_ext.sandbox.velo.notifications import DETAILS, ONBOARDING, notify_of_payee

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

    def create_bank(self, body: JsonObject) -> tuple[str, list[str]]:
        """Add a funding account that can be read later; returns its address, and its name."""
        made = self.add_bank(body["name"], body.get("currency", ""))
        made.update({**body, **made, "type": body["type"]})
        self._ready[made["id"]] = self._now() + READY_AFTER
        return f"/v2/fundingAccounts/{made['id']}", [made["name"]]

    def readable_banks(self) -> dict[str, JsonObject]:
        return {
            name: bank
            for name, bank in self.banks.items()
            if self._now() >= self._ready.get(name, 0.0)
        }

    def source(self, account_id: str) -> JsonObject:
        return find(self.sources, account_id, "source account")

    def fund(self, asked: Asked) -> tuple[str, list[str]]:
        """Request money; returns the address of the funding, and the account."""
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
        return f"/v1/fundings/{funding_id}", [account_id]

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


class Payees:
    def __init__(self, base: Base) -> None:
        self._base = base
        self._now, self._new_id = base.now, base.new_id
        self.all: dict[str, JsonObject] = {}
        self._batches: dict[str, list[JsonObject]] = {}
        """What was refused of each."""

    def by_remote_id(self, remote_id: str) -> JsonObject | None:
        return next(
            (
                payee
                for payee in self.all.values()
                if payee["payorRefs"][0]["remoteId"] == remote_id
            ),
            None,
        )

    def add(self, given: JsonObject) -> JsonObject:
        payee_id = self._new_id()
        ref = {"payorId": self._base.payor_id, "remoteId": given["remoteId"], "payableStatus": True}
        ref["invitationStatus"] = "PENDING"
        payee: JsonObject = {
            **given,
            "payeeId": payee_id,
            "payorRefs": [ref],
            "email": given.get("email"),
            "onboardedStatus": "CREATED",
            "watchlistStatus": "PENDING",
            "language": given.get("language", "en"),
            "created": self._base.timestamp(),
            "country": given.get("address", {}).get("country", "US"),
            "displayName": _display_name(given),
            "payeeType": given.get("type", "Individual"),
            "disabled": False,
        }
        self.all[payee_id] = payee
        self._base.touch(payee_id)
        return payee

    def create(self, body: JsonObject) -> tuple[str, list[str]]:
        """Make a batch of new payees; returns its address, and the remote ids of the payees that
        were made.
        """
        items: list[JsonObject] = body["payees"]
        failures: list[JsonObject] = []
        made: list[str] = []
        for item in items:
            if self.by_remote_id(item["remoteId"]) is None:
                self.add(item)
                made.append(item["remoteId"])
            else:
                failures.append(
                    {"failedSubmission": item, "failureMessage": "This remoteId exists already."}
                )
        batch_id = self._new_id()
        self._batches[batch_id] = failures
        return f"/v4/payees/batch/{batch_id}", made

    def update(self, asked: Asked) -> None:
        payee, body = find(self.all, asked.about, "payee"), asked.body
        if payee["onboardedStatus"] == "ONBOARDED":
            raise Refused(400, "The payee has onboarded, and changes its details itself.")
        payee.update(body)
        if body.get("individual") or body.get("company"):
            payee["displayName"] = _display_name(body)
        payee["country"] = body.get("address", payee)["country"]
        self._base.touch(asked.about)
        notify_of_payee(self._base, asked.about, DETAILS)

    def rename(self, asked: Asked) -> None:
        payee, remote_id = find(self.all, asked.about, "payee"), asked.body["remoteId"]
        other = self.by_remote_id(remote_id)
        if other is not None and other is not payee:
            raise Refused(409, "Another payee has this remoteId.", "remoteId")
        payee["payorRefs"][0]["remoteId"] = remote_id
        self._base.touch(asked.about)
        notify_of_payee(self._base, asked.about, DETAILS)

    def invite(self, payee_id: str) -> None:
        status = find(self.all, payee_id, "payee")["payorRefs"][0]["invitationStatus"]
        if status != "PENDING":
            raise Refused(409, f"The invitation is {status}.")

    def delete(self, payee_id: str) -> None:
        payee = find(self.all, payee_id, "payee")
        if payee["onboardedStatus"] != "ONBOARDED":
            raise Refused(400, "The payee has not onboarded.")
        del self.all[payee_id]

    def onboard(self, payee_id: str) -> None:
        payee = find(self.all, payee_id, "payee")
        payee["onboardedStatus"], payee["payorRefs"][0]["invitationStatus"] = (
            "ONBOARDED",
            "ACCEPTED",
        )
        self._base.touch(payee_id)
        notify_of_payee(self._base, payee_id, ONBOARDING)

    def listed(self) -> list[JsonObject]:
        """The payees, with what they are to the payor beside it."""
        return [
            {**one, **one["payorRefs"][0], "payeeCountry": one["country"]}
            for one in self.all.values()
        ]

    def batch(self, batch_id: str) -> JsonObject:
        failures = find(self._batches, batch_id, "batch")
        return {
            "status": "ACCEPTED",
            "failureCount": len(failures),
            "pendingCount": 0,
            "failures": failures,
        }


def _display_name(given: JsonObject) -> str:
    name = given.get("individual", {}).get("name", {})
    firm = given.get("company", {}).get("name")
    return str(firm) if firm else f"{name.get('lastName', '')}, {name.get('firstName', '')}"
