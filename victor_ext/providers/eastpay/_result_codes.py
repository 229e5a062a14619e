"""Result codes: what EastPay says of a payment, and what the caller may do then.

They look like those of another gateway, by whose patterns a timeout (100.200.100) would be a
refusal, and the shopper would be charged twice. So only EastPay's own pages decide ("API
Introduction" and "Result Code"): `ddd.ddd.ddd`, the source (000 success, 100 the gateway, 800 the
bank), the subject, and the detail (after 800 the bank's own code). Another text proves nothing.

"Nothing was charged" is a claim: it is made only where these pages make it, of a code or of a whole
family. That a code has the group of an error is no such word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from victor_ext._privacy import redact_excerpt
from victor_ext._runtime.loop.conflicts import is_about_earlier


class ResultClass(StrEnum):
    """What a code means for the caller. After `PENDING`, `REVIEW` and `UNKNOWN`: never charge
    again.

    Attributes:
        SUCCEEDED: It was done.
        PENDING: It may have been done, or may be done later: inquire.
        REVIEW: It is held for a manual review: inquire later.
        REJECTED: It was declined. Nothing was charged.
        UNKNOWN: EastPay's pages do not say whether anything was charged, or the gateway's words
            call the payment a duplicate: inquire.
    """

    SUCCEEDED = "succeeded"
    PENDING = "pending"
    REVIEW = "review"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


_CODE_FORM = re.compile(r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}")

_RULES: tuple[tuple[str, ResultClass], ...] = (
    (r"000\.000\.000", ResultClass.SUCCEEDED),
    # "Wait for backend result notification"; and the group 200, "transaction pending".
    (r"000\.100\.000|(?:000|100)\.200\..*", ResultClass.PENDING),
    # All three codes that are listed "must be reviewed".
    (r"000\.400\..*", ResultClass.REVIEW),
    # "Transaction declined by" 3-D Secure, the fraud control system, another control system.
    (r"100\.400\.(?:152|319|329)", ResultClass.REJECTED),
    # "800 Bank declined". But the pages name the groups 000 and 200 "transaction succeeded" and
    # "transaction pending", and 800.400.5xx are payments under way at the gateway whose form of
    # codes EastPay has.
    (r"800\.(?!000\.|200\.|400\.5).*", ResultClass.REJECTED),
)
"""What the codes that match a pattern mean, by EastPay's pages; no code matches two patterns.

A code that matches none is unknown, also if it is of the success family (000). So are these groups
of the gateway's own family (100), of which no page says that nothing was charged:

- 100.100, "authorization", and 100.400, "authentication", but for the three codes that are listed.
- 100.300, "reference validation failed". No code of it is listed. The reference that was not valid
  may be the one that an earlier payment has, and that payment may have been charged.
