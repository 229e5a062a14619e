"""Changes of payees: their details, their name at the payor, their invitation; and their deletion."""

from __future__ import annotations

import re
from typing import Any

from velo_api import models
from velo_api.api.payees import (
    delete_payee,
    get_payee,
    invite_payee,
    list_payee_invitations,
    update_payee,
    update_payee_remote_id,
)

from victor_ext.errors import NotFound, VictorError
from victor_ext.privacy import kind_of
from victor_ext.runtime.client.resources import Mode, Resource, Walk, listing, operation
from victor_ext.runtime.client.runners import OperationFlow, call, call_without_body, drop_none

from .checks import Validation, check_id
from .paging import walk
from .profile import could_be_done
from .records import Payee, PayeeInvitation
from .requests import Address, Challenge, Company, Individual
from .words import InvitationStatusWord, PayeeTypeWord

_SMS_NUMBER = re.compile(r"\+[1-9][0-9]{1,14}")


class PayeeUpdates(Resource[Mode]):
    """Changes of payees. No request carries a key, so each is sent once."""

    @operation
    def update(
        self,
        payee_id: str,
        *,
        address: Address | None = None,
        individual: Individual | None = None,
        company: Company | None = None,
        payee_type: PayeeTypeWord | None = None,
        email: str | None = None,
        language: str | None = None,
        contact_sms_number: str | None = None,
        challenge: Challenge | None = None,
    ) -> OperationFlow[None]:
        """Change details of a payee. Velo allows it only until the payee has onboarded.

        What is None is left out, and stays. After a lost response look with `get(payee_id)`, or send the same again: it
        sets the same details.

        Args:
            payee_id: The payee.
            address: The whole address. The limits are others than those of a new payee; `Address` has both.
            individual: The person, if it is one. Velo's document marks the date of birth and the national
                identification as read-only here, and has both in its example of a request: they are sent.
            company: The company, if it is one.
            payee_type: `Individual` or `Company`.
            email: 3 to 255 characters.
            language: A language code such as `en`.
            contact_sms_number: Where the payee gets text messages: a plus sign and 2 to 15 digits, `+14155550100`.
            challenge: What the payee is asked when onboarding begins, in place of Velo's usual question.

        Raises:
            InvalidRequest: An argument breaks a rule, or nothing is to be changed; nothing was sent.
            VictorError: Anything else; its `outcome` says whether the payee may have been changed.
        """
        validation = Validation()
        validation.id("payee_id", payee_id)
        if isinstance(address, Address):
            address.check_update(validation, "address")
        else:
            validation.request("address", address, Address, required=False)
        validation.request("individual", individual, Individual, required=False)
        validation.request("company", company, Company, required=False)
        validation.request("challenge", challenge, Challenge, required=False)
        if individual is not None and company is not None:
            validation.note("company", "choice", "individual and company cannot both be given: write one of them.")
        texts = drop_none(
            payee_type=validation.text("payee_type", payee_type, 40, required=False),
            email=validation.text("email", email, 255, shortest=3, required=False),
            language=validation.text("language", language, 35, required=False),
            contact_sms_number=_checked_sms_number(validation, contact_sms_number),
        )
        parts = drop_none(address=address, individual=individual, company=company, challenge=challenge)
        if not texts and not parts:
            validation.note("payee_id", "missing", "Nothing is to be changed: pass at least one detail of the payee.")
        validation.finish("The payee")
        body = models.PayeeUpdate(**texts, **{name: part.to_model() for name, part in parts.items()})
        yield from call_without_body(update_payee, payee_id=payee_id, body=body)

    @operation
    def update_remote_id(self, payee_id: str, *, payor_id: str, remote_id: str) -> OperationFlow[None]:
        """Change a payor's own name for a payee: payments name the payee by it.

        After a lost response look with `get(payee_id)`, or send the same again.

        Args:
            payee_id: The payee.
            payor_id: The payor.
            remote_id: The new name, up to 100 characters.

        Raises:
            InvalidRequest: An argument breaks a rule; nothing was sent.
            Conflict: Another payee of the payor has the name.
            VictorError: Anything else; its `outcome` says whether the name may have been changed.
        """
        validation = Validation()
        validation.id("payee_id", payee_id)
        validation.id("payor_id", payor_id)
        validation.text("remote_id", remote_id, 100)
        validation.finish("The payee")
        body = models.RemoteIdUpdate(payor_id=payor_id, remote_id=remote_id)
        yield from call_without_body(update_payee_remote_id, payee_id=payee_id, body=body)

    @operation
    def delete(self, payee_id: str) -> OperationFlow[None]:
        """Delete a payee. Velo deletes only one that has onboarded, is past its grace period and has no payments.

        After a lost response the payee is read: if Velo knows none with the id, the call returns. If it does, the
        outcome is unknown, because Velo goes on after its response: read it again later.

        Raises:
            InvalidRequest: It is not an id; nothing was sent.
            VictorError: Anything else; its outcome is `unknown` when the payee may have been deleted.
        """
        check_id("payee_id", payee_id, "The payee")
        try:
            yield from call_without_body(delete_payee, payee_id=payee_id)
        except VictorError as error:
            if not could_be_done(error) or not (yield from _is_gone(payee_id)):
                raise

    @operation
    def invite(self, payee_id: str, *, payor_id: str) -> OperationFlow[None]:
        """Invite a payee again, who was invited when it was created and has neither accepted nor declined.

        Earlier invitations of the payor end with it. So a repetition after a lost response does no harm: the payee has
        one more message, and the last one counts. `invitations(payor_id, payee_id=...)` says whether it is accepted.

        Raises:
            InvalidRequest: An argument breaks a rule; nothing was sent.
            Conflict: The invitation can no longer be accepted.
            VictorError: Anything else; its `outcome` says whether the invitation may have been sent.
        """
        validation = Validation()
        validation.id("payee_id", payee_id)
        validation.id("payor_id", payor_id)
        validation.finish("The invitation")
        body = models.Invitation(payor_id=payor_id)
        yield from call_without_body(invite_payee, payee_id=payee_id, body=body)

    @listing
    def invitations(
        self,
        payor_id: str,
        *,
        payee_id: str | None = None,
        invitation_status: InvitationStatusWord | None = None,
        page_size: int | None = None,
    ) -> Walk[PayeeInvitation]:
        """How far the invitations of a payor's payees are, read page by page as they are iterated.

        Args:
            payor_id: The payor.
            payee_id: Only that of one payee.
            invitation_status: `ACCEPTED`, `PENDING` or `DECLINED`.
            page_size: 1 to 100; Velo's default is 25.
        """
        validation = Validation()
        arguments = drop_none(
            payor_id=validation.id("payor_id", payor_id),
            payee_id=validation.id("payee_id", payee_id, required=False),
            invitation_status=validation.text("invitation_status", invitation_status, 40, required=False),
            page_size=validation.page_size(page_size, 100),
        )
        validation.finish("The list of invitations")
        return walk(
            list_payee_invitations,
            PayeeInvitation,
            lambda invitation: invitation.payee_id,
            "list of invitations",
            arguments,
        )


def _checked_sms_number(validation: Validation, value: Any) -> Any:
    if value is not None and not (isinstance(value, str) and _SMS_NUMBER.fullmatch(value)):
        what = "" if isinstance(value, str) else f" is of type {kind_of(value)} and"
        message = f"contact_sms_number{what} must be a plus sign and 2 to 15 digits, such as '+14155550100'."
        validation.note("contact_sms_number", "format", message)
    return value


def _is_gone(payee_id: str) -> OperationFlow[bool]:
    try:
        Payee((yield from call(get_payee, models.Payee, payee_id=payee_id)))
    except NotFound as error:
        # In Velo's own shape: a 404 of a proxy says nothing of the payee.
        return bool(error.problems)
    except VictorError:
        return False
    return False
