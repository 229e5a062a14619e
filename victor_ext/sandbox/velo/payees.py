"""Who is paid: payees, and the batches that make them."""

from victor_ext.sandbox.engine import Asked, Refused, Result
from victor_ext.sandbox.server import JsonObject, find
from victor_ext.sandbox.velo.base import Base, made_at
from victor_ext.sandbox.velo.notifications import DETAILS, ONBOARDING, notify_of_payee


class Payees:
    def __init__(self, base: Base) -> None:
        self._base = base
        self._now, self._new_id = base.now, base.new_id
        self.all: dict[str, JsonObject] = {}
        self._batches: dict[str, list[JsonObject]] = {}
        """What was refused of each."""

    def get(self, payee_id: str) -> JsonObject:
        return find(self.all, payee_id, "payee")

    def by_remote_id(self, remote_id: str) -> JsonObject | None:
        return next(
            (
                payee
                for payee in self.all.values()
                if payee["payorRefs"][0]["remoteId"] == remote_id
            ),
            None,
        )

    def remote_ids(self) -> list[str]:
        return [payee["payorRefs"][0]["remoteId"] for payee in self.all.values()]

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

    def create(self, asked: Asked) -> Result:
        """Make a batch of new payees. The work is counted for the remote ids of those made."""
        items: list[JsonObject] = asked.body["payees"]
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
        return made_at(f"/v4/payees/batch/{batch_id}", *made)

    def update(self, asked: Asked) -> None:
        payee, body = self.get(asked.about), asked.body
        if payee["onboardedStatus"] == "ONBOARDED":
            raise Refused(400, "The payee has onboarded, and changes its details itself.")
        payee.update(body)
        if body.get("individual") or body.get("company"):
            payee["displayName"] = _display_name(body)
        payee["country"] = body.get("address", payee)["country"]
        self._base.touch(asked.about)
        notify_of_payee(self._base, asked.about, DETAILS)

    def rename(self, asked: Asked) -> None:
        payee, remote_id = self.get(asked.about), asked.body["remoteId"]
        other = self.by_remote_id(remote_id)
        if other is not None and other is not payee:
            raise Refused(409, "Another payee has this remoteId.", "remoteId")
        payee["payorRefs"][0]["remoteId"] = remote_id
        self._base.touch(asked.about)
        notify_of_payee(self._base, asked.about, DETAILS)

    def invite(self, payee_id: str) -> None:
        status = self.get(payee_id)["payorRefs"][0]["invitationStatus"]
        if status != "PENDING":
            raise Refused(409, f"The invitation is {status}.")

    def delete(self, payee_id: str) -> None:
        payee = self.get(payee_id)
        if payee["onboardedStatus"] != "ONBOARDED":
            raise Refused(400, "The payee has not onboarded.")
        del self.all[payee_id]

    def onboard(self, payee_id: str) -> None:
        payee = self.get(payee_id)
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
