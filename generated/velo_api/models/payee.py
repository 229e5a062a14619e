# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import FLAG, INSTANT, LEVELS, TEXT, Object, as_object, odd, plain, read
from ..types import UNSET, Unset


@_attrs_define
class Payee:
    """
    Attributes:
        payee_id (str | Unset):
        payor_refs (list[PayorRef] | None | Unset):
        email (None | str | Unset):
        onboarded_status (str | Unset):
        watchlist_status (str | Unset):
        language (str | Unset):
        created (datetime.datetime | Unset):
        country (str | Unset):
        display_name (str | Unset):
        payee_type (str | Unset):
        disabled (bool | Unset):
        disabled_comment (None | str | Unset):
        pause_payment (bool | Unset):
        address (PostalAddress | Unset):
        individual (Person | Unset):
        company (Firm | Unset):
    """

    payee_id: str | Unset = UNSET
    payor_refs: list[PayorRef] | None | Unset = UNSET
    email: None | str | Unset = UNSET
    onboarded_status: str | Unset = UNSET
    watchlist_status: str | Unset = UNSET
    language: str | Unset = UNSET
    created: datetime.datetime | Unset = UNSET
    country: str | Unset = UNSET
    display_name: str | Unset = UNSET
    payee_type: str | Unset = UNSET
    disabled: bool | Unset = UNSET
    disabled_comment: None | str | Unset = UNSET
    pause_payment: bool | Unset = UNSET
    address: PostalAddress | Unset = UNSET
    individual: Person | Unset = UNSET
    company: Firm | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.payee_id, Unset):
            fields["payeeId"] = self.payee_id
        if not isinstance(self.payor_refs, Unset):
            fields["payorRefs"] = plain(self.payor_refs)
        if not isinstance(self.email, Unset):
            fields["email"] = self.email
        if not isinstance(self.onboarded_status, Unset):
            fields["onboardedStatus"] = self.onboarded_status
        if not isinstance(self.watchlist_status, Unset):
            fields["watchlistStatus"] = self.watchlist_status
        if not isinstance(self.language, Unset):
            fields["language"] = self.language
        if not isinstance(self.created, Unset):
            fields["created"] = plain(self.created)
        if not isinstance(self.country, Unset):
            fields["country"] = self.country
        if not isinstance(self.display_name, Unset):
            fields["displayName"] = self.display_name
        if not isinstance(self.payee_type, Unset):
            fields["payeeType"] = self.payee_type
        if not isinstance(self.disabled, Unset):
            fields["disabled"] = self.disabled
        if not isinstance(self.disabled_comment, Unset):
            fields["disabledComment"] = self.disabled_comment
        if not isinstance(self.pause_payment, Unset):
            fields["pausePayment"] = self.pause_payment
        if not isinstance(self.address, Unset):
            fields["address"] = self.address.to_dict()
        if not isinstance(self.individual, Unset):
            fields["individual"] = self.individual.to_dict()
        if not isinstance(self.company, Unset):
            fields["company"] = self.company.to_dict()
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("payeeId", None)
        self.payee_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "payeeId")
        )
        v = take("payorRefs", None)
        self.payor_refs = (
            [PayorRef.from_dict(i, _left - 1) for i in v]
            if v.__class__ is list and _left > 0
            else UNSET
            if v is None
            else odd(v, d, "payorRefs")
        )
        v = take("email", None)
        self.email = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "email")
        v = take("onboardedStatus", None)
        self.onboarded_status = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "onboardedStatus")
        )
        v = take("watchlistStatus", None)
        self.watchlist_status = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "watchlistStatus")
        )
        v = take("language", None)
        self.language = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "language")
        )
        v = take("created", None)
        self.created = UNSET if v is None else read(_read_created, v, _left, d, "created")
        v = take("country", None)
        self.country = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "country")
        v = take("displayName", None)
        self.display_name = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "displayName")
        )
        v = take("payeeType", None)
        self.payee_type = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "payeeType")
        )
        v = take("disabled", None)
        self.disabled = (
            v if v.__class__ is bool else UNSET if v is None else read(FLAG, v, _left, d, "disabled")
        )
        v = take("disabledComment", None)
        self.disabled_comment = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "disabledComment")
        )
        v = take("pausePayment", None)
        self.pause_payment = (
            v if v.__class__ is bool else UNSET if v is None else read(FLAG, v, _left, d, "pausePayment")
        )
        v = take("address", None)
        self.address = (
            PostalAddress.from_dict(v, _left - 1)
            if v.__class__ is dict and _left > 0
            else UNSET
            if v is None
            else read(Object(PostalAddress), v, _left, d, "address")
        )
        v = take("individual", None)
        self.individual = (
            Person.from_dict(v, _left - 1)
            if v.__class__ is dict and _left > 0
            else UNSET
            if v is None
            else read(Object(Person), v, _left, d, "individual")
        )
        v = take("company", None)
        self.company = (
            Firm.from_dict(v, _left - 1)
            if v.__class__ is dict and _left > 0
            else UNSET
            if v is None
            else read(Object(Firm), v, _left, d, "company")
        )
        self.additional_properties = d or {}
        return self

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties


# Below the class, because models may refer to each other in a circle.
from ..models.firm import Firm  # noqa: E402
from ..models.payor_ref import PayorRef  # noqa: E402
from ..models.person import Person  # noqa: E402
from ..models.postal_address import PostalAddress  # noqa: E402

_read_created = INSTANT
