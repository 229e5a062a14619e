# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import ABSENT, LEVELS, TEXT, Object, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class NewPayee:
    """
    Attributes:
        type_ (str): `Individual` or `Company`.
        remote_id (str):
        email (str):
        address (PostalAddress):
        payment_channel (NewPaymentChannel | Unset):
        language (str | Unset):
        individual (Person | Unset):
        company (Firm | Unset):
    """

    type_: str
    remote_id: str
    email: str
    address: PostalAddress
    payment_channel: NewPaymentChannel | Unset = UNSET
    language: str | Unset = UNSET
    individual: Person | Unset = UNSET
    company: Firm | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.type_, Unset):
            fields["type"] = self.type_
        if not isinstance(self.remote_id, Unset):
            fields["remoteId"] = self.remote_id
        if not isinstance(self.email, Unset):
            fields["email"] = self.email
        if not isinstance(self.address, Unset):
            fields["address"] = self.address.to_dict()
        if not isinstance(self.payment_channel, Unset):
            fields["paymentChannel"] = self.payment_channel.to_dict()
        if not isinstance(self.language, Unset):
            fields["language"] = self.language
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
        v = take("type", None)
        self.type_ = v if v.__class__ is str else ABSENT if v is None else read(TEXT, v, _left, d, "type")
        v = take("remoteId", None)
        self.remote_id = (
            v if v.__class__ is str else ABSENT if v is None else read(TEXT, v, _left, d, "remoteId")
        )
        v = take("email", None)
        self.email = v if v.__class__ is str else ABSENT if v is None else read(TEXT, v, _left, d, "email")
        v = take("address", None)
        self.address = (
            PostalAddress.from_dict(v, _left - 1)
            if v.__class__ is dict and _left > 0
            else ABSENT
            if v is None
            else read(Object(PostalAddress), v, _left, d, "address")
        )
        v = take("paymentChannel", None)
        self.payment_channel = (
            NewPaymentChannel.from_dict(v, _left - 1)
            if v.__class__ is dict and _left > 0
            else UNSET
            if v is None
            else read(Object(NewPaymentChannel), v, _left, d, "paymentChannel")
        )
        v = take("language", None)
        self.language = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "language")
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
from ..models.new_payment_channel import NewPaymentChannel  # noqa: E402
from ..models.person import Person  # noqa: E402
from ..models.postal_address import PostalAddress  # noqa: E402
