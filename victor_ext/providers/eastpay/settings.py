"""A client's settings: the bank's gateway, the token, and the entity that payments are made for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from victor_ext.errors import ConfigurationError
from victor_ext.privacy import Secret, concealed
from victor_ext.runtime.client.settings import options_from
from victor_ext.runtime.core.validation import shown
from victor_ext.words import Word

EntityTypeWord = Literal["MERCHANT", "POS", "PARTICIPATOR"] | Word
"""A bank may have more types than the vendor's table."""

_ENTITY_ID = re.compile("[A-Za-z0-9]{1,32}")
_ENTITY_TYPE = re.compile("[A-Z0-9_]{1,32}")


@dataclass(frozen=True, slots=True)
class Entity:
    """The entity that payments are made for. Raises `ConfigurationError`.

    Attributes:
        id: The vendor's table says eight capital letters or digits; its own sample has 32 characters, so both pass.
        gateway: The URL of the bank's gateway, without a slash at its end.
        in_inquiries: Whether inquiries name the type too. Whether the gateway needs that is not documented.
        found_by_reference: Whether the bank says that its gateway has an inquiry by the merchant's own reference,
            which is not documented.
    """

    id: str
    type: str
    gateway: str
    in_inquiries: bool = False
    found_by_reference: bool = False

    def in_query(self) -> dict[str, str]:
        """The parameters of an inquiry, by the names of the generated functions."""
        return {"entity_id": self.id, **({"entity_type": self.type} if self.in_inquiries else {})}

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not _ENTITY_ID.fullmatch(self.id):
            raise ConfigurationError(f"entity_id={shown(self.id)} must be letters and digits, such as 'EB000001'.")
        if not isinstance(self.type, str) or not _ENTITY_TYPE.fullmatch(self.type):
            raise ConfigurationError(f"entity_type={shown(self.type)} must be 'MERCHANT', 'POS' or 'PARTICIPATOR'.")


TOKEN_SOURCE = "the bank's back office (account data)"  # noqa: S105 - where it is, and not the token


def checked_length(secret: Secret) -> Secret:
    """The access token. Raises `ConfigurationError`."""
    if not 32 <= len(secret) <= 2048:
        raise ConfigurationError("token must have 32 to 2048 characters: copy it whole from the bank's back office.")
    return secret


def from_process_environment(options: Mapping[str, Any], variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The options of a client, from the variables `EASTPAY_...` where they are not given. See `options_from`."""
    return options_from(
        "EASTPAY_",
        {name: concealed(value) if name == "token" else value for name, value in options.items()},
        variables,
        texts=("base_url", "entity_id", "entity_type"),
        required=("token", "base_url", "entity_id"),
        versions=("v3",),
        token=lambda values: values["EASTPAY_TOKEN"],
        inquiry_by_reference=_inquiry_by_reference,
    )


def _inquiry_by_reference(values: Mapping[str, str]) -> bool:
    text = values.get("EASTPAY_INQUIRY_BY_REFERENCE", "false").casefold()
    if text not in ("true", "false"):  # the value may be the token by mistake
        raise ConfigurationError("EASTPAY_INQUIRY_BY_REFERENCE must be true or false.")
    return text == "true"