"""

_FAMILIES = {
    "000": "the success family",
    "100": "the EastPay gateway",
    "800": "the bank or card scheme",
}
_GROUPS = {
    "000": "succeeded",
    "100": "authorization",
    "200": "pending",
    "300": "reference (an id or a merchantTransactionId that was not accepted)",
    "400": "authentication (token, blacklist, 3-D Secure, address or CVV check)",
}
_MEANINGS = {
    "000.000.000": "It succeeded.",
    "000.100.000": "The back end has not responded yet: wait for its notification.",
    "000.200.000": "It has begun, with 3-D Secure.",
    "000.200.100": "The payment or checkout has begun: inquire for what becomes of it.",
    "000.200.300": "It was handed on for authorization: inquire for what becomes of it.",
    "000.400.000": "Held for review by the risk rules.",
    "000.400.100": "Held for review because the back end asked for it.",
    "000.400.200": "Held for review by the risk control system.",
    "100.200.100": "The back end did not answer in time: inquire for what became of it.",
    "100.200.200": "The back end failed: inquire for what became of it.",
    "100.400.152": "Declined by 3-D Secure.",
    "100.400.319": "Declined by the fraud control.",
    "100.400.329": "Declined by another control system.",
    "800.100.153": "The bank declined the authorization: the CVV is wrong.",
}
_WHAT_TO_DO = {
    ResultClass.SUCCEEDED: "it was done",
    ResultClass.PENDING: "not known yet, inquire",
    ResultClass.REVIEW: "it waits for a review, inquire later",
    ResultClass.REJECTED: "it was refused",
    ResultClass.UNKNOWN: "what it means is not known, inquire",
}
_LOOK_FIRST = (
    "It may be that an earlier payment has the reference: if one has an unknown outcome, look "
    "before you charge again under another reference."
)


@dataclass(frozen=True, slots=True)
class ResultCode:
    """A result code, such as `000.000.000`.

    Any text is accepted: one that is not a code of EastPay's is of class `UNKNOWN`.

    Attributes:
        code: The code as it came; empty when none came.
        is_repeat: Whether its description speaks of an earlier payment. A rejection then proves
            nothing of the first one, so it is of class `UNKNOWN`.
    """

    code: str
    is_repeat: bool = False

    @classmethod
    def parse(cls, text: object, description: object = None) -> ResultCode:
        """The code in a value of any type, with the gateway's words for it.

        Without text it is empty, and `UNKNOWN`.
        """
        is_repeat = isinstance(description, str) and is_about_earlier(description)
        return cls(text if isinstance(text, str) else "", is_repeat)

    @property
    def is_code(self) -> bool:
        """Whether it has the form of EastPay's codes."""
        return _CODE_FORM.fullmatch(self.code) is not None

    @property
    def family(self) -> str:
        """Its first three digits; empty when it has another form than EastPay's codes."""
        return self.code[:3] if self.is_code else ""

    @property
    def group(self) -> str:
        """Its middle three digits; empty when it has another form than EastPay's codes."""
        return self.code[4:7] if self.is_code else ""

    @property
    def detail(self) -> str:
        """Its last three digits, such as the bank's own code; empty as `family` is."""
        return self.code[8:] if self.is_code else ""

    @property
    def kind(self) -> ResultClass:
        """What it means for the caller, by EastPay's pages and by the gateway's words for it."""
        if not self.is_code:
            return ResultClass.UNKNOWN
        for pattern, kind in _RULES:
            if re.fullmatch(pattern, self.code):
                # Words about an earlier payment: the rejection may be of a repeat of that payment.
                is_open = self.is_repeat and kind is ResultClass.REJECTED
                return ResultClass.UNKNOWN if is_open else kind
        return ResultClass.UNKNOWN

    @property
    def succeeded(self) -> bool:
        """Whether the call was done. False means only that this is not known: see `kind`."""
        return self.kind is ResultClass.SUCCEEDED

    @property
    def rejected(self) -> bool:
        """Whether it was declined, so that nothing was charged and another payment may be made."""
        return self.kind is ResultClass.REJECTED

    @property
    def must_inquire(self) -> bool:
        """Whether it may have been done, or may be done later: inquire, and never charge again."""
        return self.kind not in (ResultClass.SUCCEEDED, ResultClass.REJECTED)

    @property
    def meaning(self) -> str:
        """Its meaning in words: of the code if the table has it, else of its parts."""
        known = _MEANINGS.get(self.code)
        is_open = self.is_repeat and self.kind is ResultClass.UNKNOWN
        if known is not None and not is_open:
            return known
        family = _FAMILIES.get(self.family)
        if self.family == "800" and self.rejected:
            family = "the bank or card scheme declined"
        parts = filter(None, (family, _GROUPS.get(self.group)))
        words = ": ".join(parts) or "this is not in EastPay's table"
        is_about_reference = self.family == "100" and self.group == "300"
        advice = f" {_LOOK_FIRST}" if is_open or is_about_reference else ""
        return f"{words[0].upper()}{words[1:]}; {_WHAT_TO_DO[self.kind]}.{advice}"

    def __str__(self) -> str:
        return redact_excerpt(self.code)

    def __repr__(self) -> str:
        return f"ResultCode({str(self)!r}, {self.kind.value})"
