"""Who is paid: payees, and the batches that make them."""

from victor_ext.sandbox.engine import Asked, Refused, Result
from victor_ext.sandbox.server import JsonObject, find
from victor_ext.sandbox.velo._notifications import DETAILS, ONBOARDING, notify_of_payee
from victor_ext.sandbox.velo._state import VeloState, made_at


def get_payee(state: VeloState, asked: Asked) -> JsonObject:
    return _payee(state, asked.about)


def _payee(state: VeloState, payee_id: str) -> JsonObject:
    return find(state.payees, payee_id, "payee")


def by_remote_id(state: VeloState, remote_id: str) -> JsonObject | None:
    for payee in state.payees.values():
        if payee["payorRefs"][0]["remoteId"] == remote_id:
            return payee
    return None


def add_payee(state: VeloState, given: JsonObject) -> JsonObject:
    payee_id = state.new_id()
    ref = {"payorId": state.payor_id, "remoteId": given["remoteId"], "payableStatus": True}
    payee: JsonObject = {
        **given,
        "payeeId": payee_id,
        "payorRefs": [{**ref, "invitationStatus": "PENDING"}],
        "email": given.get("email"),
        "onboardedStatus": "CREATED",
        "watchlistStatus": "PENDING",
        "language": given.get("language", "en"),
        "created": state.timestamp(),
        "country": given.get("address", {}).get("country", "US"),
        "displayName": _display_name(given),
        "payeeType": given.get("type", "Individual"),
        "disabled": False,
    }
    state.payees[payee_id] = payee
    return payee


def create_payees(state: VeloState, asked: Asked) -> Result:
    """Make a batch of new payees. The work is counted for the remote ids of those made."""
    failures: list[JsonObject] = []
    made: list[str] = []
    for item in asked.body["payees"]:
        if by_remote_id(state, item["remoteId"]) is None:
            add_payee(state, item)
            made.append(item["remoteId"])
        else:
            why = "This remoteId exists already."
            failures.append({"failedSubmission": item, "failureMessage": why})
    batch_id = state.new_id()
    state.batches[batch_id] = failures
    return made_at(f"/v4/payees/batch/{batch_id}", *made)


def update_payee(state: VeloState, asked: Asked) -> None:
    payee, body = get_payee(state, asked), asked.body
    if payee["onboardedStatus"] == "ONBOARDED":
        raise Refused(400, "The payee has onboarded, and changes its details itself.")
    payee.update(body)
    if body.get("individual") or body.get("company"):
        payee["displayName"] = _display_name(body)
    payee["country"] = body.get("address", payee)["country"]
    notify_of_payee(state, asked.about, DETAILS)


def delete_payee(state: VeloState, asked: Asked) -> None:
    payments = [payment for payout in state.payouts.values() for payment in payout.payments]
    if any(payment["payeeId"] == asked.about for payment in payments):
        raise Refused(400, "The payee has payments.")
    if get_payee(state, asked)["onboardedStatus"] != "ONBOARDED":
        raise Refused(400, "The payee has not onboarded.")
    del state.payees[asked.about]


def onboard(state: VeloState, payee_id: str) -> None:
    payee = _payee(state, payee_id)
    payee["onboardedStatus"] = "ONBOARDED"
    payee["payorRefs"][0]["invitationStatus"] = "ACCEPTED"
    notify_of_payee(state, payee_id, ONBOARDING)


def list_payees(state: VeloState, _: Asked) -> list[JsonObject]:
    """The payees, with what they are to the payor beside it."""
    return [
        {**payee, **payee["payorRefs"][0], "payeeCountry": payee["country"]}
        for payee in state.payees.values()
    ]


def get_batch(state: VeloState, asked: Asked) -> JsonObject:
    failures = find(state.batches, asked.about, "batch")
    counts = {"failureCount": len(failures), "pendingCount": 0}
    return {"status": "ACCEPTED", **counts, "failures": failures}


def _display_name(given: JsonObject) -> str:
    name = given.get("individual", {}).get("name", {})
    firm = given.get("company", {}).get("name")
    return str(firm) if firm else f"{name.get('lastName', '')}, {name.get('firstName', '')}"
